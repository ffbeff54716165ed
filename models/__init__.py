"""The weights that ship with rdi."""

from importlib.resources import files
from pathlib import Path


def shipped_model() -> Path:
    """The ONNX model used where none is named."""
    return _shipped("rdi.onnx")


def shipped_sample() -> Path:
    """The small dark DNG that `rdi demo` restores."""
    return _shipped("sample.dng")


def _shipped(name: str) -> Path:
    # rdi is never imported from a zip: onnxruntime and LibRaw want real files anyway.
    return Path(str(files("rdi.models") / name))
