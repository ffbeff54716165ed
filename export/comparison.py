"""PyTorch against ONNX Runtime on one photo: time, memory and picture.

Both sides start from the uint16 mosaic and end with the uint16 picture, with the same amplification and the same
number of threads. PyTorch runs the folded network eagerly in inference mode. Their runs alternate, so that a machine
that slows down slows both; memory is measured in a process for each.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rdi.camera.photo import MARGIN, Frame, RawPhoto, align
from rdi.checkpoint import Checkpoint, load_checkpoint, weights_digest
from rdi.errors import ModelError, RdiError
from rdi.export.deployment.picture import LARGEST, quantise
from rdi.export.graph import RestorationGraph
from rdi.metadata import WhiteBalance
from rdi.metrics import psnr
from rdi.network import fold_weight_norm, plain_network
from rdi.runtime import Exposure, ExposureMode, Restorer

Picture = NDArray[np.uint16]


@dataclass(frozen=True)
class Side:
    """One backend's figures.

    minimum, median: milliseconds from mosaic to picture
    peak_bytes:      highest resident memory of a process that restored the photo once, libraries included
    """

    minimum: float
    median: float
    peak_bytes: int


@dataclass(frozen=True)
class Comparison:
    """What came out.

    width, height:  of the photo
    threads:        of both backends
    max_difference: largest difference of any channel of any pixel, of full scale 1
    psnr:           of ONNX Runtime's picture against PyTorch's, dB; inf where they are equal
    """

    width: int
    height: int
    amplification: float
    provider: str
    threads: int
    runs: int
    pytorch: Side
    onnxruntime: Side
    max_difference: float
    psnr: float

    @property
    def speed_up(self) -> float:
        """How many times faster ONNX Runtime is, by the minima."""
        return self.pytorch.minimum / self.onnxruntime.minimum

    def to_dict(self) -> dict[str, Any]:
        """For JSON; an infinite PSNR (equal pictures) becomes None."""
        return {**asdict(self), "speed_up": self.speed_up, "psnr": self.psnr if np.isfinite(self.psnr) else None}


class TorchRestorer:
    """The trained network in PyTorch, as one would run it without an export: the same steps as the graph, eagerly."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        network = plain_network(fold_weight_norm(checkpoint.network))
        self.graph = RestorationGraph(network, checkpoint.metadata).eval()
        self.balanced = checkpoint.metadata.white_balance is WhiteBalance.INPUT

    def restore(self, frame: Frame, white_level: float, amplification: float) -> Picture:
        """An aligned frame -> (H, W, 3) uint16, cropped to the photo."""
        gains = torch.tensor(frame.gains if self.balanced else np.ones_like(frame.gains), dtype=torch.float32)
        black = torch.tensor(frame.black_level, dtype=torch.float32)
        with torch.inference_mode():
            mosaic = torch.from_numpy(frame.mosaic)[None, None]
            x = self.graph.normalise(mosaic, black, torch.tensor(white_level), gains * amplification)
            picture = quantise(self.graph.network(x))[0].permute(1, 2, 0).contiguous()
        return np.asarray(frame.crop(picture.numpy()), dtype=np.uint16)


def compare(
    photo: RawPhoto,
    model: Path,
    checkpoint: Path,
    *,
    exposure: Exposure | None = None,
    provider: str = "cpu",
    threads: int | None = None,
    runs: int = 5,
) -> Comparison:
    """Restore a photo with both backends and compare.

    checkpoint: the weights that the model was exported from
    runs:       timed runs of each backend, after one that is not timed
    Raises ModelError for a model that was exported from other weights.
    """
    weights = load_checkpoint(checkpoint)
    restorer = Restorer(model, provider=provider, threads=threads)
    if restorer.model.weights_sha256 != weights_digest(weights.network):
        raise ModelError(f"{model} was not exported from {checkpoint}; name its weights with --checkpoint")
    torch.set_num_threads(restorer.threads)
    photo = photo.replace(orientation=1)
    amplification = restorer.restore(photo, exposure).amplification.value
    given = Exposure(ExposureMode.NUMBER, amplification)
    eager = TorchRestorer(weights)
    frame = align(photo, weights.metadata.cfa, weights.metadata.size_multiple, MARGIN)
    times, pictures = interleave(
        {
            "pytorch": lambda: _timed(lambda: eager.restore(frame, photo.white_level, amplification)),
            "onnxruntime": lambda: _network_time(restorer, photo, given),
        },
        runs,
    )
    peaks = _peaks(photo, model, checkpoint, provider, restorer.threads, amplification)
    sides = {name: Side(min(taken), median(taken), peaks[name]) for name, taken in times.items()}
    ours, theirs = (np.divide(pictures[name], LARGEST, dtype=np.float32) for name in ("onnxruntime", "pytorch"))
    return Comparison(
        width=photo.width,
        height=photo.height,
        amplification=amplification,
        provider=str(restorer.provider),
        threads=restorer.threads,
        runs=runs,
        max_difference=float(np.abs(ours - theirs).max()),
        psnr=psnr(ours, theirs),
        **sides,
    )


def interleave(
    backends: dict[str, Callable[[], tuple[float, Picture]]], runs: int
) -> tuple[dict[str, list[float]], dict[str, Picture]]:
    """Run the backends in turn: (milliseconds of each run, the last picture) by name; the first round warms up."""
    times: dict[str, list[float]] = {name: [] for name in backends}
    pictures: dict[str, Picture] = {}
    for run in range(runs + 1):
        for name, backend in backends.items():
            taken, pictures[name] = backend()
            if run:
                times[name].append(taken)
    return times, pictures


def _timed(restore: Callable[[], Picture]) -> tuple[float, Picture]:
    start = time.perf_counter()
    picture = restore()
    return (time.perf_counter() - start) * 1000, picture


def _network_time(restorer: Restorer, photo: RawPhoto, exposure: Exposure) -> tuple[float, Picture]:
    restored = restorer.restore(photo, exposure)
    return restored.timings["network"], restored.image


def _peaks(
    photo: RawPhoto, model: Path, checkpoint: Path, provider: str, threads: int, amplification: float
) -> dict[str, int]:
    """Peak memory of each backend, bytes, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        frame = Path(folder) / "photo.npz"
        np.savez(
            frame,
            mosaic=photo.mosaic,
            cfa=str(photo.cfa),
            phase=photo.phase,
            black_level=photo.black_level,
            white_level=photo.white_level,
            white_balance=photo.white_balance,
        )
        common = [str(frame), str(model), str(checkpoint), provider, str(threads), str(amplification)]
        return {name: _peak_of(name, common) for name in ("pytorch", "onnxruntime")}


def _peak_of(backend: str, arguments: list[str]) -> int:
    command = [sys.executable, "-m", "rdi.export.peak_memory", backend, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        reason = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
        raise RdiError(f"measuring the memory of {backend} failed: {reason[-1]}")
    return int(json.loads(ended.stdout)["peak_bytes"])
