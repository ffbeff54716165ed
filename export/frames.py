"""Frames that a graph is tested with: each is made to show another kind of mistake."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rdi.camera.cfa import Cfa
from rdi.camera.photo import DEFAULT_CAMERA_TO_SRGB
from rdi.metadata import Rendering

Floats = NDArray[np.float64]
Mosaic = NDArray[np.uint16]
Pattern = Callable[[int, int, np.random.Generator], Floats]

# No camera's: rows that sum to 1, and large cross terms, so that exchanged rows, columns or colours show.
UNUSUAL_MATRIX = np.array([[2.1, -0.8, -0.3], [-0.4, 1.9, -0.5], [0.2, -1.1, 1.9]])
BORDER = 5  # pixels of the bright frame: more than the widest kernel reaches beyond the edge


@dataclass(frozen=True, eq=False)
class Settings:
    """What a graph is given beside the mosaic.

    black_level, gains: (sites,), in raster order
    white_level:        DN
    camera_to_srgb:     (3, 3); this and
    gamut_compression:  count for a network that gives camera RGB only
    """

    black_level: Floats
    white_level: float
    gains: Floats
    camera_to_srgb: Floats = field(default_factory=lambda: DEFAULT_CAMERA_TO_SRGB)
    gamut_compression: float = 1.0

    def inputs(self, rendering: Rendering) -> dict[str, NDArray[np.float32]]:
        """By the names of the graph's inputs."""
        values = {"black_level": self.black_level, "white_level": self.white_level, "gains": self.gains}
        levels = {name: np.asarray(value, dtype=np.float32) for name, value in values.items()}
        return levels | self.rendering_inputs(rendering)

    def rendering_inputs(self, rendering: Rendering) -> dict[str, NDArray[np.float32]]:
        """Those that only a network that gives camera RGB has."""
        if rendering is not Rendering.CAMERA:
            return {}
        values = {"camera_to_srgb": self.camera_to_srgb, "gamut_compression": self.gamut_compression}
        return {name: np.asarray(value, dtype=np.float32) for name, value in values.items()}


def random(height: int, width: int, generator: np.random.Generator) -> Floats:
    """Every pixel for itself, with a few below black and a few beyond white: any wrong weight or order shows."""
    signal = generator.random((height, width))
    signal[generator.random((height, width)) < 0.01] = -0.5
    signal[generator.random((height, width)) < 0.01] = 1.5
    return signal


def ramp(height: int, width: int, _generator: np.random.Generator) -> Floats:
    """Brighter to the right and to the bottom: a shift or a flip shows."""
    return np.add.outer(0.7 * np.linspace(0, 1, height), 0.3 * np.linspace(0, 1, width))


def checker(height: int, width: int, _generator: np.random.Generator) -> Floats:
    """Fields of 1 pixel in the left half, of 8 in the right: wrong scales and phases show."""
    rows, columns = np.indices((height, width))
    fine = (rows + columns) % 2
    coarse = (rows // 8 + columns // 8) % 2
    return 0.1 + 0.6 * np.where(columns < width // 2, fine, coarse)


def impulse(height: int, width: int, generator: np.random.Generator) -> Floats:
    """Single bright pixels, corners and edges among them, on an even ground: the kernels themselves show."""
    signal = np.full((height, width), 0.15)
    signal[0, 0] = signal[-1, -1] = signal[0, -1] = signal[-1, 0] = 1.0
    signal[height // 2, 0] = signal[0, width // 2 + 1] = 1.0
    signal[generator.integers(0, height, 8), generator.integers(0, width, 8)] = 1.0
    return signal


def border(height: int, width: int, generator: np.random.Generator) -> Floats:
    """Bright at the edges, dim within: wrong padding shows."""
    signal = np.full((height, width), 0.05)
    for edge in (np.s_[:BORDER], np.s_[-BORDER:], np.s_[:, :BORDER], np.s_[:, -BORDER:]):
        signal[edge] = 0.4 + 0.4 * generator.random(signal[edge].shape)
    return signal


PATTERNS: dict[str, Pattern] = {
    "random": random,
    "ramp": ramp,
    "checker": checker,
    "impulse": impulse,
    "border": border,
}


def mosaic_of(signal: Floats, settings: Settings, cfa: Cfa, amplification: float) -> Mosaic:
    """The dark frame that becomes `signal` once it is normalised and amplified, rounded to whole DN.

    signal: (H, W), 1 = white; the darker the frame, the fewer values are left of it, as in a real one
    """
    black = cfa.tile(settings.black_level, *signal.shape)
    counted = black + signal / amplification * (settings.white_level - black)
    return np.clip(np.rint(counted), 0, 65535).astype(np.uint16)


def amplifier_frames(height: int, width: int, settings: Settings, generator: np.random.Generator) -> list[Mosaic]:
    """Frames (H, W) for the amplifier: dark, black, white, half white, one value, every raw value in turn."""
    white = settings.white_level
    black = int(settings.black_level.min())
    dark = black + generator.poisson(np.linspace(0.5, white / 50, height * width)).reshape(height, width)
    half = np.where(np.arange(width) < width // 2, dark, white + 100)
    every = (np.arange(height * width) % 65536).reshape(height, width)
    even = [np.full((height, width), value) for value in (black - 8, white, black + 1, black + 9)]
    return [np.asarray(frame).astype(np.uint16) for frame in (dark, half, every, *even)]


def level_sets(cfa: Cfa, default_gains: Floats) -> list[Settings]:
    """Levels, gains and colours of three kinds of camera: the usual one, one with a black level for each site, an
    unusual matrix and colours that are half compressed, a 12-bit one whose colours are clipped.
    """
    sites = np.arange(cfa.sites)
    return [
        Settings(np.full(cfa.sites, 512.0), 16383, default_gains),
        Settings(
            509.0 + (sites * 3) % 7 + 0.25 * (sites % 2), 15360, np.float64(1) + (sites * 0.37) % 1, UNUSUAL_MATRIX, 0.5
        ),
        Settings(np.full(cfa.sites, 128.0), 4095, np.ones(cfa.sites), gamut_compression=0.0),
    ]
