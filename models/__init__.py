"""The weights that ship with rdi."""

from importlib.resources import files
from pathlib import Path

# rendering camera, used where none is named; rendering paper, which gives sRGB itself
SHIPPED = ("rdi", "rdi-srgb")


def shipped_model(name: str = SHIPPED[0]) -> Path:
    """The ONNX file of one of `SHIPPED`."""
    return _shipped(f"{name}.onnx")


def by_name(path: Path) -> Path:
    """The shipped model whose bare name this is, unless a file has it; any other path as it is."""
    return shipped_model(str(path)) if str(path) in SHIPPED and not path.is_file() else path


def shipped_sample() -> Path:
    """The small dark DNG that `rdi demo` restores."""
    return _shipped("sample.dng")


def _shipped(name: str) -> Path:
    # rdi is never imported from a zip: onnxruntime and LibRaw want real files anyway.
    return Path(str(files("rdi.models") / name))
