"""Ma's metric: how good people would find a picture, 0 to 10, by forests that were trained on their votes.

Ma, Yang, Yang and Yang, "Learning a no-reference quality metric for single-image super-resolution", CVIU 2017. Written
from the paper and from what the authors' program does where the paper is silent; the features equal those that the
authors' program gives (the tests keep some). The forests are theirs: a file that the user brings.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rdi.metrics.bicubic import Floats
from rdi.metrics.ma.blocks import block_features
from rdi.metrics.ma.forest import Forest, read_forests
from rdi.metrics.ma.patches import patch_features
from rdi.metrics.ma.wavelets import wavelet_features

SMALLEST = 48  # pixels: below it nothing is left of the second scale's subbands
_SCALES = 3


class MaMetric:
    """The metric with the forests of one file.

    file: the authors' `model.mat`, or pyiqa's `NRQM_model.mat`, which is the same
    Raises InputError for any other, MissingPackageError without the `eval` extra.
    """

    def __init__(self, file: Path) -> None:
        self._forests, self._linear = read_forests(file)

    def __call__(self, grey: Floats) -> float | None:
        """The score of a picture, higher is better; None where it is smaller than 48x48.

        grey: (H, W) whole numbers in [0, 255]; the authors' program takes MATLAB's rgb2gray (`Grey.GREY`)
        """
        if min(grey.shape) < SMALLEST:
            return None
        return combine(self._forests, self._linear, features(grey))


def features(grey: Floats) -> tuple[Floats, Floats, Floats]:
    """What the three forests look at: (18,) of blocks, (45,) of wavelets, (75,) of patches."""
    scales = [grey / 255]
    while len(scales) < _SCALES:
        scales.append(_halved(scales[-1]))
    return (
        np.concatenate([block_features(scale) for scale in scales]),
        wavelet_features(grey),
        np.concatenate([patch_features(scale) for scale in scales]),
    )


def combine(forests: tuple[Forest, ...], linear: NDArray[np.float64], found: tuple[Floats, ...]) -> float:
    """Second stage (paper, Eq. 8): a linear combination of what the forests say."""
    scores = [forest.predict(values) for forest, values in zip(forests, found, strict=True)]
    return float(linear @ [1.0, *scores])


def _halved(picture: Floats) -> Floats:
    """Smoothed with a 3x3 Gaussian (sigma 0.5, zeros beyond the border); every second pixel, from the second on."""
    from scipy.ndimage import correlate1d

    window = np.exp(-np.array([1.0, 0.0, 1.0]) / (2 * 0.5**2))
    window /= window.sum()
    smooth = correlate1d(correlate1d(picture, window, axis=0, mode="constant"), window, axis=1, mode="constant")
    return np.asarray(smooth[1::2, 1::2])
