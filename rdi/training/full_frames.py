"""Restore full frames with the network as it is trained, in little memory.

A frame of 12 megapixels takes the plain network 1.4 GB, most of it at half resolution. Here only what looks far, the
encoder at 1/32, sees the whole frame; all else runs in strips of rows with as many around them as it looks at.
"""

import ctypes
import sys
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from rdi.camera.photo import MARGIN, RawPhoto, align
from rdi.metadata import ModelMetadata
from rdi.network import RestorationNetwork
from rdi.reference import network_input
from rdi.rendering import finish
from rdi.strips import BLOCK, HALO

CLIPPED = 0.0  # gamut compression
STRIP = 256  # rows of a strip, a multiple of 8


def restore_frame(
    network: RestorationNetwork, metadata: ModelMetadata, photo: RawPhoto, amplification: float
) -> NDArray[np.float32]:
    """What `rdi.reference.restore` gives, but for float32's rounding: (H, W, 3) float32 sRGB in [0, 1].

    Colours of camera RGB beyond sRGB are clipped, as those of a target are.
    """
    frame = align(photo, metadata.cfa, metadata.size_multiple, MARGIN)
    mosaic = network_input(frame, photo.white_level, amplification, metadata)
    picture = np.empty((frame.height, frame.width, 3), dtype=np.float32)
    with torch.inference_mode():
        for first, strip in _strips(network, mosaic.to(next(network.parameters()).device)):
            rows = strip[0, :, max(frame.top - first, 0) :, frame.left : frame.left + frame.width]
            place = max(first - frame.top, 0)
            rows = rows[:, : max(frame.height - place, 0)]
            output = rows.permute(1, 2, 0).cpu().numpy()
            picture[place : place + rows.shape[1]] = finish(output, metadata, photo.camera_to_srgb, CLIPPED)
    return picture


def _strips(network: RestorationNetwork, mosaic: Tensor) -> Iterator[tuple[int, Tensor]]:
    """First row and (1, 3, rows, W) of each strip; the frame's own border sees the zeros that the network pads with."""
    height = mosaic.shape[2]
    x = F.pixel_unshuffle(mosaic, 2)
    higher = network.higher(x)  # (1, 64, H/8, W/8)
    for first in range(0, height, STRIP):
        last = min(first + STRIP, height)
        top, bottom = max(first - HALO * BLOCK, 0), min(last + HALO * BLOCK, height)
        part = x[:, :, top // 2 : bottom // 2]
        merged = network.merge(network.medium(part), higher[:, :, top // BLOCK : bottom // BLOCK])
        out = F.pixel_shuffle(network.output(torch.cat((network.lower(part), merged), dim=1)), 2)
        yield first, out[:, :, first - top : last - top]


def release_memory() -> None:
    """Give memory that Python has let go of back to the system, where the C library knows how (glibc).

    A training step leaves hundreds of megabytes in its heap, on top of which a full frame would come.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim:
            trim(0)
