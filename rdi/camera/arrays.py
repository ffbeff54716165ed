"""A raw photo from an array: for cameras and sensors whose frames do not come as files."""

import numpy as np
from numpy.typing import ArrayLike

from rdi.camera.cfa import Cfa
from rdi.camera.photo import DEFAULT_GAINS, Mosaic, RawPhoto
from rdi.color import srgb_from_camera
from rdi.errors import LevelsError, UnsupportedMosaicError

_HIGHEST = 65_535


def photo_from_array(
    mosaic: ArrayLike,
    cfa: Cfa | str,
    *,
    black_level: ArrayLike,
    white_level: float,
    white_balance: ArrayLike | None = None,
    camera_from_xyz: ArrayLike | None = None,
    orientation: int = 1,
) -> RawPhoto:
    """A sensor's frame as a photo that `Restorer.restore` takes.

    mosaic:        (height, width) integers of any type, 0 to 65535, as the sensor counted: neither scaled nor black
                   subtracted; an array of uint16 is used as it is, without a copy
    cfa:           RGGB, BGGR, GRBG, GBRG or XTRANS: the colours from the first pixel on
    black_level:   counts without light: one number, or one for each site of the pattern in raster order (4 or 36)
    white_level:   count at which a pixel saturates
    white_balance: gains of red, green and blue, green = 1; by default daylight on a Sony A7S II, with a warning in the
                   photo's `warnings`: another sensor's colours will be off
    camera_from_xyz: (3, 3) colour matrix, CIE XYZ (D65) to the sensor's RGB, as DNG's ColorMatrix2; by default a Sony
                   A7S II's, with a warning
    orientation:   EXIF orientation, 1 to 8, by which the picture is turned
    Raises UnsupportedMosaicError for an array that is no mosaic, LevelsError for levels, gains or a matrix that make no
    sense. Whatever else a photo may have (ISO, EXIF) is added with `photo.replace(iso=...)`.
    """
    warnings = [
        f"no {name} was given; {default} stands in"
        for name, default, given in (
            ("white balance", "daylight on a Sony A7S II", white_balance),
            ("colour matrix", "a Sony A7S II's", camera_from_xyz),
        )
        if given is None
    ]
    photo = RawPhoto(
        mosaic=_counts(mosaic),
        cfa=_pattern(cfa),
        black_level=np.asarray(black_level, dtype=np.float64),
        white_level=float(white_level),
        white_balance=DEFAULT_GAINS.copy() if white_balance is None else np.asarray(white_balance, dtype=np.float64),
        orientation=orientation,
        warnings=tuple(warnings),
    )
    if camera_from_xyz is None:
        return photo
    matrix = np.asarray(camera_from_xyz, dtype=np.float64)
    if matrix.shape != (3, 3):
        raise LevelsError(f"camera_from_xyz has shape {matrix.shape}; give a (3, 3) matrix, XYZ to the sensor's RGB")
    return photo.replace(camera_from_xyz=matrix, camera_to_srgb=srgb_from_camera(matrix))


def _counts(mosaic: ArrayLike) -> Mosaic:
    counts = np.asarray(mosaic)
    if not np.issubdtype(counts.dtype, np.integer):
        raise UnsupportedMosaicError(
            f"a mosaic holds whole numbers as the sensor counted, not {counts.dtype}; give it before it is scaled"
        )
    if counts.dtype != np.uint16 and counts.size and not 0 <= counts.min() <= counts.max() <= _HIGHEST:
        raise UnsupportedMosaicError(
            f"the mosaic's counts lie between {counts.min()} and {counts.max()}; they must fit into 0 to {_HIGHEST}"
        )
    return counts.astype(np.uint16, copy=False)


def _pattern(cfa: Cfa | str) -> Cfa:
    try:
        return Cfa(cfa.upper())
    except ValueError as error:
        raise UnsupportedMosaicError(f"pattern {cfa!r} is unknown; give one of {', '.join(Cfa)}") from error
