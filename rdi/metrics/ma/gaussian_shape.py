"""The shape of a generalised Gaussian by its moments: 2 for a Gaussian, 1 for a Laplacian."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SHAPES = 0.03 + 0.001 * np.arange(9971)
_TINY = 1e-7


def gaussian_shape(values: Floats) -> Floats:
    """Shape along the last axis, from 0.03 to 10 in steps of 0.001; 10 where all values are equal: (..., N) -> (...).

    The one whose E x^2 / (E |x|)^2 is nearest.
    """
    centred = values - values.mean(axis=-1, keepdims=True)
    variance = np.square(centred).sum(axis=-1) / (values.shape[-1] - 1)
    ratio = variance / (np.square(np.abs(centred).mean(axis=-1)) + _TINY)
    ascending = _ratios()[::-1]
    above = np.clip(np.searchsorted(ascending, ratio), 1, len(ascending) - 1)
    nearest = above - (ratio - ascending[above - 1] < ascending[above] - ratio)
    return np.asarray(_SHAPES[len(ascending) - 1 - nearest])


@cache
def _ratios() -> Floats:
    """E x^2 / (E |x|)^2 of each shape, descending."""
    from scipy.special import gammaln

    return np.asarray(np.exp(gammaln(1 / _SHAPES) + gammaln(3 / _SHAPES) - 2 * gammaln(2 / _SHAPES)))
