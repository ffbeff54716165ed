"""Local frequency features (paper, section 3.1): statistics of the DCT of overlapping 7x7 blocks."""

import math

import numpy as np
from numpy.typing import NDArray

from rdi.metrics.ma.gaussian_shape import gaussian_shape

Floats = NDArray[np.float64]

_STEP, _BORDER = 3, 2  # blocks of 3x3 with two pixels around: 7x7
_SIDE = _STEP + 2 * _BORDER
_ROWS_AT_ONCE = 64  # rows of blocks: 4000 pixels wide, they are 40 MB
# Coefficients by direction: mostly horizontal, diagonal and mostly vertical ones; (row, first column, end) each.
_HORIZONTAL = ((0, 1, 7), (1, 2, 7), (2, 4, 7), (3, 5, 7))
_DIAGONAL = ((1, 1, 2), (2, 2, 4), (3, 2, 5), (4, 3, 7), (5, 4, 7), (6, 4, 7))


def block_features(picture: Floats) -> Floats:
    """(6,) of a (H, W) picture in [0, 1].

    Of the coefficients' shape the lowest tenth and all, of their variation and of its variance over directions the
    highest tenth and all: the mean of each.
    """
    shapes, variations, directions = (np.sort(values) for values in _statistics(picture))
    count = len(shapes)
    lowest, highest = slice(0, math.ceil(count * 0.1)), slice(max(int(count * 0.9) - 1, 0), None)
    pools = (shapes[lowest], shapes, variations[highest], variations, directions[highest], directions)
    return np.array([values.mean() for values in pools])


def _statistics(picture: Floats) -> tuple[Floats, Floats, Floats]:
    """Shape, variation and variance of the variation over three directions, of every block: (blocks,) each."""
    height, width = (-(-size // _STEP) for size in picture.shape)
    after = [
        (_BORDER, count * _STEP - size + _BORDER) for count, size in zip((height, width), picture.shape, strict=True)
    ]
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(picture, after), (_SIDE, _SIDE))[::_STEP, ::_STEP]
    found = [_of_blocks(windows[first : first + _ROWS_AT_ONCE]) for first in range(0, height, _ROWS_AT_ONCE)]
    shapes, variations, directions = (np.concatenate(part) for part in zip(*found, strict=True))
    return shapes, variations, directions


def _of_blocks(windows: Floats) -> tuple[Floats, Floats, Floats]:
    basis = _dct_basis()
    coefficients = basis @ windows.reshape(-1, _SIDE, _SIDE) @ basis.T
    flat = coefficients.reshape(-1, _SIDE * _SIDE)[:, 1:]  # without the mean
    magnitudes = np.abs(coefficients)
    columns = magnitudes.swapaxes(1, 2)
    directions = [
        _variation(_pick(source, rows), 1e-8)
        for source, rows in ((magnitudes, _HORIZONTAL), (magnitudes, _DIAGONAL), (columns, _HORIZONTAL))
    ]
    return gaussian_shape(flat), _variation(np.abs(flat), 1e-7), np.var(directions, axis=0, ddof=1)


def _pick(blocks: Floats, rows: tuple[tuple[int, int, int], ...]) -> Floats:
    return np.concatenate([blocks[:, row, first:end] for row, first, end in rows], axis=1)


def _variation(magnitudes: Floats, tiny: float) -> Floats:
    """Standard deviation over mean, along the last axis."""
    return np.asarray(magnitudes.std(axis=-1, ddof=1) / (magnitudes.mean(axis=-1) + tiny))


def _dct_basis() -> Floats:
    """(7, 7), orthonormal; row k is the cosine of frequency k."""
    k = np.arange(_SIDE)
    basis = np.cos(np.pi * (2 * k + 1) * k[:, None] / (2 * _SIDE)) * np.sqrt(2 / _SIDE)
    basis[0] /= np.sqrt(2)
    return np.asarray(basis)
