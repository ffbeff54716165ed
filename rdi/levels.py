"""From counts to light: what a network is given of a mosaic.

In near darkness most of the counts are noise around the black level. The paper cuts off what lies below it; the mean of
what is left is too bright, the more so the darker the scene, and differently for each colour, since each has its own
gain: blacks turn purple. A network cannot take that back, because it depends on the sensor's noise. So networks are
trained with negative light unless told otherwise; the metadata say which it is.
"""

import numpy as np
from numpy.typing import NDArray

from rdi.camera.cfa import Cfa
from rdi.camera.photo import Mosaic
from rdi.companding import compress
from rdi.model_kinds import BelowBlack, Companding

Floats = NDArray[np.float32]


def to_light(
    mosaic: Mosaic,
    cfa: Cfa,
    black_level: NDArray[np.float64],
    white_level: float,
    amplification: float,
    gains: NDArray[np.float64] | None = None,
    below_black: BelowBlack = BelowBlack.KEPT,
    companding: Companding = Companding.NONE,
) -> Floats:
    """x = (mosaic - black) / (white - black) * amplification * gains: (H, W) float32, not clipped above.

    mosaic:      (H, W) uint16, beginning with the first site of `cfa`
    black_level, gains: (sites,) in raster order; no gains = ones
    below_black: whether x may be negative, or is cut off at 0, as in the paper
    companding:  whether x or its root (`rdi.companding`) is returned
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
        if below_black is BelowBlack.CUT:
            np.maximum(part, 0, out=part)
        part /= span[:rows]
        part *= np.float32(amplification)
        if balance is not None:
            part *= balance[:rows]
    return compress(x) if companding is Companding.ROOT else x
