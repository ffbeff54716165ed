"""Grey pictures for the metrics that look at one: which conversion is taken moves NIQE by 0.05."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Grey(StrEnum):
    """How three channels become one, rounded to whole numbers as MATLAB does with 8-bit pictures."""

    GREY = "grey"  # 0.299 R + 0.587 G + 0.114 B: MATLAB's rgb2gray, what the authors of NIQE and of Ma call
    Y = "y"  # luma of MATLAB's rgb2ycbcr, 16 to 235: what basicsr takes unless told otherwise, and PIRM 2018


def to_grey(picture: NDArray[np.uint8], conversion: Grey = Grey.GREY) -> Floats:
    """(H, W, 3) uint8 sRGB -> (H, W) float64 with whole numbers in [0, 255]."""
    if conversion is Grey.Y:
        return np.asarray(np.rint(picture @ (np.array([65.481, 128.553, 24.966]) / 255) + 16), dtype=np.float64)
    return _grey(picture)


def _grey(picture: NDArray[np.uint8]) -> Floats:
    """As OpenCV computes it, in float32 with products that are not rounded: halves fall to the same side.

    Grey levels that end in .5 are one in a thousand; NIQE moves by 0.003 with the side they fall to.
    """
    red, green, blue = np.moveaxis(picture.astype(np.float32) / np.float32(255), 2, 0)
    level = green * np.float32(0.587)
    for channel, weight in ((blue, np.float32(0.114)), (red, np.float32(0.299))):
        level = (channel.astype(np.float64) * np.float64(weight) + level).astype(np.float32)
    return np.asarray(np.rint(level * np.float32(255)), dtype=np.float64)
