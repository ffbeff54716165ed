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
    period = cfa.period
    x = np.array(mosaic, dtype=np.float32, order="C")
    black = cfa.tile(black_level, period, width)  # one row of cells: a whole frame of them would take as much as x
    span = np.float32(white_level) - black
    balance = None if gains is None else cfa.tile(gains, period, width)
    whole = height - height % period
    for part, rows in ((x[:whole].reshape(-1, period, width), period), (x[whole:][None], height - whole)):
        part -= black[:rows]
        np.maximum(part, 0, out=part)
        part /= span[:rows]
        part *= np.float32(amplification)
        if balance is not None:
            part *= balance[:rows]
    return x
