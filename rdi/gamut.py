"""Gamut mapping: what a camera saw and sRGB cannot show is brought inside, smoothly and towards the neutral axis.

A sensor sees colours beyond sRGB's primaries, and lamps beyond its white. Clipping each channel turns both into flat
areas of primary colours. Here a colour keeps its intensity n = (R + G + B) / 3 and the direction in which it lies from
the neutral axis (hue and intensity of the HSI model), and gives up saturation: with d = (R, G, B) - n,

    q = max(max(-d) / n, max(d) / (1 - n))      the way from the axis to the hull of the cube; 1 on the hull
    f(q) = q                                    up to the knee t = 0.8
    f(q) = t + (1 - t) v / (1 + v)              beyond, v = (q - t) / (1 - t)
    (R, G, B)' = n + d f(q) / q

f is monotone, has slope 1 at the knee and stays below 1: the curve of the ACES Reference Gamut Compression (ACES 1.3)
with power 1 and a limit of infinity (there 1.2, and a finite limit for each channel), on one distance for all channels,
where that one treats each channel apart and so turns hues. A colour of intensity 1 and more becomes white, as light
that saturates every site does. The intensity is the mean and not the luminance, in which blue counts 0.07: that would
leave dark blues on the hull. docs/colours.md has the angles by which hues turn, and what becomes of bright ones.

`strength` s bounds what is undone: q counts up to t / (1 - s) only. At 0 nothing is, and the curve clips.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

KNEE = 0.8  # share of the way to the hull up to which colours stay as they are
NEAREST = 1e-4  # that an intensity gets to black and white, where the hull has no width left
FARTHEST = 1e9  # q of a colour without bound, for a strength of 1


def compress_gamut(linear: Floats, strength: float = 1.0) -> Floats:
    """Linear sRGB (..., 3), of any values, with less saturation where it lies near or beyond the hull.

    strength: 0 (nothing changes) to 1 (every colour of an intensity between 0 and 1 ends within the cube)
    """
    if strength == 0:
        return linear
    # Channel by channel: numpy's reductions over an axis of three are ten times as slow.
    red, green, blue = (linear[..., channel : channel + 1] for channel in range(3))
    intensity = (red + green + blue) / np.float32(3)
    within = np.clip(intensity, np.float32(NEAREST), np.float32(1 - NEAREST))
    low = (intensity - np.minimum(np.minimum(red, green), blue)) / within
    high = (np.maximum(np.maximum(red, green), blue) - intensity) / (1 - within)
    kept = _kept(np.maximum(low, high), strength)
    return np.asarray(intensity + (linear - intensity) * kept, dtype=np.float32)


def farthest(strength: float) -> float:
    """The q up to which colours are compressed at a strength of 0 to 1."""
    return min(KNEE / max(1 - strength, KNEE / FARTHEST), FARTHEST)


def _kept(way: Floats, strength: float) -> Floats:
    """f(q) / q, in one fraction: f(q) = (q - t^2) / (q + 1 - 2 t)."""
    way = np.clip(way, np.float32(KNEE), np.float32(farthest(strength)))
    return np.asarray((way - np.float32(KNEE**2)) / (way * (way + np.float32(1 - 2 * KNEE))), dtype=np.float32)
