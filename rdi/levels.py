"""From counts to light: what a network is given of a mosaic."""

import numpy as np
from numpy.typing import NDArray

from rdi.camera.cfa import Cfa
from rdi.camera.photo import Mosaic

Floats = NDArray[np.float32]


def to_light(
    mosaic: Mosaic,
    cfa: Cfa,
    black_level: NDArray[np.float64],
    white_level: float,
    amplification: float,
    gains: NDArray[np.float64] | None = None,
) -> Floats:
    """x = max(mosaic - black, 0) / (white - black) * amplification * gains: (H, W) float32, not clipped above.

    mosaic:      (H, W) uint16, beginning with the first site of `cfa`
    black_level, gains: (sites,) in raster order; no gains = ones
    """
    height, width = mosaic.shape
    black = cfa.tile(black_level, height, width)
    x = np.maximum(mosaic.astype(np.float32) - black, 0) / (np.float32(white_level) - black)
    x *= np.float32(amplification)
    if gains is not None:
        x *= cfa.tile(gains, height, width)
    return np.asarray(x, dtype=np.float32)
