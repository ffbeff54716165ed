"""Bicubic resizing as MATLAB's `imresize` does it: with antialiasing, mirrored at the borders, not rounded.

NIQE's and Ma's published parameters were learnt on pictures that were resized so.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SUPPORT = 4  # of the cubic kernel, pixels


def resize(picture: Floats, shape: tuple[int, int]) -> Floats:
    """Resize (H, W) to another shape; where height and width stay, it is the picture itself."""
    if picture.shape == shape:
        return picture
    rows, columns = (_weights(old, new) for old, new in zip(picture.shape, shape, strict=True))
    return np.ascontiguousarray((columns @ (rows @ picture).T).T)


def _weights(old: int, new: int) -> Any:
    """(new, old) sparse matrix: the share of each old pixel in each new one; rows sum to 1."""
    from scipy.sparse import csr_array

    scale = new / old
    stretch = min(scale, 1.0)  # a smaller picture is made with a wider kernel: antialiasing
    taps = int(np.ceil(_SUPPORT / stretch)) + 2
    centre = (np.arange(new) + 0.5) / scale - 0.5
    sources = (np.floor(centre - _SUPPORT / stretch / 2)[:, None] + np.arange(taps)).astype(np.int64)
    shares = _cubic(stretch * (centre[:, None] - sources))
    shares /= shares.sum(axis=1, keepdims=True)
    mirrored = sources % (2 * old)
    mirrored = np.where(mirrored < old, mirrored, 2 * old - 1 - mirrored)
    places = np.repeat(np.arange(new), taps)
    return csr_array((shares.ravel(), (places, mirrored.ravel())), shape=(new, old))


def _cubic(distance: Floats) -> Floats:
    """Keys' kernel with a = -0.5."""
    x = np.abs(distance)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))
