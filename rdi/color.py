"""Colour: tone curves, and the matrices between sRGB and a camera's own colours.

The curve is LibRaw's default, BT.709's: simulation, training targets, rendering and evaluation all use it, so that
pictures compare with rawpy's; a model whose output is camera RGB may be exported with another one. Primaries are sRGB's
(which are BT.709's), white is D65.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rdi.errors import LevelsError
from rdi.model_kinds import Curve

Floats = NDArray[np.float32]

# IEC 61966-2-1: linear sRGB to CIE XYZ (D65).
XYZ_FROM_SRGB = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)

LARGEST_ENTRY = 1e6  # of a camera's colour matrix; published ones have 2 at most, or 20,000 where they are times 10,000

BLOCK = 16_384  # pixels that are multiplied by a matrix at a time

ILLUMINANT_A = np.array([1.0985, 1.0, 0.35585])  # CIE 15: XYZ of tungsten light

# Sony ILCE-7SM2, CIE XYZ (D65) to camera RGB: the matrix Adobe publishes in DNG files, as LibRaw's colour table has it.
A7S2_CAMERA_FROM_XYZ = np.array([[0.5838, -0.1430, -0.0246], [-0.3497, 1.1477, 0.2297], [-0.0748, 0.1885, 0.5778]])

# ITU-R BT.709, item 1.2: linear below the knee, a power above. There these numbers are rounded to 0.018 and 1.099,
# which leaves a step of 0.06/255 at the knee; BT.2020 gives more digits, and LibRaw works them out: no step, no kink.
KNEE = 0.018053968510807
SLOPE, SCALE, OFFSET, POWER = 4.5, 1.09929682680944, 0.09929682680944, 0.45


class Tone(NamedTuple):
    """A tone curve: slope * x below the knee, scale * x^power - offset above."""

    knee: float
    slope: float
    scale: float
    offset: float
    power: float


TONES = {
    Curve.BT709: Tone(KNEE, SLOPE, SCALE, OFFSET, POWER),
    Curve.SRGB: Tone(0.0031308, 12.92, 1.055, 0.055, 1 / 2.4),
}


def encode(linear: Floats, curve: Curve = Curve.BT709) -> Floats:
    """Linear light in [0, 1] to code values in [0, 1]; any shape, values outside are clipped."""
    tone, x = TONES[curve], np.clip(linear, 0.0, 1.0)
    above = tone.scale * np.power(np.maximum(x, tone.knee), tone.power) - tone.offset
    return np.where(x < tone.knee, tone.slope * x, above).astype(np.float32)


def decode(code: Floats, curve: Curve = Curve.BT709) -> Floats:
    """Code values in [0, 1] to linear light in [0, 1]; the inverse of `encode`."""
    tone, y = TONES[curve], np.clip(code, 0.0, 1.0)
    above = np.power((y + tone.offset) / tone.scale, 1 / tone.power)
    return np.where(y < tone.slope * tone.knee, y / tone.slope, above).astype(np.float32)


def camera_from_srgb(camera_from_xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear sRGB to white-balanced camera RGB, (3, 3), rows summing to 1: white stays white.

    camera_from_xyz: (3, 3), D65, as DNG's ColorMatrix2 and LibRaw's `rgb_xyz_matrix` give it
    """
    given = np.asarray(camera_from_xyz, dtype=np.float64)
    matrix = np.where(np.abs(given) <= LARGEST_ENTRY, given, np.nan) @ XYZ_FROM_SRGB  # inf would be a warning, too
    sums = matrix.sum(axis=1, keepdims=True)
    if not np.isfinite(matrix).all() or (sums <= 0).any() or abs(np.linalg.det(matrix / sums)) < 1e-4:
        raise LevelsError(f"the camera's colour matrix {np.round(camera_from_xyz, 4).tolist()} cannot be inverted")
    return np.asarray(matrix / sums, dtype=np.float64)


def srgb_from_camera(camera_from_xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """White-balanced camera RGB to linear sRGB, (3, 3), rows summing to 1; inverse of `camera_from_srgb`."""
    return np.asarray(np.linalg.inv(camera_from_srgb(camera_from_xyz)), dtype=np.float64)


def daylight_gains(camera_from_xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """White-balance gains (3,), green = 1, that make D65 daylight neutral on this camera."""
    return neutral_gains(camera_from_xyz, XYZ_FROM_SRGB.sum(axis=1))


def tungsten_gains(camera_from_xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """White-balance gains (3,), green = 1, that make a tungsten lamp (CIE illuminant A, 2856 K) neutral."""
    return neutral_gains(camera_from_xyz, ILLUMINANT_A)


def neutral_gains(camera_from_xyz: NDArray[np.float64], white: NDArray[np.float64]) -> NDArray[np.float64]:
    """White-balance gains (3,), green = 1, that make a light of CIE XYZ `white` (3,) neutral."""
    neutral = np.asarray(camera_from_xyz, dtype=np.float64) @ white
    with np.errstate(divide="ignore", invalid="ignore"):  # a matrix without neutral light: `RawPhoto` refuses its gains
        return np.asarray(neutral[1] / neutral, dtype=np.float64)


def apply_matrix(picture: Floats, matrix: NDArray[np.float64]) -> Floats:
    """Multiply each pixel of (H, W, 3) by a (3, 3) matrix."""
    # As products of two matrices: numpy would make one for each row of the picture, seven times slower. In blocks too
    # small for BLAS to share with other threads: where those are busy, as beside a training process, it waits for them.
    pixels, factors = picture.reshape(-1, 3), matrix.T.astype(np.float32)
    product = np.empty(pixels.shape, dtype=np.float32)
    for start in range(0, len(pixels), BLOCK):
        np.matmul(pixels[start : start + BLOCK], factors, out=product[start : start + BLOCK])
    return product.reshape(picture.shape)
