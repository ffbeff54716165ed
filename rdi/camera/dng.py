"""Write a `RawPhoto` as a DNG file that LibRaw, and every converter built on it, reads back as it was.

One strip, one directory and one EXIF directory, no preview; as DNG 1.4, which any reader since 2012 knows.
"""

import io
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rdi import __version__
from rdi.atomic import atomic_path
from rdi.camera.photo import RawPhoto
from rdi.color import XYZ_FROM_SRGB
from rdi.errors import MissingPackageError, OutputError

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2

MIN_SIDE = 22  # LibRaw calls a DNG with fewer rows or columns "not a raw file"

_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _SRATIONAL = 1, 2, 3, 4, 5, 10
_COLOUR_FILTER_ARRAY, _LOSSLESS_JPEG, _D65 = 32803, 7, 21
_FINEST = 10**6  # denominator of a fraction
_ISO_OVERFLOW = 65535


class Compression(StrEnum):
    """How the mosaic is stored; both are exact."""

    NONE = "none"
    LJPEG = "ljpeg"  # lossless JPEG: a dark frame takes less than half; needs the package imagecodecs


def write_dng(
    photo: RawPhoto,
    path: Path,
    *,
    compression: Compression = Compression.NONE,
    description: str = "",
    replace: bool = True,
) -> None:
    """Write a DNG; `read_photo` gives back every field but `exif`, `path` and `warnings`.

    The white level is rounded to a whole number, gains and matrix come back within 1e-5, an X-Trans phase as one that
    is the same pattern; `camera_from_xyz` is the matrix that is written (where it is None, one that gives the same
    `camera_to_srgb`).

    description: goes into the tag ImageDescription
    replace:     whether an existing file is replaced; otherwise it is an OutputError
    Raises OutputError for a frame that LibRaw would not read back (below 22 pixels a side) or a path that cannot be
    written, MissingPackageError for lossless JPEG without imagecodecs.
    """
    data = encode_dng(photo, compression=compression, description=description)
    with atomic_path(path, replace=replace) as temporary:
        temporary.write_bytes(data)


def encode_dng(photo: RawPhoto, *, compression: Compression = Compression.NONE, description: str = "") -> bytes:
    """The bytes of `write_dng`'s file."""
    if min(photo.mosaic.shape) < MIN_SIDE:
        raise OutputError(
            f"a DNG of {photo.width}x{photo.height} pixels cannot be read by LibRaw; {MIN_SIDE} a side is the least"
        )
    bits = 16 if compression is Compression.NONE else _bits_needed(photo)
    strip = photo.mosaic.astype("<u2").tobytes() if compression is Compression.NONE else _lossless_jpeg(photo, bits)
    directory = dng_directory(photo, len(strip), bits, compression, description)
    buffer = io.BytesIO()
    directory.save(buffer)  # moves the strip's offset behind the directories
    return buffer.getvalue() + strip


def dng_directory(
    photo: RawPhoto, strip_bytes: int, bits: int, compression: Compression, description: str
) -> "ImageFileDirectory_v2":
    """The file's directory, for a strip of that many bytes right behind it."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    directory = ImageFileDirectory_v2()
    fields = _picture_fields(photo, strip_bytes, bits, compression) | _dng_fields(photo)
    fields |= {270: (_ASCII, description), 305: (_ASCII, f"rdi {__version__}")}
    fields |= {271: (_ASCII, photo.make), 272: (_ASCII, photo.model)}
    for tag, (kind, value) in fields.items():
        if value != "":
            directory.tagtype[tag] = kind
            directory[tag] = value
    return directory


def _picture_fields(photo: RawPhoto, strip_bytes: int, bits: int, compression: Compression) -> dict[int, Any]:
    """Tag -> (type, value) of what TIFF wants to know."""
    return {
        254: (_LONG, 0),  # NewSubfileType: the main picture
        256: (_LONG, photo.width),
        257: (_LONG, photo.height),
        258: (_SHORT, bits),
        259: (_SHORT, _LOSSLESS_JPEG if compression is Compression.LJPEG else 1),
        262: (_SHORT, _COLOUR_FILTER_ARRAY),
        273: (_LONG, 0),  # StripOffsets
        274: (_SHORT, photo.orientation),
        277: (_SHORT, 1),
        278: (_LONG, photo.height),
        279: (_LONG, strip_bytes),
        284: (_SHORT, 1),
        34665: (_LONG, _exif_fields(photo)),
    }


def _dng_fields(photo: RawPhoto) -> dict[int, Any]:
    """Tag -> (type, value) of the mosaic's pattern, levels and colours."""
    period = photo.cfa.period
    return {
        33421: (_SHORT, (period, period)),  # CFARepeatPatternDim
        33422: (_BYTE, photo.site_values(photo.cfa.colours.astype(float)).astype(np.uint8).tobytes()),  # CFAPattern
        50706: (_BYTE, bytes((1, 4, 0, 0))),  # DNGVersion
        50707: (_BYTE, bytes((1, 1, 0, 0))),  # DNGBackwardVersion
        50708: (_ASCII, photo.camera),  # UniqueCameraModel
        50710: (_BYTE, bytes((0, 1, 2))),  # CFAPlaneColor: red, green, blue
        50711: (_SHORT, 1),  # CFALayout: rectangular
        50713: (_SHORT, (period, period)),  # BlackLevelRepeatDim
        50714: (_RATIONAL, tuple(map(_rational, photo.black_level))),
        50717: (_LONG, round(photo.white_level)),
        50721: (_SRATIONAL, tuple(map(_rational, _camera_from_xyz(photo).ravel()))),  # ColorMatrix1
        50728: (_RATIONAL, tuple(map(_rational, 1 / photo.white_balance))),  # AsShotNeutral
        50778: (_SHORT, _D65),  # CalibrationIlluminant1
    }


def _exif_fields(photo: RawPhoto) -> dict[int, Any]:
    """Tag -> value; Pillow knows the types."""
    fields: dict[int, Any] = {36864: b"0232"}
    if photo.exposure_time is not None:
        fields[33434] = _rational(photo.exposure_time)
    if photo.iso is not None:
        iso = round(photo.iso)
        fields[34855] = min(iso, _ISO_OVERFLOW)
        fields[34864] = 2  # SensitivityType: the number is a recommended exposure index
        fields[34866] = iso
    return fields


def _camera_from_xyz(photo: RawPhoto) -> NDArray[np.float64]:
    if photo.camera_from_xyz is not None:
        return photo.camera_from_xyz
    return np.asarray(np.linalg.inv(photo.camera_to_srgb) @ np.linalg.inv(XYZ_FROM_SRGB), dtype=np.float64)


def _rational(number: float) -> "IFDRational":
    from PIL.TiffImagePlugin import IFDRational

    return IFDRational(Fraction(float(number)).limit_denominator(_FINEST))


def _bits_needed(photo: RawPhoto) -> int:
    """Bits that hold the largest raw value and the white level; 8 at least."""
    return max(int(photo.mosaic.max()).bit_length(), round(photo.white_level).bit_length(), 8)


def _lossless_jpeg(photo: RawPhoto, bits: int) -> bytes:
    try:
        import imagecodecs
    except ImportError as error:
        raise MissingPackageError("lossless JPEG needs imagecodecs; run `pip install imagecodecs`") from error
    return bytes(imagecodecs.ljpeg_encode(np.ascontiguousarray(photo.mosaic), bitspersample=bits))
