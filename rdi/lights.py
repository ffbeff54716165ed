"""Lights that scenes are lit by, and the white balance that makes each neutral on a camera."""

import numpy as np
from numpy.typing import NDArray

from rdi.color import neutral_gains

Array = NDArray[np.float64]

TEMPERATURES = (2_400.0, 10_000.0)  # kelvin: from a dimmed bulb to open shade
# How far red's and blue's gains lie off the black body's, as a logarithm: gas discharge and LED lamps, and balances
# chosen by taste, are off by up to 35 %.
SPREAD = 0.3


def black_body(kelvin: float) -> Array:
    """CIE XYZ of a black body, (3,), Y = 1; 1667 to 25000 K.

    Kang et al., "Design of advanced color temperature control system for HDTV applications" (2002): cubic splines for
    the Planckian locus, within 0.001 of it in x and y.
    """
    t = 1000.0 / kelvin
    if kelvin < 4000:
        x = ((-0.2661239 * t - 0.2343589) * t + 0.8776956) * t + 0.179910
    else:
        x = ((-3.0258469 * t + 2.1070379) * t + 0.2226347) * t + 0.240390
    if kelvin < 2222:
        y = ((-1.1063814 * x - 1.34811020) * x + 2.18555832) * x - 0.20219683
    elif kelvin < 4000:
        y = ((-0.9549476 * x - 1.37418593) * x + 2.09137015) * x - 0.16748867
    else:
        y = ((3.0817580 * x - 5.87338670) * x + 3.75112997) * x - 0.37001483
    return np.array([x / y, 1.0, (1 - x - y) / y])


def draw_white_balance(camera_from_xyz: Array, generator: np.random.Generator) -> Array:
    """A random light as this camera sees it: white-balance gains (3,), green = 1.

    A black body between 2400 and 10000 K, uniform in the reciprocal of its temperature, as differences of light are
    seen; red's and blue's gains then vary by up to 35 %.
    """
    warm, cold = (1 / kelvin for kelvin in TEMPERATURES)
    gains = neutral_gains(camera_from_xyz, black_body(1 / generator.uniform(cold, warm)))
    gains[[0, 2]] *= np.exp(generator.uniform(-SPREAD, SPREAD, size=2))
    return gains
