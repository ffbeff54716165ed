"""`rdi.rendering` in PyTorch: with gradients, also where a picture would be clipped, and a camera for each sample."""

import torch
from torch import Tensor

from rdi.color import KNEE, OFFSET, POWER, SCALE, SLOPE
from rdi.gamut import FARTHEST, NEAREST
from rdi.gamut import KNEE as GAMUT_KNEE

SLOPE_AT_WHITE = SCALE * POWER


def render(camera: Tensor, camera_to_srgb: Tensor, gamut_compression: Tensor) -> Tensor:
    """White-balanced linear camera RGB (B, 3, H, W) -> sRGB with the curve (B, 3, H, W), not clipped.

    camera_to_srgb:    (B, 3, 3)
    gamut_compression: (B,) in [0, 1]
    """
    linear = torch.einsum("bij,bjhw->bihw", camera_to_srgb, camera)
    return encode(compress_gamut(linear, gamut_compression))


def compress_gamut(linear: Tensor, strength: Tensor) -> Tensor:
    """`rdi.gamut.compress_gamut` on (B, 3, H, W); strength: (B,)."""
    intensity = linear.mean(dim=1, keepdim=True)
    difference = linear - intensity
    within = intensity.clamp(NEAREST, 1 - NEAREST)
    low = difference.amin(dim=1, keepdim=True) / -within
    high = difference.amax(dim=1, keepdim=True) / (1 - within)
    farthest = GAMUT_KNEE / (1 - strength).clamp(min=GAMUT_KNEE / FARTHEST)
    way = torch.minimum(torch.maximum(low, high).clamp(min=GAMUT_KNEE), farthest.view(-1, 1, 1, 1))
    return intensity + difference * ((way - GAMUT_KNEE**2) / (way * (way + (1 - 2 * GAMUT_KNEE))))


def encode(linear: Tensor) -> Tensor:
    """`rdi.color.encode` without its clip: below black and above white it goes on straight, at the slope it has there.

    A value that is too dark or too bright must still be told so.
    """
    power = SCALE * linear.clamp(KNEE, 1.0) ** POWER - OFFSET
    return torch.where(linear < KNEE, SLOPE * linear, power + SLOPE_AT_WHITE * (linear - 1).clamp(min=0.0))
