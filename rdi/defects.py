"""What sensors do beside noise: greens that count differently, and warm pixels."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rdi.camera.cfa import Cfa

Floats = NDArray[np.float32]

# Of a sensor drawn for training. The two greens of Bayer sensors differ by light that comes in at an angle and by their
# amplifiers, up to a few percent; warm pixels count a little light of their own, of long exposures and high ISO.
GREEN_IMBALANCE = 0.007  # standard deviation
WARM_SENSORS = 0.5  # share of the sensors that have any
WARM_PIXELS = (1e-6, 3e-4)  # share of the pixels
WARMTH = (0.0005, 0.01)  # of full scale


@dataclass(frozen=True)
class Defects:
    """Of one sensor.

    green_imbalance: how much more light the greens beside blue ones count, as a share; Bayer only
    warm_pixels:     share of the pixels that count light of their own, between the two of `WARMTH`
    """

    green_imbalance: float = 0.0
    warm_pixels: float = 0.0

    @classmethod
    def draw(cls, generator: np.random.Generator) -> Self:
        """Those of a sensor at random."""
        imbalance = float(generator.normal(0, GREEN_IMBALANCE))
        warm = float(np.exp(generator.uniform(*np.log(WARM_PIXELS)))) if generator.random() < WARM_SENSORS else 0.0
        return cls(imbalance, warm)

    def __str__(self) -> str:
        return f"greens {self.green_imbalance:+.2%} apart, {self.warm_pixels:.1e} of the pixels warm"

    def disturb(self, signal: Floats, cfa: Cfa, full_scale: float, generator: np.random.Generator) -> None:
        """Change what is exposed, (H, W) DN above black, in place."""
        if cfa.period == 2 and self.green_imbalance:
            row = int(np.flatnonzero((cfa.colours == 2).any(axis=1))[0])
            column = int(np.flatnonzero(cfa.colours[row] == 1)[0])
            signal[row::2, column::2] *= np.float32(1 + self.green_imbalance)
        count = int(generator.binomial(signal.size, self.warm_pixels)) if self.warm_pixels else 0
        places = generator.integers(signal.size, size=count)
        least, most = np.log(WARMTH)
        warmth = np.exp(generator.uniform(least, most, size=count)) * full_scale
        np.add.at(signal.reshape(-1), places, warmth.astype(np.float32))
