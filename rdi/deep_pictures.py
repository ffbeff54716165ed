"""Finished pictures with all the bits they have: Pillow gives 16-bit PNG and TIFF back as 8 bits."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.errors import InputError, MissingPackageError
from rdi.extras import install_hint
from rdi.orientation import upright
from rdi.pictures import load_picture, opened_picture
from rdi.unchanged import unchanged

_BITS_PER_SAMPLE = 258  # TIFF tag
_PNG_DEPTH = 24  # byte of the header that says how many bits a sample has


def load_deep_picture(path: Path) -> NDArray[np.uint16]:
    """Load a finished picture: (H, W, 3) uint16 sRGB, 65535 = white, upright.

    16-bit RGB files keep their bits, others are spread from 8; for the rest it is `load_picture`, whose errors it has.
    Raises MissingPackageError for a 16-bit file where imagecodecs is not installed.
    """
    if not _is_deep(path):
        return load_picture(path).astype(np.uint16) * np.uint16(257)
    from PIL import ExifTags

    with unchanged(path):
        with opened_picture(path) as picture:
            profile = picture.info.get("icc_profile")
            orientation = int(picture.getexif().get(ExifTags.Base.Orientation, 1))
        deep = _to_srgb(_decode(path), profile)
    return np.ascontiguousarray(upright(deep, orientation if 1 <= orientation <= 8 else 1))


def _is_deep(path: Path) -> bool:
    """Whether it is a 16-bit RGB picture; an error of `load_picture` for one that cannot be opened."""
    with opened_picture(path) as picture:
        if picture.format == "TIFF":
            bits = getattr(picture, "tag_v2", {}).get(_BITS_PER_SAMPLE, ())
            return picture.mode in ("RGB", "RGBA", "RGBX") and set(bits) == {16}
        if picture.format == "PNG" and picture.mode in ("RGB", "RGBA"):
            with path.open("rb") as file:
                return file.read(_PNG_DEPTH + 1)[_PNG_DEPTH] == 16
    return False


def _decode(path: Path) -> NDArray[np.uint16]:
    """(H, W, 3) uint16 as stored; without alpha."""
    try:
        import imagecodecs
    except ImportError as error:
        raise MissingPackageError(
            f"{path} has 16 bits, which need imagecodecs: {install_hint('train')}, or save it with 8 bits"
        ) from error
    decode = imagecodecs.png_decode if path.read_bytes()[:4] == b"\x89PNG" else imagecodecs.tiff_decode
    try:
        decoded = np.asarray(decode(path.read_bytes()))
    except (ValueError, RuntimeError, OSError) as error:
        raise InputError(f"{path} cannot be read as a picture: {' '.join(str(error).split())}") from error
    if decoded.dtype != np.uint16 or decoded.ndim != 3 or decoded.shape[2] < 3:
        raise InputError(f"{path} holds {decoded.dtype} {decoded.shape}; save it as RGB with 8 or 16 bits")
    return decoded[..., :3]


def _to_srgb(picture: NDArray[np.uint16], profile: bytes | None) -> NDArray[np.uint16]:
    """sRGB code values; a profile that cannot be read is passed over, as `load_picture` does."""
    if not profile:
        return picture
    import imagecodecs

    try:
        converted: Any = imagecodecs.cms_transform(
            np.ascontiguousarray(picture),
            profile,
            imagecodecs.cms_profile("srgb"),
            colorspace="rgb",
            outcolorspace="rgb",
        )
    except (ValueError, RuntimeError):
        return picture
    return np.asarray(converted, dtype=np.uint16)
