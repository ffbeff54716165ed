"""Finished pictures in: JPEG, PNG, TIFF and their like as (H, W, 3) sRGB, upright, whatever the file held."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rdi.camera.containers import RAW_SUFFIXES
from rdi.errors import InputError
from rdi.unchanged import unchanged

if TYPE_CHECKING:
    from PIL import Image

# No EPS among them: Pillow would start Ghostscript for it.
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "PPM", "AVIF")
_DNG_VERSION = 50706  # the TIFF tag that only raw files carry
_PROBE_STEPS = 6


def picture_size(path: Path) -> tuple[int, int]:
    """(width, height) of a finished picture as stored, from its header alone; the errors of `load_picture`."""
    with opened_picture(path) as picture:
        return picture.size


def reduction_for(size: tuple[int, int], max_pixels: int | None) -> int:
    """1, 2, 4 or 8...: by how much `load_picture` reduces each side of a picture of this (width, height)."""
    factor = 1
    while max_pixels is not None and -(-size[0] // factor) * -(-size[1] // factor) > max_pixels:
        factor *= 2
    return factor


def load_picture(path: Path, max_pixels: int | None = None) -> NDArray[np.uint8]:
    """Load a finished picture: (H, W, 3) uint8 sRGB.

    max_pixels: a picture that has more is halved until it has not: JPEG while it is decoded, up to an eighth, so that
                the whole of it never is in memory; others, and beyond an eighth, by averaging

    The EXIF orientation is applied, an embedded ICC profile converted to sRGB, grey spread over three channels, 16 bits
    rounded to 8, and what is transparent shows black. Raises InputError for a file that is missing, no picture, damaged
    or a camera raw file (Pillow would open the preview in it).
    """
    from PIL import ImageOps

    with unchanged(path), opened_picture(path) as picture:
        profile = picture.info.get("icc_profile")
        factor = reduction_for(picture.size, max_pixels)
        upright = ImageOps.exif_transpose(_reduce(picture, factor) if factor > 1 else picture)
        return np.array(_to_srgb(_flatten(upright), profile), dtype=np.uint8)


@contextmanager
def opened_picture(path: Path) -> "Iterator[Image.Image]":
    """A picture whose header was read; what goes wrong while it is used becomes an InputError."""
    from PIL import Image, UnidentifiedImageError

    if not path.is_file():
        what = "a folder" if path.is_dir() else "no regular file" if path.exists() else "missing"
        raise InputError(f"{path} is {what}; give a JPEG, PNG or TIFF picture")
    if path.suffix.lower() in RAW_SUFFIXES:
        raise _raw_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd EXIF, a hundred megapixels: no reason to refuse a photo
            with Image.open(path, formats=FORMATS) as picture:
                if _DNG_VERSION in getattr(picture, "tag_v2", {}):
                    raise _raw_file(path)
                yield picture
    except UnidentifiedImageError as error:
        raise InputError(f"{path} is no picture that can be read; give a JPEG, PNG or TIFF") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as a picture: {' '.join(str(error).split())}") from error


def _reduce(picture: "Image.Image", factor: int) -> "Image.Image":
    """Each side divided by a power of two, rounded up."""
    width, height = (-(-side // factor) for side in picture.size)
    picture.draft(None, (width, height))  # decoders that can do it cheaply: JPEG, by 2, 4 or 8
    rest = round(max(picture.size) / max(width, height))
    if rest == 1:
        return picture
    exif = picture.getexif()
    reduced = _flatten(picture).reduce(rest)
    reduced.info["exif"] = exif.tobytes()
    return reduced


def _raw_file(path: Path) -> InputError:
    return InputError(f"{path} is a camera raw file; give a finished picture (JPEG, PNG, TIFF)")


def _flatten(picture: "Image.Image") -> "Image.Image":
    """Without alpha, palette or more than 8 bits: mode L, RGB, CMYK or LAB."""
    from PIL import Image

    if picture.mode in ("L", "RGB", "CMYK", "LAB"):
        if "transparency" not in picture.info:
            return picture
        picture = picture.convert("RGBA")
    if picture.mode.startswith("I;16") or picture.mode == "I":
        values = np.clip(np.asarray(picture, dtype=np.int64), 0, 65535)
        return Image.fromarray(((values + 128) // 257).astype(np.uint8))
    if picture.mode == "F":
        raise ValueError("floating-point pixels have no agreed white; save it with 8 or 16 bits")
    if picture.mode in ("1", "YCbCr", "HSV", "RGBX"):
        return picture.convert("RGB")
    rgba = picture.convert("RGBA")  # P, PA, LA, La, RGBa, RGBA; a mode that does not convert raises ValueError
    black = Image.new("RGBA", rgba.size, (0, 0, 0, 255))
    return Image.alpha_composite(black, rgba).convert("RGB")


def _to_srgb(picture: "Image.Image", icc_profile: bytes | None) -> "Image.Image":
    """RGB with sRGB code values. A profile that cannot be read, or belongs to another mode, is passed over."""
    from PIL import Image, ImageCms

    if not icc_profile:
        return picture.convert("RGB")
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), picture.mode, "RGB")
    except (ImageCms.PyCMSError, OSError):
        return picture.convert("RGB")
    if picture.mode == "RGB":
        probe = Image.fromarray(_probe_colours())
        converted = np.asarray(ImageCms.applyTransform(probe, transform), dtype=np.int64)
        if np.abs(converted - _probe_colours()).max() <= 2:
            return picture  # an sRGB profile: converting would only add rounding
    converted_picture = ImageCms.applyTransform(picture, transform)
    assert converted_picture is not None
    return converted_picture


def _probe_colours() -> NDArray[np.uint8]:
    """Colours across the cube, (36, 6, 3)."""
    steps = np.linspace(0, 255, _PROBE_STEPS).astype(np.uint8)
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, _PROBE_STEPS, 3)


def shrink(picture: NDArray[np.uint8], max_side: int) -> NDArray[np.uint8]:
    """Scale an (H, W, 3) picture down until no side is longer than `max_side` pixels; a smaller one stays as it is."""
    from PIL import Image

    image = Image.fromarray(picture)
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return np.array(image, dtype=np.uint8)
