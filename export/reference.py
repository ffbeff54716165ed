"""What a graph must compute, by other means: the network as it was trained, fed by numpy."""

import numpy as np
import torch
from numpy.typing import NDArray

from rdi.amplifier import count_raw_values, estimate_amplification
from rdi.camera.photo import RawPhoto
from rdi.checkpoint import Checkpoint
from rdi.export.frames import Mosaic, Settings
from rdi.levels import to_light

Floats = NDArray[np.float32]


def expected_picture(checkpoint: Checkpoint, mosaic: Mosaic, settings: Settings, amplification: float) -> Floats:
    """(H, W) mosaic -> (H, W, 3) float32 sRGB in [0, 1] from the unfolded network in PyTorch."""
    cfa = checkpoint.metadata.cfa
    x = to_light(mosaic, cfa, settings.black_level, settings.white_level, amplification, settings.gains)
    with torch.inference_mode():
        picture = checkpoint.network(torch.from_numpy(x)[None, None])
    return np.ascontiguousarray(picture[0].permute(1, 2, 0).numpy())


def expected_amplification(checkpoint: Checkpoint, mosaic: Mosaic, settings: Settings, m: float) -> float:
    """Eq. 5 by `rdi.amplifier`, from the frame's histogram."""
    metadata = checkpoint.metadata
    photo = RawPhoto(mosaic, metadata.cfa, settings.black_level, settings.white_level)
    histogram = count_raw_values(photo)
    return estimate_amplification(histogram, settings.black_level, settings.white_level, m, metadata.m_convention)
