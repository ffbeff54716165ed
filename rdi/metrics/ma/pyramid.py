"""The steerable pyramid: a picture in subbands of two scales and six orientations, by its Fourier transform.

Simoncelli and Freeman, "The steerable pyramid", ICIP 1995; the masks are those of the authors' toolbox.
"""

from math import factorial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

ORIENTATIONS = 6
SCALES = 2
_ORDER = ORIENTATIONS - 1
_STEPS = 256  # of the radial table: the toolbox interpolates between its entries, and so does this


class Pyramid:
    """Subbands of a picture.

    high:  (H, W) residual: what is finer than the first scale
    bands: six orientations of each scale, the first in full size, the second in half (rounded up)
    """

    def __init__(self, picture: Floats) -> None:
        from scipy.fft import fft2, fftshift

        spectrum = fftshift(fft2(picture))
        radius, angle = _polar(picture.shape)
        self.high = _back(spectrum * _radial(radius, 0.0))
        low = spectrum * _radial(radius, 0.0, low=True)
        self.bands: list[list[Floats]] = []
        for scale in range(1, SCALES + 1):
            self.bands.append(_orientations(low, radius, angle, scale))
            inner = tuple(_inner(size) for size in low.shape)
            radius, angle = radius[inner], angle[inner]
            low = low[inner] * _radial(radius, float(scale), low=True)


def _polar(shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """Octaves above or below half the sampling rate, and direction, of each frequency; the mean is in the middle."""
    y, x = ((np.arange(size) - size // 2) / (size / 2) for size in shape)
    radius = np.hypot(*np.meshgrid(y, x, indexing="ij"))
    middle = shape[0] // 2, shape[1] // 2
    radius[middle] = radius[middle[0], middle[1] - 1]  # no logarithm of zero
    return np.log2(radius), np.arctan2(y[:, None], x)


def _radial(radius: Floats, octaves: float, *, low: bool = False) -> Floats:
    """The mask that passes what is finer (or, with `low`, coarser) than a scale: half a cosine over an octave."""
    phase = np.pi * np.arange(-_STEPS - 1, 2) / (2 * _STEPS)
    passed = np.cos(phase) ** 2
    passed[0], passed[-1] = passed[1], passed[-2]
    if low:
        passed = 1 - passed
    return np.asarray(np.interp(radius, 2 / np.pi * phase - octaves, np.sqrt(passed)))


def _orientations(spectrum: Complexes, radius: Floats, angle: Floats, scale: int) -> list[Floats]:
    gain = np.sqrt(2.0 ** (2 * _ORDER) * factorial(_ORDER) ** 2 / (ORIENTATIONS * factorial(2 * _ORDER)))
    ring = (-1j) ** _ORDER * spectrum * _radial(radius, float(scale))
    return [
        _back(ring * (gain * np.cos(angle - np.pi * index / ORIENTATIONS) ** _ORDER)) for index in range(ORIENTATIONS)
    ]


def _back(spectrum: Complexes) -> Floats:
    from scipy.fft import ifft2, ifftshift

    return np.ascontiguousarray(ifft2(ifftshift(spectrum), overwrite_x=True).real)


def _inner(size: int) -> slice:
    """The lower half of the frequencies along one axis, the mean in its middle."""
    half = (size + 1) // 2
    first = size // 2 - half // 2
    return slice(first, first + half)
