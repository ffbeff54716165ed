"""How far a restored picture is from what it should be: PSNR, on float values or on 8-bit ones."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Picture = NDArray[Any]  # float32 in [0, 1] or uint8


def psnr(picture: Picture, target: Picture) -> float:
    """Peak signal-to-noise ratio in dB over all pixels and channels; inf where equal.

    picture, target: (H, W, 3), both float32 in [0, 1] (peak 1) or both uint8 (peak 255)
    """
    error = 0.0
    for rows in _bands(picture):  # in float64, without a second picture of twice the size
        error += float(np.sum(np.square(picture[rows].astype(np.float64) - target[rows])))
    if error == 0:
        return float("inf")
    return 10 * float(np.log10(_peak(picture) ** 2 * picture.size / error))


def to_bytes(picture: Floats) -> NDArray[np.uint8]:
    """Round values in [0, 1] to 8 bits, as a picture is saved."""
    return np.asarray(np.rint(np.clip(picture, 0, 1) * np.float32(255)), dtype=np.uint8)


def _peak(picture: Picture) -> float:
    return 255.0 if picture.dtype == np.uint8 else 1.0


def _bands(picture: Picture) -> list[slice]:
    return [slice(first, first + 256) for first in range(0, picture.shape[0], 256)]
