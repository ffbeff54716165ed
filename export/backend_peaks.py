"""Peak memory of PyTorch and of ONNX Runtime on one photo, each in a process of its own."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from rdi.camera.photo import RawPhoto
from rdi.errors import RdiError


def measure_peaks(
    photo: RawPhoto, model: Path, checkpoint: Path, provider: str, threads: int, amplification: float
) -> dict[str, int]:
    """Bytes that a process which restored the photo once held at most, libraries included; by backend."""
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
