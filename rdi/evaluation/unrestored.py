"""A dark capture without the network: amplified and balanced, half as wide and high, and as noisy as it was."""

import numpy as np
from numpy.typing import NDArray

from rdi.camera.cfa import Cfa
from rdi.camera.photo import RawPhoto
from rdi.color import apply_matrix, encode


def unrestored(photo: RawPhoto, amplification: float) -> NDArray[np.uint8] | None:
    """One pixel of each Bayer cell, (H // 2, W // 2, 3) sRGB; None for X-Trans, which has no such cells."""
    if photo.cfa is Cfa.XTRANS:
        return None
    height, width = photo.height // 2 * 2, photo.width // 2 * 2
    sites = photo.mosaic[:height, :width].reshape(height // 2, 2, width // 2, 2).transpose(1, 3, 0, 2)
    colours = np.zeros((3, height // 2, width // 2), dtype=np.float32)
    for site, letter in enumerate(str(photo.cfa)):
        black, gain = photo.black_level[site], photo.gains[site]
        x = (sites[site // 2, site % 2].astype(np.float32) - np.float32(black)) / (photo.white_level - black)
        share = 0.5 if letter == "G" else 1.0  # two greens, one red, one blue
        colours["RGB".index(letter)] += np.clip(x * np.float32(gain * amplification), 0, 1) * np.float32(share)
    linear = apply_matrix(np.moveaxis(colours, 0, -1), photo.camera_to_srgb)
    return np.asarray(np.rint(encode(linear) * 255), dtype=np.uint8)
