"""Global frequency features (paper, section 3.2): how subbands, normalised by their surroundings, are distributed."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from rdi.metrics.bicubic import resize
from rdi.metrics.ma.gaussian_shape import gaussian_shape
from rdi.metrics.ma.pyramid import ORIENTATIONS, Pyramid

Floats = NDArray[np.float64]

_GUARD = 16  # pixels at the border that are left out at the first scale; half as many at the second
_ROWS_AT_ONCE = 128
_WINDOW = 11  # of the comparison of two subbands, pixels
_SIGMA = 1.5
_STABILISER = (0.03 * 255) ** 2


def wavelet_features(grey: Floats) -> Floats:
    """(45,) of a (H, W) picture in [0, 255].

    The shape of each of 12 normalised subbands, of both scales together for each of 6 orientations, the resemblance
    of each subband to the high-pass residual, and of the normalised ones of the first scale to each other (15).
    """
    pyramid = Pyramid(grey)
    fine, coarse = ([_normalised(pyramid, scale, band) for band in range(ORIENTATIONS)] for scale in (0, 1))
    shapes = [gaussian_shape(band.ravel()) for band in (*fine, *coarse)]
    across = [gaussian_shape(np.append(*pair)) for pair in zip(fine, coarse, strict=True)]
    to_residual = [_resemblance(resize(band, grey.shape), pyramid.high) for scale in pyramid.bands for band in scale]
    to_each_other = [_resemblance(*pair) for pair in combinations(fine, 2)]
    return np.array([*shapes, *across, *to_residual, *to_each_other], dtype=np.float64)


def _normalised(pyramid: Pyramid, scale: int, index: int) -> Floats:
    """A subband divided by the local strength of its surroundings; without the border, mean zero.

    Surroundings are 3x3 pixels, the same place in the other orientations, and in the parent: the same orientation one
    scale coarser. As in the authors' program, the last orientation has no parent.
    """
    bands = pyramid.bands[scale]
    height, width = bands[index].shape
    others = [band for place, band in enumerate(bands) if place != index]
    members = 9
    if scale == 0 and index < ORIENTATIONS - 1:
        parent = pyramid.bands[1][index]
        others.insert(0, resize(parent, (2 * parent.shape[0], 2 * parent.shape[1]))[:height, :width])
        members += 1
    strength = _strength(bands[index], others, members)
    centre = bands[index][1:-1, 1:-1]
    divided = np.divide(centre - centre.mean(), strength, out=np.zeros_like(centre), where=strength > 0)
    guard = _GUARD >> scale
    inside = divided[guard:-guard, guard:-guard]
    return np.asarray(inside - inside.mean())


def _strength(band: Floats, others: list[Floats], members: int) -> Floats:
    """Square root of y' C^-1 y / members for the surroundings y of each pixel but the outermost: (H - 2, W - 2)."""
    rows = range(0, band.shape[0] - 2, _ROWS_AT_ONCE)
    size = (band.shape[0] - 2) * (band.shape[1] - 2)
    surroundings = (_surroundings(band, others, first) for first in rows)
    inverse = _inverse(sum((y @ y.T for y in surroundings), np.zeros(())) / size)
    width = band.shape[1] - 2
    parts = []
    for first in rows:
        y = _surroundings(band, others, first)
        parts.append(np.sqrt(np.maximum(np.sum((inverse @ y) * y, axis=0) / members, 0)).reshape(-1, width))
    return np.concatenate(parts)


def _surroundings(band: Floats, others: list[Floats], first: int) -> Floats:
    """(members, pixels) of some rows."""
    last = min(first + _ROWS_AT_ONCE, band.shape[0] - 2)
    width = band.shape[1] - 2
    near = [band[first + row : last + row, column : column + width].ravel() for row in range(3) for column in range(3)]
    return np.stack([*near, *(other[first + 1 : last + 1, 1:-1].ravel() for other in others)])


def _inverse(covariance: Floats) -> Floats:
    """Pseudo-inverse; what rounding made negative is taken out, at the same total."""
    values, vectors = np.linalg.eigh(covariance)
    positive = np.maximum(values, 0)
    values = positive * values.sum() / (positive.sum() or 1.0)
    mended = (vectors * values) @ vectors.T
    return np.asarray(np.linalg.pinv(mended, rcond=len(values) * np.finfo(np.float64).eps, hermitian=True))


def _resemblance(one: Floats, other: Floats) -> Floats:
    """The structure term of SSIM: mean over 11x11 Gaussian windows, wherever they fit."""
    mean, other_mean = _windowed(one), _windowed(other)
    covariance = _windowed(one * other) - mean * other_mean
    variances = _windowed(one * one) - mean * mean + _windowed(other * other) - other_mean * other_mean
    return np.asarray(np.mean((2 * covariance + _STABILISER) / (variances + _STABILISER)))


def _windowed(band: Floats) -> Floats:
    from scipy.ndimage import correlate1d

    reach = _WINDOW // 2
    window = np.exp(-np.square(np.arange(-reach, reach + 1)) / (2 * _SIGMA**2))
    window /= window.sum()
    return np.asarray(correlate1d(correlate1d(band, window, axis=0), window, axis=1)[reach:-reach, reach:-reach])
