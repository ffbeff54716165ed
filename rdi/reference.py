"""Restoration in plain PyTorch, step by step: what every exported graph has to equal."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rdi.camera.photo import Frame, RawPhoto, align
from rdi.metadata import ModelMetadata, WhiteBalance
from rdi.network import RestorationNetwork


def network_input(frame: Frame, white_level: float, amplification: float, white_balance: WhiteBalance) -> Tensor:
    """x = max(mosaic - black, 0) / (white - black) * amplification * gains: (1, 1, H, W) float32.

    frame: aligned to the model's phase and padded to its size rule; the gains count for white balance "input" only
    """
    height, width = frame.mosaic.shape
    black = _tile(frame.black_level, height, width)
    x = np.maximum(frame.mosaic.astype(np.float32) - black, 0) / (np.float32(white_level) - black)
    x *= np.float32(amplification)
    if white_balance is WhiteBalance.INPUT:
        x *= _tile(frame.gains, height, width)
    return torch.from_numpy(x)[None, None]


def restore(
    network: RestorationNetwork, metadata: ModelMetadata, photo: RawPhoto, amplification: float
) -> NDArray[np.float32]:
    """Restore a photo: (H, W, 3) float32 sRGB in [0, 1], the visible frame, not turned upright."""
    frame = align(photo, metadata.cfa, metadata.size_multiple)
    x = network_input(frame, photo.white_level, amplification, metadata.white_balance)
    device = next(network.parameters()).device
    with torch.inference_mode():
        rgb = network(x.to(device))[0].cpu().numpy()
    return np.ascontiguousarray(frame.crop(rgb.transpose(1, 2, 0)), dtype=np.float32)


def _tile(per_site: NDArray[np.float64], height: int, width: int) -> NDArray[np.float32]:
    period = round(per_site.size**0.5)
    cell = per_site.reshape(period, period).astype(np.float32)
    return np.tile(cell, (-(-height // period), -(-width // period)))[:height, :width]
