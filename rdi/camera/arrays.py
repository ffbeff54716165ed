"""A raw photo from an array: for cameras and sensors whose frames do not come as files."""

import numpy as np
from numpy.typing import ArrayLike

from rdi.camera.cfa import Cfa
from rdi.camera.photo import DEFAULT_GAINS, Mosaic, RawPhoto
from rdi.errors import UnsupportedMosaicError

_HIGHEST = 65_535


def photo_from_array(
    mosaic: ArrayLike,
    cfa: Cfa | str,
    *,
    black_level: ArrayLike,
    white_level: float,
    white_balance: ArrayLike | None = None,
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
    orientation:   EXIF orientation, 1 to 8, by which the picture is turned
    Raises UnsupportedMosaicError for an array that is no mosaic, LevelsError for levels or gains that make no sense.
    Whatever else a photo may have (ISO, EXIF, colour matrix) is added with `photo.replace(iso=...)`.
    """
    warning = () if white_balance is not None else ("no white balance was given; daylight on a Sony A7S II stands in",)
    return RawPhoto(
        mosaic=_counts(mosaic),
        cfa=_pattern(cfa),
        black_level=np.asarray(black_level, dtype=np.float64),
        white_level=float(white_level),
        white_balance=DEFAULT_GAINS.copy() if white_balance is None else np.asarray(white_balance, dtype=np.float64),
        orientation=orientation,
        warnings=warning,
    )


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
