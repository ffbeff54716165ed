"""The ColorChecker Classic, 24 patches of published colours, seen in near darkness through cameras' colour matrices.

Noise and levels are those of the quality protocol's sensor: it is colours that are to be compared, and the noise of
small pixels, cut off at black, has a colour of its own.
"""

import numpy as np
from numpy.typing import NDArray

from rdi import color
from rdi.camera.photo import RawPhoto
from rdi.noise import ReadNoise
from rdi.simulate import Exposure, Sensor, take

Array = NDArray[np.float64]

# Name and 8-bit sRGB (IEC 61966-2-1) of each patch, row by row, as its maker publishes them (X-Rite, "Colorimetric
# values for ColorChecker family of targets"; also D. Pascale, "RGB coordinates of the Macbeth ColorChecker", 2006).
PATCHES = {
    "dark skin": (115, 82, 68),
    "light skin": (194, 150, 130),
    "blue sky": (98, 122, 157),
    "foliage": (87, 108, 67),
    "blue flower": (133, 128, 177),
    "bluish green": (103, 189, 170),
    "orange": (214, 126, 44),
    "purplish blue": (80, 91, 166),
    "moderate red": (193, 90, 99),
    "purple": (94, 60, 108),
    "yellow green": (157, 188, 64),
    "orange yellow": (224, 163, 46),
    "blue": (56, 61, 150),
    "green": (70, 148, 73),
    "red": (175, 54, 60),
    "yellow": (231, 199, 31),
    "magenta": (187, 86, 149),
    "cyan": (8, 133, 161),
    "white": (243, 243, 242),
    "neutral 8": (200, 200, 200),
    "neutral 6.5": (160, 160, 160),
    "neutral 5": (122, 122, 121),
    "neutral 3.5": (85, 85, 85),
    "black": (52, 52, 52),
}
COLUMNS = 6
SIDE = 160  # pixels of a patch: five of the network's widest blocks
FRAME = 32  # black around each
MEASURED = 96  # in its middle
BLACK_FRAME = 0.01  # of white


def patch_colours() -> Array:
    """Linear sRGB of the patches, (24, 3)."""
    code = np.array([*PATCHES.values()]) / 255
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def draw_chart() -> NDArray[np.float32]:
    """The chart in linear sRGB, (H, W, 3): patches on black."""
    rows = len(PATCHES) // COLUMNS
    pitch = SIDE + FRAME
    picture = np.full((rows * pitch + FRAME, COLUMNS * pitch + FRAME, 3), BLACK_FRAME, dtype=np.float32)
    for number, colour in enumerate(patch_colours()):
        top, left = (FRAME + place * pitch for place in divmod(number, COLUMNS))
        picture[top : top + SIDE, left : left + SIDE] = colour
    return picture


def photograph_chart(camera: Sensor, iso: float, ratio: float, seed: int = 0) -> RawPhoto:
    """The chart in daylight, taken in the dark with the colours of a camera, balance of D65.

    Raises UsageError for an ISO or ratio out of range.
    """
    sensor = Sensor(cfa=camera.cfa).with_colours_of(camera)
    seen = np.maximum(color.apply_matrix(draw_chart(), sensor.camera_from_srgb), 0.0)
    return take(seen, sensor, Exposure(iso, ratio, sensor.daylight), ReadNoise.TUKEY_LAMBDA, seed)


def read_patches(picture: NDArray[np.float32]) -> Array:
    """What a picture of the chart shows: linear sRGB of each patch, (24, 3), the mean light of its middle.

    picture: (H, W, 3) sRGB with the curve of `rdi.color`
    """
    margin, pitch = (SIDE - MEASURED) // 2, SIDE + FRAME
    means = []
    for number in range(len(PATCHES)):
        top, left = (FRAME + place * pitch + margin for place in divmod(number, COLUMNS))
        light = color.decode(picture[top : top + MEASURED, left : left + MEASURED])
        means.append(light.mean(axis=(0, 1), dtype=np.float64))
    return np.array(means)
