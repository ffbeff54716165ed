"""Restoration in plain PyTorch, step by step: what every exported graph has to equal."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rdi.camera.photo import MARGIN, Frame, RawPhoto, align
from rdi.levels import to_light
from rdi.metadata import ModelMetadata, WhiteBalance
from rdi.network import RestorationNetwork
from rdi.rendering import finish


def network_input(frame: Frame, white_level: float, amplification: float, metadata: ModelMetadata) -> Tensor:
    """What the network is given: (1, 1, H, W) float32; the gains count for white balance "input" only."""
    gains = frame.gains if metadata.white_balance is WhiteBalance.INPUT else None
    kind = metadata.below_black, metadata.companding
    light = to_light(frame.mosaic, metadata.cfa, frame.black_level, white_level, amplification, gains, *kind)
    return torch.from_numpy(light)[None, None]


def restore(
    network: RestorationNetwork,
    metadata: ModelMetadata,
    photo: RawPhoto,
    amplification: float,
    gamut_compression: float = 1.0,
) -> NDArray[np.float32]:
    """Restore a photo: (H, W, 3) float32 sRGB in [0, 1], the visible frame, not turned upright.

    gamut_compression: of a network that gives camera RGB, see `rdi.rendering`
    """
    frame = align(photo, metadata.cfa, metadata.size_multiple, MARGIN)
    x = network_input(frame, photo.white_level, amplification, metadata)
    device = next(network.parameters()).device
    with torch.inference_mode():
        output = network.unclamped(x.to(device))[0].cpu().numpy()
    cropped = np.ascontiguousarray(frame.crop(output.transpose(1, 2, 0)), dtype=np.float32)
    return finish(cropped, metadata, photo.camera_to_srgb, gamut_compression)
