"""Restore a photo once with one backend and print the process's peak memory: run by `comparison` in a process each."""

import json
import sys
from pathlib import Path

import numpy as np

from rdi.camera import Cfa, RawPhoto, align
from rdi.camera.photo import MARGIN
from rdi.memory import peak_resident_bytes


def main(
    backend: str, frame: str, model: str, checkpoint: str, provider: str, threads: str, amplification: str
) -> None:
    """Print {"peak_bytes": N}. Only the backend's own libraries are imported."""
    photo = _load(Path(frame))
    if backend == "pytorch":
        _with_pytorch(photo, Path(checkpoint), int(threads), float(amplification))
    else:
        _with_onnxruntime(photo, Path(model), provider, int(threads), float(amplification))
    print(json.dumps({"peak_bytes": peak_resident_bytes()}))


def _load(path: Path) -> RawPhoto:
    with np.load(path) as held:
        row, column = held["phase"].tolist()
        return RawPhoto(
            mosaic=held["mosaic"],
            cfa=Cfa(str(held["cfa"])),
            phase=(row, column),
            black_level=held["black_level"],
            white_level=float(held["white_level"]),
            white_balance=held["white_balance"],
        )


def _with_pytorch(photo: RawPhoto, checkpoint: Path, threads: int, amplification: float) -> None:
    import torch

    from rdi.checkpoint import load_checkpoint
    from rdi.export.comparison import TorchRestorer

    torch.set_num_threads(threads)
    weights = load_checkpoint(checkpoint)
    frame = align(photo, weights.metadata.cfa, weights.metadata.size_multiple, MARGIN)
    TorchRestorer(weights).restore(photo, frame, amplification)


def _with_onnxruntime(photo: RawPhoto, model: Path, provider: str, threads: int, amplification: float) -> None:
    from rdi.runtime import Exposure, ExposureMode, Restorer

    restorer = Restorer(model, provider=provider, threads=threads)
    restorer.restore(photo, Exposure(ExposureMode.NUMBER, amplification))


if __name__ == "__main__":
    main(*sys.argv[1:])
