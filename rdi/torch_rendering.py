"""`rdi.rendering` in PyTorch: with gradients, also where a picture would be clipped, and a camera for each sample.

Recorded operation by operation it takes a quarter of a training step; here the gradient is written out.
"""

from typing import Any

import torch
from torch import Tensor

from rdi.color import TONES, Tone
from rdi.gamut import FARTHEST, KNEE, NEAREST
from rdi.model_kinds import Curve


def render(camera: Tensor, camera_to_srgb: Tensor, gamut_compression: Tensor, curve: Curve = Curve.BT709) -> Tensor:
    """White-balanced linear camera RGB (B, 3, H, W) -> sRGB with the curve (B, 3, H, W), not clipped.

    camera_to_srgb:    (B, 3, 3)
    gamut_compression: (B,) in [0, 1]; the gradient flows to `camera` only
    """
    linear = (camera_to_srgb @ camera.flatten(2)).view(camera.shape)
    seen: Tensor = _Seen.apply(linear, gamut_compression, TONES[curve])  # type: ignore[no-untyped-call]
    return seen


def encode(linear: Tensor, tone: Tone) -> Tensor:
    """`rdi.color.encode` without its clip: below black and above white it goes on straight, at the slope it has there.

    A value that is too dark or too bright must still be told so.
    """
    power = linear.clamp(tone.knee, 1.0).pow_(tone.power).mul_(tone.scale).sub_(tone.offset)
    power.add_((linear - 1).clamp_(min=0.0), alpha=_slope_at_white(tone))
    return torch.where(linear < tone.knee, tone.slope * linear, power)


def _slope_at_white(tone: Tone) -> float:
    return tone.scale * tone.power


class _Seen(torch.autograd.Function):
    """`rdi.gamut.compress_gamut`, then `encode`, of linear sRGB (B, 3, H, W), strength (B,).

    With n, q and k = f(q) / q as in `rdi.gamut`, mapped is n + k (c - n). q is (n - min) / w or (max - n) / (1 - w),
    whichever is larger, w being n kept off 0 and 1. With s = 1 / w in the first case and -1 / (1 - w) in the second, q
    changes by -s with the extreme channel and by s (1 - q) with n (by s alone where n is kept off).
    """

    @staticmethod
    def forward(ctx: Any, linear: Tensor, strength: Tensor, tone: Tone) -> Tensor:
        red, green, blue = torch.split(linear, 1, dim=1)
        intensity = (red + green).add_(blue).div_(3)
        within = intensity.clamp(NEAREST, 1 - NEAREST)
        lowest, highest = (choose(choose(red, green), blue) for choose in (torch.minimum, torch.maximum))
        low, high = (intensity - lowest).div_(within), (highest - intensity).div_(1 - within)
        dark = low >= high
        farthest = (KNEE / (1 - strength).clamp(min=KNEE / FARTHEST)).view(-1, 1, 1, 1)
        way = torch.maximum(low, high).clamp_(min=KNEE).minimum(farthest)
        kept = (way - KNEE**2) / (way * (way + (1 - 2 * KNEE)))
        mapped = (linear - intensity).mul_(kept).add_(intensity)
        seen = encode(mapped, tone)
        changes = (way > KNEE) & (way < farthest)
        extreme = torch.where(dark, lowest, highest)
        ctx.tone = tone
        ctx.save_for_backward(linear, intensity, within, extreme, dark, changes, way, kept, mapped, seen)
        return seen

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        linear, intensity, within, extreme, dark, changes, way, kept, mapped, seen = ctx.saved_tensors
        tone: Tone = ctx.tone
        slope = (seen + tone.offset).mul_(tone.power).div_(mapped)
        slope.masked_fill_(mapped < tone.knee, tone.slope).masked_fill_(mapped > 1, _slope_at_white(tone))
        by_mapped = slope.mul_(gradients[0])
        by_kept = ((linear - intensity).mul_(by_mapped)).sum(dim=1, keepdim=True)
        squared = way * (way + (1 - 2 * KNEE))
        change = (squared - (way - KNEE**2) * (2 * way + (1 - 2 * KNEE))).div_(squared.square())
        steepness = torch.where(dark, 1 / within, 1 / (within - 1))
        by_way = (by_kept * change).mul_(steepness).mul_(changes)
        by_intensity = by_way * (1 - way).masked_fill_(within != intensity, 1.0)
        by_intensity.addcmul_(by_mapped.sum(dim=1, keepdim=True), 1 - kept).div_(3)
        by_linear = by_mapped.mul_(kept).add_(by_intensity)
        extremes = (linear == extreme).to(by_way.dtype)
        share = by_way / extremes.sum(dim=1, keepdim=True)  # where two are equal
        by_linear.addcmul_(extremes, share, value=-1)
        return by_linear, None, None
