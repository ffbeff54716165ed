"""SSIM as scikit-image computes it by default, with little memory and without scikit-image.

scikit-image holds some thirty arrays of a picture's size, 2 GB for 12 megapixels; here it is a few bands of rows.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Picture = NDArray[Any]  # float32 in [0, 1] or uint8

WINDOW = 7  # pixels, on a side; smaller pictures have no SSIM
SETTINGS = "scikit-image's defaults: 7x7 uniform window, K1 0.01, K2 0.03, sample covariance, mean over channels"
_K1, _K2 = 0.01, 0.03
_SAMPLE = WINDOW**2 / (WINDOW**2 - 1)  # covariance of a sample, not of all there is
_BAND = 32  # rows of windows at a time: what is held of them stays in the processor's cache


def ssim(picture: Picture, target: Picture) -> float:
    """Structural similarity, the mean over all windows that lie within the picture (`SETTINGS`), in double precision.

    picture, target: (H, W, 3), both float32 in [0, 1] or both uint8; at least 7 pixels high and wide
    """
    height, width, channels = picture.shape
    assert picture.shape == target.shape, f"{picture.shape} and {target.shape}"
    assert min(height, width) >= WINDOW, picture.shape
    peak = 255.0 if picture.dtype == np.uint8 else 1.0
    rows, total = height - WINDOW + 1, 0.0
    for first in range(0, rows, _BAND):
        band = slice(first, min(first + _BAND, rows) + WINDOW - 1)
        for channel in range(channels):
            a, b = (side[band, :, channel].astype(np.float64) for side in (picture, target))
            total += _sum_of_similarity(a, b, peak)
    return float(total / (rows * (width - WINDOW + 1) * channels))


def _sum_of_similarity(a: Floats, b: Floats, peak: float) -> float:
    """Over all windows of one channel."""
    c1, c2 = (_K1 * peak) ** 2, (_K2 * peak) ** 2
    mean_a, mean_b, product = _mean(a), _mean(b), _mean(a * b)
    # Only the sum of the two variances counts, so the two squares share one mean.
    squares = _mean(a * a + b * b)
    of_means, of_squares = mean_a * mean_b, mean_a * mean_a + mean_b * mean_b
    structure = (2 * _SAMPLE * (product - of_means) + c2) / (_SAMPLE * (squares - of_squares) + c2)
    luminance = (2 * of_means + c1) / (of_squares + c1)
    return float(np.sum(structure * luminance))


def _mean(values: Floats) -> Floats:
    """Of each 7x7 window: (H, W) -> (H - 6, W - 6)."""
    return _sums_of_seven(_sums_of_seven(values).T).T / WINDOW**2


def _sums_of_seven(values: Floats) -> Floats:
    """Of each seven rows below each other, in four additions: pairs, two pairs, and what is left of seven."""
    pairs = values[:-1] + values[1:]
    fours = pairs[:-2] + pairs[2:]
    return np.asarray(fours[:-3] + pairs[4:-1] + values[6:])
