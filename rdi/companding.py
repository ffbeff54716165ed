"""Companding: light is compressed before the network, and what the network gives is expanded to light again.

The noise of light grows with its root: in linear light highlights have more of it than shadows, while an eye, and a
tone curve, magnifies the shadows. The network's only path at full detail is a linear filter, two convolutions without
an activation between them, one and the same for highlights and shadows. On linear light it has to be as smooth as the
shadows need, and washes out what the highlights would show. On the root of light noise is about the same everywhere,
and so is what a step is worth to an eye (variance stabilisation: Anscombe 1948; for raw data: Foi et al. 2008). The
paper has no such thing; the network itself stays the paper's.

Near 0 the curve is a straight line, and below it the same curve upside down, so that the noise of a black keeps its
mean.

    compress(x) = sign(x) (sqrt(|x| + TOE) - sqrt(TOE))
    expand(y)   = y (|y| + 2 sqrt(TOE))
"""

from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

TOE = 0.05  # of white: where the curve turns from a line into a root
ROOT_OF_TOE = TOE**0.5


def compress(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Light of any values, 1 = white, as the network sees it: float32 of the same shape."""
    denominator = np.abs(light)
    denominator += np.float32(TOE)
    np.sqrt(denominator, out=denominator)
    denominator += np.float32(ROOT_OF_TOE)
    return np.divide(light, denominator, out=denominator)


@overload
def expand(output: NDArray[np.float32]) -> NDArray[np.float32]: ...


@overload
def expand(output: "Tensor") -> "Tensor": ...


def expand(output: Any) -> Any:
    """What the network gives, as light: float32 of any shape."""
    return output * (abs(output) + 2 * ROOT_OF_TOE)
