"""PyTorch against ONNX Runtime on raw photos: time, memory and picture.

Both sides start from the uint16 mosaic and end with the uint16 picture, with the same amplification and the same
number of threads. PyTorch runs the folded network eagerly in inference mode. Their runs alternate, so that a machine
that slows down slows both; memory is measured in a process for each.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from rdi.camera.photo import MARGIN, Frame, RawPhoto, align
from rdi.checkpoint import Checkpoint, load_checkpoint, weights_digest
from rdi.errors import ModelError
from rdi.export.backend_peaks import measure_peaks
from rdi.export.deployment.picture import quantise
from rdi.export.differences import ChannelDifference, measure_differences
from rdi.export.graph import RestorationGraph
from rdi.metadata import Rendering, WhiteBalance
from rdi.network import fold_weight_norm, plain_network
from rdi.runtime import Exposure, ExposureMode, Restorer
from rdi.torch_rendering import render

Picture = NDArray[np.uint16]


@dataclass(frozen=True)
class Side:
    """One backend's figures.

    minimum, median: milliseconds from mosaic to picture
    peak_bytes:      highest resident memory of a process that restored the photo once, libraries included; None where
                     it was not measured
    """

    minimum: float
    median: float
    peak_bytes: int | None


@dataclass(frozen=True)
class Comparison:
    """What came out.

    photo:          the file; "" for a photo that came from none
    width, height:  of the photo
    threads:        of both backends
    max_difference: largest difference of any channel of any pixel, of full scale 1
    psnr:           of ONNX Runtime's picture against PyTorch's, dB; inf where they are equal
    channels:       how red, green and blue differ; ONNX Runtime minus PyTorch
    """

    photo: str
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
    channels: tuple[ChannelDifference, ...]

    @property
    def speed_up(self) -> float:
        """How many times faster ONNX Runtime is, by the minima."""
        return self.pytorch.minimum / self.onnxruntime.minimum

    @property
    def memory_ratio(self) -> float | None:
        """ONNX Runtime's peak memory over PyTorch's; None where it was not measured."""
        ours, theirs = self.onnxruntime.peak_bytes, self.pytorch.peak_bytes
        return ours / theirs if ours and theirs else None

    def within(self, bound: float | None) -> bool:
        """Whether no pixel differs by more than a bound, of full scale 1; None bounds nothing."""
        return bound is None or self.max_difference <= bound

    def to_dict(self) -> dict[str, Any]:
        """For JSON; an infinite PSNR (equal pictures) becomes None."""
        psnr = self.psnr if np.isfinite(self.psnr) else None
        return {**asdict(self), "speed_up": self.speed_up, "memory_ratio": self.memory_ratio, "psnr": psnr}


class Pair(NamedTuple):
    """The picture of each backend, (H, W, 3) uint16."""

    pytorch: Picture
    onnxruntime: Picture


class TorchRestorer:
    """The trained network in PyTorch, as one would run it without an export: the same steps as the graph, eagerly."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        network = plain_network(fold_weight_norm(checkpoint.network))
        self.graph = RestorationGraph(network, checkpoint.metadata).eval()
        self.rendering, self.curve = checkpoint.metadata.rendering, checkpoint.metadata.curve
        self.balanced = checkpoint.metadata.white_balance is WhiteBalance.INPUT

    def restore(self, photo: RawPhoto, frame: Frame, amplification: float) -> Picture:
        """A photo's aligned frame -> (H, W, 3) uint16, cropped to the photo."""
        gains = torch.tensor(frame.gains if self.balanced else np.ones_like(frame.gains), dtype=torch.float32)
        black = torch.tensor(frame.black_level, dtype=torch.float32)
        with torch.inference_mode():
            mosaic = torch.from_numpy(frame.mosaic)[None, None]
            x = self.graph.normalise(mosaic, black, torch.tensor(photo.white_level), gains * amplification)
            if self.rendering is Rendering.CAMERA:
                matrix = torch.tensor(photo.camera_to_srgb, dtype=torch.float32)[None]
                rgb = render(self.graph.network.unclamped(x), matrix, torch.ones(1), self.curve)  # type: ignore[operator]
            else:
                rgb = self.graph.network(x)
            picture = quantise(rgb)[0].permute(1, 2, 0).contiguous()
        return np.asarray(frame.crop(picture.numpy()), dtype=np.uint16)


class Comparer:
    """Both backends, ready for one photo after the other.

    checkpoint: the weights that the model was exported from
    memory:     also measure peak memory, once for each size of photo
    Raises ModelError for a model that was exported from other weights.
    """

    def __init__(
        self,
        model: Path,
        checkpoint: Path,
        *,
        provider: str = "cpu",
        threads: int | None = None,
        memory: bool = True,
    ) -> None:
        self._files, self._memory = (model, checkpoint), memory
        self._weights = load_checkpoint(checkpoint)
        self._restorer = Restorer(model, provider=provider, threads=threads)
        if self._restorer.model.weights_sha256 != weights_digest(self._weights.network):
            raise ModelError(f"{model} was not exported from {checkpoint}; name its weights with --checkpoint")
        # The curve of camera RGB is chosen at export.
        described = self._weights.metadata.replace(curve=self._restorer.model.curve)
        self._eager = TorchRestorer(replace(self._weights, metadata=described))
        self._peaks: dict[tuple[int, ...], dict[str, int]] = {}

    def compare(self, photo: RawPhoto, exposure: Exposure | None = None, runs: int = 5) -> tuple[Comparison, Pair]:
        """Restore a photo with both backends and compare.

        runs: timed runs of each backend, after one that is not timed
        """
        restorer, metadata = self._restorer, self._weights.metadata
        torch.set_num_threads(restorer.threads)
        photo = photo.replace(orientation=1)
        amplification = restorer.restore(photo, exposure).amplification.value
        given = Exposure(ExposureMode.NUMBER, amplification)
        frame = align(photo, metadata.cfa, metadata.size_multiple, MARGIN)
        times, pictures = interleave(
            {
                "pytorch": lambda: _timed(lambda: self._eager.restore(photo, frame, amplification)),
                "onnxruntime": lambda: _network_time(restorer, photo, given),
            },
            runs,
        )
        peaks = self._peaks_of(photo, amplification)
        sides = {name: Side(min(taken), median(taken), peaks.get(name)) for name, taken in times.items()}
        channels = measure_differences(pictures["onnxruntime"], pictures["pytorch"])
        compared = Comparison(
            photo=str(photo.path or ""),
            width=photo.width,
            height=photo.height,
            amplification=amplification,
            provider=str(restorer.provider),
            threads=restorer.threads,
            runs=runs,
            max_difference=max(channel.largest for channel in channels),
            psnr=_psnr(channels),
            channels=channels,
            **sides,
        )
        return compared, Pair(**pictures)

    def _peaks_of(self, photo: RawPhoto, amplification: float) -> dict[str, int]:
        """Of the first photo of this size: what is allocated depends on nothing else."""
        if not self._memory:
            return {}
        size = photo.mosaic.shape
        if size not in self._peaks:
            (model, checkpoint), provider = self._files, str(self._restorer.provider)
            threads = self._restorer.threads
            self._peaks[size] = measure_peaks(photo, model, checkpoint, provider, threads, amplification)
        return self._peaks[size]


def _psnr(channels: tuple[ChannelDifference, ...]) -> float:
    """Over all pixels and channels, dB; inf where nothing differs."""
    error = float(np.mean([channel.rms**2 for channel in channels]))
    return float("inf") if error == 0 else -10 * float(np.log10(error))


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
