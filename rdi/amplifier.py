"""The amplifier: how much a dark frame must be brightened, from its histogram (paper, Eq. 5).

The estimate weighs each normalised pixel value x by its bin (dark pixels count most) and brings the weighted mean to
1 %: `amplification = clip(m * 0.01 * sum(w) / sum(w * x), 1, 300)`. A raw frame has at most 65,536 distinct values, so
the sums run over its histogram instead of over 127 masks of the whole frame.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rdi.camera.photo import RawPhoto

BINS = 128  # n of Eq. 5: edges; 127 bins between them
LOWEST, HIGHEST = 1.0, 300.0
TARGET = 0.01
RAW_VALUES = 65_536

_BLOCK = 192  # rows counted at a time, a multiple of both periods: bincount's 64-bit copy of them stays in the cache

Counts = NDArray[np.int64]
Floats = NDArray[np.float32]


class MConvention(StrEnum):
    """Where the factor m enters Eq. 5; the paper's training and its demo differ, and the two must not be mixed."""

    BEFORE_CLIP = "before-clip"  # training: clip(m * estimate, 1, 300)
    AFTER_CLIP = "after-clip"  # the authors' demo: m * clip(estimate, 1, 300), so it can pass 300


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often each raw value occurs at each CFA site.

    counts: (sites, 65536), pixels of the visible frame
    """

    counts: Counts

    @property
    def pixels(self) -> int:
        """How many pixels were counted."""
        return int(self.counts.sum())


def count_raw_values(photo: RawPhoto) -> Histogram:
    """Count the raw values of a photo's visible frame, site by site."""
    period, sites = photo.cfa.period, photo.cfa.sites
    counts = np.zeros((sites, RAW_VALUES), dtype=np.int64)
    used = int(photo.mosaic.max()) + 1
    for first in range(0, photo.height, _BLOCK):
        rows = photo.mosaic[first : first + _BLOCK]
        for site, (row, column) in enumerate(np.ndindex(period, period)):
            counts[site, :used] += np.bincount(rows[row::period, column::period].ravel(), minlength=used)
    return Histogram(counts)


def normalised_values(black: float, white: float) -> Floats:
    """x of each raw value, (65536,) float32: max(raw - black, 0) / (white - black), not clipped above.

    A real float32 division: multiplying by the reciprocal moves x = 1 into the last bin for some levels.
    """
    raw = np.arange(RAW_VALUES, dtype=np.float32)
    span = np.float32(white) - np.float32(black)
    return np.asarray(np.maximum(raw - np.float32(black), 0) / span, dtype=np.float32)


def bin_edges() -> Floats:
    """b_k = (2^(8k/127) - 1) / 255 for k = 0..127, float32."""
    k = np.arange(BINS, dtype=np.float64)
    return ((np.exp2(8 * k / (BINS - 1)) - 1) / 255).astype(np.float32)


def bin_weights() -> Floats:
    """w_k = 10^(-5k/126) for the bins k = 0..126, float32; dark bins weigh most."""
    k = np.arange(BINS - 1, dtype=np.float64)
    return np.power(10.0, -5 * k / (BINS - 2)).astype(np.float32)


def weights_of(x: Floats) -> Floats:
    """The weight of each normalised value, same shape; 0 for x >= 1."""
    weights = np.append(bin_weights(), np.float32(0))
    return np.asarray(weights[bins_of(x)], dtype=np.float32)


def bins_of(x: Floats) -> NDArray[np.int64]:
    """The bin of each normalised value, 0 to 126, same shape; 127 for x >= 1."""
    return np.minimum(np.searchsorted(bin_edges(), x, side="right") - 1, BINS - 1)


def count_bins(histogram: Histogram, black_level: NDArray[np.float64], white_level: float) -> Counts:
    """How many pixels fall into each bin, (128,); the last counts those at white or above, which no bin holds."""
    counts = np.zeros(BINS, dtype=np.int64)
    for black in np.unique(black_level):
        bins, of_black = bins_of(normalised_values(black, white_level)), histogram.counts[black_level == black]
        counts += np.bincount(bins, weights=of_black.sum(axis=0), minlength=BINS).astype(np.int64)
    return counts


@dataclass(frozen=True)
class WeightedSums:
    """All that Eq. 5 needs of a frame, so that an estimate for another m costs nothing.

    total:    sum(w) over the frame's pixels
    weighted: sum(w * x)
    """

    total: float
    weighted: float

    def amplification(self, m: float, convention: MConvention = MConvention.BEFORE_CLIP) -> float:
        """The estimate for one m; in [1, 300], or times m of it where m comes after the clip."""
        inner, outer = (m, 1.0) if convention is MConvention.BEFORE_CLIP else (1.0, m)
        return outer * _clip(inner * TARGET, self.total, self.weighted)


def weighted_sums(histogram: Histogram, black_level: NDArray[np.float64], white_level: float) -> WeightedSums:
    """The sums of Eq. 5 over a frame.

    black_level: (sites,) DN, in the order of the histogram's rows
    """
    total, weighted = 0.0, 0.0
    for black in np.unique(black_level):
        counts = histogram.counts[black_level == black].sum(axis=0)
        x = normalised_values(black, white_level)
        weight = counts * weights_of(x).astype(np.float64)
        total += float(weight.sum())
        weighted += float((weight * x).sum())
    return WeightedSums(total, weighted)


def estimate_amplification(
    histogram: Histogram,
    black_level: NDArray[np.float64],
    white_level: float,
    m: float,
    convention: MConvention = MConvention.BEFORE_CLIP,
) -> float:
    """Estimate how much to amplify a dark frame (paper, Eq. 5).

    black_level: (sites,) DN, in the order of the histogram's rows
    returns:     factor in [1, 300] (times m, after the clip); 300 for a black frame, 1 for one without a pixel below
                 white
    """
    return weighted_sums(histogram, black_level, white_level).amplification(m, convention)


def _clip(target: float, total: float, weighted: float) -> float:
    """target * total / weighted in [1, 300]; without weight (all white) 1, without light (all black) 300."""
    if total == 0:
        return LOWEST
    if weighted == 0:
        return HIGHEST
    return min(max(target * total / weighted, LOWEST), HIGHEST)
