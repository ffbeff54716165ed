"""From a network's output to a finished picture, in numpy: what every other form of it has to equal.

| rendering | the network's output | the picture |
|---|---|---|
| paper | sRGB with the curve | clipped |
| camera | white-balanced linear camera RGB | the camera's matrix, `rdi.gamut`, the curve |
| camera, companding root | its root | `rdi.companding.expand`, then the same |

A network that gives sRGB has learnt the colours of the camera it was trained with. One that gives what the camera saw,
without noise, is right on every camera whose matrix is known. Its output is linear light, not the curve's codes: the
network is nearly linear itself, and scales with the light.
"""

import numpy as np
from numpy.typing import NDArray

from rdi.color import apply_matrix, encode
from rdi.companding import expand
from rdi.gamut import compress_gamut
from rdi.metadata import Companding, Curve, ModelMetadata, Rendering

Floats = NDArray[np.float32]


def render_camera(
    camera: Floats,
    camera_to_srgb: NDArray[np.float64],
    gamut_compression: float = 1.0,
    curve: Curve = Curve.BT709,
) -> Floats:
    """White-balanced linear camera RGB (H, W, 3), of any values -> sRGB in [0, 1] with the curve.

    camera_to_srgb:    (3, 3), to linear sRGB
    gamut_compression: 0 (each channel is clipped) to 1 (`rdi.gamut`)
    """
    return encode(compress_gamut(apply_matrix(camera, camera_to_srgb), gamut_compression), curve)


def finish(
    output: Floats, model: ModelMetadata, camera_to_srgb: NDArray[np.float64], gamut_compression: float = 1.0
) -> Floats:
    """A network's output (H, W, 3) before any clip -> the picture in [0, 1]; the rest counts for camera RGB only."""
    if model.rendering is Rendering.CAMERA:
        light = expand(output) if model.companding is Companding.ROOT else output
        return render_camera(light, camera_to_srgb, gamut_compression, model.curve)
    return np.clip(output, 0.0, 1.0).astype(np.float32)
