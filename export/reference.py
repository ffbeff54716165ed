"""What a graph must compute, by other means: PyTorch, fed by numpy."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rdi.amplifier import count_raw_values, estimate_amplification
from rdi.camera.photo import RawPhoto
from rdi.checkpoint import Checkpoint
from rdi.export.deployment import DeploymentNetwork
from rdi.export.frames import Mosaic, Settings
from rdi.export.graph import graph_of
from rdi.levels import to_light
from rdi.metadata import Precision
from rdi.rendering import finish

Floats = NDArray[np.float32]
Network = Callable[[Tensor], Tensor]  # (1, 1, H, W) float32 as the network takes it -> (1, H, W, 3) before the clamp


class Reference:
    """The network whose pictures a file must give.

    For float32 it is the network as it was trained, unfolded. For half precision it is the deployment form that holds
    the rounded weights, or that computes in halves, in PyTorch: rounding is judged on its own, in decibels.
    """

    def __init__(self, checkpoint: Checkpoint, precision: Precision = Precision.FP32) -> None:
        self.cfa = checkpoint.metadata.cfa
        self.metadata = checkpoint.metadata
        self.unclamped = _trained(checkpoint) if precision is Precision.FP32 else _deployed(checkpoint, precision)

    def picture(self, mosaic: Mosaic, settings: Settings, amplification: float) -> Floats:
        """(H, W) mosaic -> (H, W, 3) float32 sRGB in [0, 1]."""
        levels = settings.black_level, settings.white_level
        kind = self.metadata.below_black, self.metadata.companding
        x = to_light(mosaic, self.cfa, *levels, amplification, settings.gains, *kind)
        with torch.inference_mode():
            output = self.unclamped(torch.from_numpy(x)[None, None])[0].numpy()
        return finish(output, self.metadata, settings.camera_to_srgb, settings.gamut_compression)


def _trained(checkpoint: Checkpoint) -> Network:
    return lambda x: checkpoint.network.unclamped(x).permute(0, 2, 3, 1)


def _deployed(checkpoint: Checkpoint, precision: Precision) -> Network:
    graph = graph_of(checkpoint, precision)
    network = graph.network
    assert isinstance(network, DeploymentNetwork)
    return lambda x: network.unclamped(x.to(graph.computes_in)).float()


def expected_amplification(checkpoint: Checkpoint, mosaic: Mosaic, settings: Settings, m: float) -> float:
    """Eq. 5 by `rdi.amplifier`, from the frame's histogram."""
    metadata = checkpoint.metadata
    photo = RawPhoto(mosaic, metadata.cfa, settings.black_level, settings.white_level)
    histogram = count_raw_values(photo)
    return estimate_amplification(histogram, settings.black_level, settings.white_level, m, metadata.m_convention)
