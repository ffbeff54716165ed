"""NIQE: how far a picture's statistics are from those of natural pictures; needs no reference, lower is better.

Mittal, Soundararajan and Bovik, "Making a 'Completely Blind' Image Quality Analyzer", IEEE SPL 2013. Written from the
paper; the parameters of natural pictures are the published ones (`niqe_pris_params.npz`, see NOTICE.md). basicsr 1.4.2
gives the same within 1e-4: the tests keep its figures.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from rdi.errors import MissingPackageError
from rdi.extras import install_hint
from rdi.metrics.bicubic import resize

Floats = NDArray[np.float64]

BLOCK = 96  # pixels; what the published parameters were learnt with
SCALES = 2
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))  # neighbours whose products are looked at
_SHAPES = np.arange(0.2, 10.001, 0.001)  # of generalised Gaussians, among which the best is taken


def niqe(grey: Floats) -> float | None:
    """Natural Image Quality Evaluator of a picture; lower is better, photos have 2 to 6.

    grey:    (H, W) whole numbers in [0, 255], as `rdi.metrics.grey.to_grey` gives them
    returns: the distance; None where the picture has less than two blocks of 96x96 with structure in them
    Raises MissingPackageError without the `eval` extra.
    """
    rows, columns = (size // BLOCK for size in grey.shape)
    if rows * columns < 2:
        return None
    picture = grey[: rows * BLOCK, : columns * BLOCK]
    features = [_features(_normalised(picture), BLOCK)]
    picture = resize(picture / 255, (rows * BLOCK // 2, columns * BLOCK // 2)) * 255
    features.append(_features(_normalised(picture), BLOCK // 2))
    return _distance(np.concatenate(features, axis=1), _natural())


@dataclass(frozen=True, eq=False)
class _Natural:
    """Of natural pictures: mean (36,) and covariance (36, 36) of the features, and the window of the local mean."""

    mean: Floats
    covariance: Floats
    window: Floats


@cache
def _natural() -> _Natural:
    with (files("rdi.metrics") / "niqe_pris_params.npz").open("rb") as file, np.load(file) as stored:
        # The window is the outer product of its own sums: two passes of 7 pixels in place of one of 49.
        return _Natural(stored["mu_pris_param"][0], stored["cov_pris_param"], stored["gaussian_window"].sum(axis=0))


def _normalised(picture: Floats) -> Floats:
    """Contrast without brightness (paper, Eq. 1): (x - local mean) / (local deviation + 1)."""
    single: NDArray[np.float32] = picture.astype(
        np.float32
    )  # in float64, rounding would give flat areas a sign, and that counts
    mean = _smooth(single)
    deviation = np.sqrt(np.abs(_smooth(np.square(single)) - np.square(mean)))
    return np.asarray((single - mean) / (deviation + 1), dtype=np.float64)


def _smooth(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    try:
        from scipy.ndimage import correlate1d
    except ModuleNotFoundError as error:
        raise MissingPackageError(f"NIQE needs scipy: {install_hint('eval')}") from error
    window = _natural().window
    return np.asarray(correlate1d(correlate1d(picture, window, axis=0, mode="nearest"), window, axis=1, mode="nearest"))


def _features(picture: Floats, side: int) -> Floats:
    """(blocks, 18): shape and spread of each block's values, and of the products of neighbours (paper, Eq. 7)."""
    rows, columns = (size // side for size in picture.shape)
    bands = picture.reshape(rows, side, columns, side).swapaxes(1, 2)
    # A row of blocks at a time: all of them would be six more arrays of the picture's size.
    return np.concatenate([_features_of(np.ascontiguousarray(blocks)) for blocks in bands])


def _features_of(blocks: Floats) -> Floats:
    shape, left, right, _ = _fit(blocks)
    found = [shape, (left + right) / 2]
    for shift in _SHIFTS:
        found += _pair_features(blocks * np.roll(blocks, shift, axis=(1, 2)))
    return np.stack(found, axis=1)


def _pair_features(products: Floats) -> list[Floats]:
    """Shape, mean (Eq. 8), left and right spread, (blocks,) each."""
    shape, left, right, mean_over_spread = _fit(products)
    return [shape, (right - left) * mean_over_spread, left, right]


def _fit(blocks: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Fit an asymmetric generalised Gaussian to each block by its moments.

    returns: shape, left and right spread, and Gamma(2/shape) / Gamma(1/shape); nan for a block without values on both
             sides of zero
    """
    flat = blocks.reshape(len(blocks), -1)
    with np.errstate(invalid="ignore", divide="ignore"):
        left, right = (_root_mean_square(flat, side) for side in (flat < 0, flat > 0))
        lopsided = left / right
        kurtosis = np.abs(flat).mean(axis=1) ** 2 / np.square(flat).mean(axis=1)
        kurtosis *= (lopsided**3 + 1) * (lopsided + 1) / (lopsided**2 + 1) ** 2
    table, spreads, means = _gamma_tables()
    best = _nearest(table, kurtosis)
    unknown = np.where(np.isfinite(kurtosis), 1.0, np.nan)
    return _SHAPES[best] * unknown, left * spreads[best], right * spreads[best], means[best]


def _root_mean_square(values: Floats, where: NDArray[np.bool_]) -> Floats:
    """Of the values where asked, row by row; nan where there are none."""
    return np.asarray(np.sqrt(np.sum(np.square(values), axis=1, where=where) / where.sum(axis=1)))


@cache
def _gamma_tables() -> tuple[Floats, Floats, Floats]:
    """For each shape: E|x|^2 / E x^2 (ascending), spread per standard deviation, mean per spread."""
    from scipy.special import gamma

    one, two, three = (gamma(k / _SHAPES) for k in (1, 2, 3))
    return two**2 / (one * three), np.sqrt(one / three), two / one


def _nearest(ascending: Floats, values: Floats) -> NDArray[np.intp]:
    above = np.clip(np.searchsorted(ascending, values), 1, len(ascending) - 1)
    return above - (values - ascending[above - 1] <= ascending[above] - values)


def _distance(features: Floats, natural: _Natural) -> float | None:
    """Between the Gaussians of this picture's features and of natural ones (paper, Eq. 10)."""
    whole = features[~np.isnan(features).any(axis=1)]
    if len(whole) < 2:
        return None
    mean = np.nanmean(features, axis=0)
    pooled = (natural.covariance + np.cov(whole, rowvar=False)) / 2
    offset = natural.mean - mean
    return float(np.sqrt(offset @ np.linalg.pinv(pooled) @ offset))
