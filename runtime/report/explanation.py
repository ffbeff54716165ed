"""Why a photo was amplified as it was, in numbers: what the amplifier saw and what it made of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rdi.amplifier import MConvention, count_bins, count_raw_values, weighted_sums
from rdi.camera.photo import RawPhoto
from rdi.metadata import ModelMetadata
from rdi.runtime.exposure import Amplification, amplification_limit, burnt_share, input_gains


@dataclass(frozen=True, eq=False)
class Explanation:
    """The amplifier's view of a photo.

    amplification: what was chosen
    m, convention: the model's factor in Eq. 5, and where it enters
    shares:        (127,) of all pixels that fall into each bin
    at_white:      share of all pixels at the white level or above: no bin holds them
    mean:          the weighted mean of x; None where no pixel has weight
    limit:         the largest factor that burns out at most 1 % of the pixels below white; inf where there is none
    burnt:         share of the pixels below white that the factor makes brighter than white
    burnt_by_estimate: the same for Eq. 5's own factor; None where it was not asked
    gains:         (3,) largest white balance gains that the limit had to regard: red, green, blue
    """

    amplification: Amplification
    m: float
    convention: MConvention
    shares: NDArray[np.float64]
    at_white: float
    mean: float | None
    limit: float
    burnt: float
    burnt_by_estimate: float | None
    gains: tuple[float, ...]


def explain(photo: RawPhoto, model: ModelMetadata, amplification: Amplification) -> Explanation:
    """Look at a photo once more as the amplifier did, and keep what it saw.

    photo: with the white balance that it was restored with
    """
    histogram, gains = count_raw_values(photo), input_gains(photo, model)
    counts = count_bins(histogram, photo.black_level, photo.white_level)
    sums = weighted_sums(histogram, photo.black_level, photo.white_level)
    estimate = amplification.estimate
    return Explanation(
        amplification,
        model.m,
        model.m_convention,
        counts[:-1] / counts.sum(),
        float(counts[-1] / counts.sum()),
        sums.weighted / sums.total if sums.total else None,
        amplification_limit(histogram, photo, gains),
        burnt_share(histogram, photo, gains, amplification.value),
        None if estimate is None else burnt_share(histogram, photo, gains, estimate),
        tuple(photo.white_balance.tolist()),
    )
