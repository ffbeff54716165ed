"""The deployment form of the whole network."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rdi.export.deployment.borders import BorderCorrection, Edges, add_edges
from rdi.export.deployment.channels import split_inputs
from rdi.export.deployment.convolution import Convolution, Padding, bias_of
from rdi.export.deployment.encoders import DeployedHigher, DeployedMedium, DeployedMerge
from rdi.export.deployment.phases import PHASES, PhaseConvolution, neighbours
from rdi.export.deployment.picture import TILE, FinishedPicture, assemble, tile_order
from rdi.export.deployment.pixels import composed, composed_bias, gathering, in_tiles, over_blocks, over_pixels
from rdi.export.deployment.rendering import CameraPicture
from rdi.metadata import ModelMetadata, Rendering
from rdi.network import LowerScaleEncoder, RestorationNetwork

LOWER = 12  # of the last convolution's input channels: LSE's; the others are the merged ones


class DeployedOutput(nn.Module):
    """LSE and the last convolution: the mosaic and the merged features -> tiles of the picture.

    LSE's convolution and the part of the last one that looks at it are one; the other part works on phases. The mosaic
    comes twice: as it is, for the edges, and as 16 channels at 1/4.
    """

    def __init__(self, lower: LowerScaleEncoder, output: nn.Conv2d) -> None:
        super().__init__()
        order = tile_order()
        of_lower, of_merged = split_inputs(output.weight, [LOWER, output.weight.shape[1] - LOWER])
        first = over_pixels(lower.conv.weight, 2)  # (12, 1, 10, 10), stride 2
        tiles = in_tiles(composed(first, of_lower, stride=2), 2, stride=2)[order]  # (48, 1, 20, 20), stride 4
        bias = composed_bias(bias_of(lower.conv), of_lower, bias_of(output)).repeat_interleave(4)[order]
        self.lower = Convolution(over_blocks(tiles, TILE), bias, stride=(2, 2))  # (48, 16, 5, 5)
        self.correction = BorderCorrection(first, bias_of(lower.conv), in_tiles(of_lower, 2)[order], stride=2, tile=2)
        self.merged = PhaseConvolution(over_blocks(in_tiles(of_merged, 2), 2)[order])  # (48, 48, 3, 3)

    def forward(self, mosaic: Tensor, quarter: Tensor, merged: Sequence[Tensor]) -> list[Tensor]:
        """(1, 1, H, W), (1, 16, H/4, W/4) and four of (1, 48, H/8, W/8) -> four of (1, 48, H/8, W/8)."""
        tiles = self.summed(quarter, merged)
        edges = self.correction(mosaic)
        return [add_edges(tile, of_phase(edges, *place)) for tile, place in zip(tiles, PHASES, strict=True)]

    def summed(self, quarter: Tensor, merged: Sequence[Tensor]) -> list[Tensor]:
        """The tiles before what is wrong at the edges is taken off."""
        tiles: list[Tensor] = self.merged(merged, [self.lower(quarter, around(row, column)) for row, column in PHASES])
        return tiles


def around(row: int, column: int) -> Padding:
    """The padding with which a 5x5 kernel with stride 2 is centred on a phase: 2 around it, less its neighbours."""
    left, right, top, bottom = neighbours(row, column)
    return (1 + left, 1 + right, 1 + top, 1 + bottom)


def of_phase(edges: Edges, row: int, column: int) -> Edges:
    """Those of the edges that a phase has, at most two, at the places that are its own."""
    own = {
        "bottom" if row else "top": (slice(None), slice(None), slice(None), slice(column, None, 2)),
        "right" if column else "left": (slice(None), slice(None), slice(row, None, 2)),
    }
    return {name: edges[name][places] for name, places in own.items() if name in edges}


class DeploymentNetwork(nn.Module):
    """The network as it is exported.

    (1, 1, H, W) float32 mosaic, as the trained network takes it -> (1, H, W, 3) uint16
    """

    def __init__(self, trained: RestorationNetwork, metadata: ModelMetadata) -> None:
        """trained: without weight normalisation (`rdi.network.plain_network`); metadata: what its output is."""
        super().__init__()
        rendered = metadata.rendering is Rendering.CAMERA
        self.picture = CameraPicture(metadata.curve, metadata.companding) if rendered else FinishedPicture()
        self.quarter = Convolution(gathering(4), stride=(4, 4))
        self.eighth = Convolution(gathering(2, 4), stride=(8, 8))
        self.medium = DeployedMedium(trained.medium)
        self.higher = DeployedHigher(trained.higher)
        self.merge = DeployedMerge(trained.higher.expand, trained.merge)
        self.output = DeployedOutput(trained.lower, trained.output)

    def forward(self, mosaic: Tensor, *rendering: Tensor) -> Tensor:
        """The picture, 65535 being white.

        rendering: camera_to_srgb and gamut_compression of a network whose output is camera RGB
        """
        picture: Tensor = self.picture(self.tiles(mosaic), *rendering)
        return picture

    def unclamped(self, mosaic: Tensor) -> Tensor:
        """The network's output, not rendered, rounded or clamped, (1, H, W, 3) float32: as the trained network's."""
        picture: Tensor = assemble(self.tiles(mosaic))
        return picture

    def tiles(self, mosaic: Tensor) -> list[Tensor]:
        """The picture as tiles of 4x4 pixels, by phase: four of (1, 48, H/8, W/8) float32."""
        pixels = self.eighth(mosaic)
        merged = self.merge(self.medium(pixels), self.higher(pixels))
        tiles: list[Tensor] = self.output(mosaic, self.quarter(mosaic), merged)
        return tiles


def deploy(trained: RestorationNetwork, metadata: ModelMetadata | None = None) -> DeploymentNetwork:
    """Re-arrange a network's weights, ready for inference and export; see `DeploymentNetwork`.

    metadata: by default those of a network whose output is the picture
    """
    with torch.no_grad():
        return DeploymentNetwork(trained, metadata or ModelMetadata()).eval()
