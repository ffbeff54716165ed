"""The network's parts, each as a module of its own: in the form it was trained in and in the one that is exported.

The three encoders are the paper's branches: LSE at 1/2 of the mosaic's size, MSE at 1/8, HSE at 1/32. In the exported
form (docs/deployment.md) LSE is within the last convolution, and HSE's last convolution is within the merge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rdi.export.benchmarks.rewrites import EIGHTH, MOSAIC, Shape, Steps
from rdi.export.deployment import DeploymentNetwork
from rdi.export.deployment.picture import assemble, quantise
from rdi.network import RestorationNetwork

HALF: Shape = (4, 2)
PICTURE_HALF: Shape = (12, 2)
PHASE: Shape = (48, 8)

UNSHUFFLE, LSE, MSE, HSE, MERGE, OUTPUT, WHOLE = "unshuffle", "LSE", "MSE", "HSE", "merge", "output", "whole"
PARTS = (UNSHUFFLE, LSE, MSE, HSE, MERGE, OUTPUT)


@dataclass(frozen=True, eq=False)
class Part:
    """A part, or the whole.

    inputs: channels, and of how many mosaic pixels (across and down) there is one, of each tensor that it takes
    """

    name: str
    module: nn.Module
    inputs: Sequence[Shape]

    def shapes(self, height: int, width: int) -> list[tuple[int, ...]]:
        """Of its inputs, for a mosaic of this size."""
        return [(1, channels, height // scale, width // scale) for channels, scale in self.inputs]


def trained_parts(network: RestorationNetwork) -> list[Part]:
    """The parts of the form that was trained, in their order, and the whole."""

    def output(lower: Tensor, merged: Tensor) -> Tensor:
        return F.pixel_shuffle(network.output(torch.cat((lower, merged), dim=1)), 2).clamp(0.0, 1.0)

    return [
        Part(UNSHUFFLE, Steps(partial(F.pixel_unshuffle, downscale_factor=2)), [MOSAIC]),
        Part(LSE, network.lower, [HALF]),
        Part(MSE, network.medium, [HALF]),
        Part(HSE, network.higher, [HALF]),
        Part(MERGE, network.merge, [EIGHTH, EIGHTH]),
        Part(OUTPUT, Steps(output, network.output), [PICTURE_HALF, PICTURE_HALF]),
        Part(WHOLE, network, [MOSAIC]),
    ]


def deployed_parts(network: DeploymentNetwork) -> list[Part]:
    """The parts of the exported form, from a float mosaic to the integer picture, and the whole."""

    def output(mosaic: Tensor, *merged: Tensor) -> Tensor:
        tiles = network.output(mosaic, network.quarter(mosaic), merged)
        return assemble([quantise(tile) for tile in tiles])

    return [
        Part(UNSHUFFLE, network.eighth, [MOSAIC]),
        Part(MSE, network.medium, [EIGHTH]),
        Part(HSE, network.higher, [EIGHTH]),
        Part(MERGE, network.merge, [EIGHTH, (4, 8)]),
        Part(OUTPUT, Steps(output, network.output, network.quarter), [MOSAIC, *[PHASE] * 4]),
        Part(WHOLE, network, [MOSAIC]),
    ]
