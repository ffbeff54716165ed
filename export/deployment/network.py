"""The deployment form of the whole network."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rdi.export.deployment.borders import BorderCorrection
from rdi.export.deployment.channels import split_inputs
from rdi.export.deployment.convolution import Convolution
from rdi.export.deployment.encoders import BLOCK, DeployedHigher, DeployedMedium, DeployedMerge
from rdi.export.deployment.phases import PHASES, PhaseConvolution, neighbours
from rdi.export.deployment.picture import TILE, assemble, quantise, tile_order
from rdi.export.deployment.pixels import composed, gathering, in_tiles, over_blocks, over_pixels
from rdi.network import LowerScaleEncoder, RestorationNetwork

LOWER = 12  # of the last convolution's input channels: LSE's; the others are the merged ones


class DeployedOutput(nn.Module):
    """LSE and the last convolution: the mosaic and the merged features -> tiles of the picture.

    LSE's convolution and the part of the last one that looks at it are one convolution on the mosaic; the other part
    works on phases.
    """

    def __init__(self, lower: LowerScaleEncoder, output: nn.Conv2d) -> None:
        super().__init__()
        assert output.bias is not None
        assert lower.conv.bias is not None
        of_lower, of_merged = split_inputs(output.weight, [LOWER, output.weight.shape[1] - LOWER])
        first = over_pixels(lower.conv.weight, 2)  # (12, 1, 10, 10), stride 2
        bias = output.bias.double() + of_lower.double().sum((2, 3)) @ lower.conv.bias.double()
        order = tile_order()
        self.lower = Convolution(
            in_tiles(composed(first, of_lower, stride=2), 2, stride=2)[order],  # (48, 1, 20, 20)
            bias.repeat_interleave(4)[order],
            stride=(BLOCK, BLOCK),
        )
        self.correction = BorderCorrection(first, lower.conv.bias, in_tiles(of_lower, 2)[order])
        self.merged = PhaseConvolution(over_blocks(in_tiles(of_merged, 2), 2)[order])  # (48, 48, 3, 3)

    def forward(self, mosaic: Tensor, merged: Sequence[Tensor]) -> list[Tensor]:
        """(1, 1, H, W) and four of (1, 48, H/8, W/8) -> four of (1, H/8, W/8, 48)."""
        starts = (self.lower(mosaic, around(row, column)) for row, column in PHASES)
        tiles = [tile.permute(0, 2, 3, 1) for tile in self.merged(merged, starts)]
        edges = {name: edge.flatten(2)[0].T.reshape(-1, 2, 48) for name, edge in self.correction(mosaic).items()}
        return [corrected(tile, edges, row, column) for tile, (row, column) in zip(tiles, PHASES, strict=True)]


def around(row: int, column: int) -> tuple[int, int, int, int]:
    """The padding with which the 20x20 kernel's tiles are those of a phase: 8 around the tile, less the other tile."""
    left, right, top, bottom = neighbours(row, column, TILE)
    return (TILE + left, TILE + right, TILE + top, TILE + bottom)


def corrected(tile: Tensor, edges: dict[str, Tensor], row: int, column: int) -> Tensor:
    """A phase's tiles with what its two edges of the frame need added; edges: (tiles / 2, even or odd tile, 48).

    `scatter_add` works in place in onnxruntime, where an addition would read and write everything.
    """
    _, height, width, channels = tile.shape
    flat = tile.reshape(height, width * channels)
    across = edges["bottom" if row else "top"][:, column].reshape(1, -1)
    first_or_last = torch.full_like(across, (height - 1) * row, dtype=torch.int64)
    flat = flat.scatter_add(0, first_or_last, across)
    down = edges["right" if column else "left"][:, row]
    places = torch.arange(channels).expand(height, -1) + (width - 1) * channels * column
    return flat.scatter_add(1, places, down).view(tile.shape)


class DeploymentNetwork(nn.Module):
    """The network as it is exported.

    (1, 1, H, W) float32 mosaic, as the trained network takes it -> (1, H, W, 3) uint16
    """

    def __init__(self, trained: RestorationNetwork) -> None:
        """trained: without weight normalisation (`rdi.network.plain_network`)."""
        super().__init__()
        self.pixels = Convolution(gathering(2, 4), stride=(BLOCK, BLOCK))
        self.medium = DeployedMedium(trained.medium)
        self.higher = DeployedHigher(trained.higher)
        self.merge = DeployedMerge(trained.merge)
        self.output = DeployedOutput(trained.lower, trained.output)

    def forward(self, mosaic: Tensor) -> Tensor:
        """The picture, 65535 being white."""
        return assemble([quantise(tile) for tile in self.tiles(mosaic)])

    def unclamped(self, mosaic: Tensor) -> Tensor:
        """The picture before rounding and clamp, (1, H, W, 3) float32: to be compared with the trained network's."""
        return assemble(self.tiles(mosaic))

    def tiles(self, mosaic: Tensor) -> list[Tensor]:
        """The picture as tiles of 4x4 pixels, by phase: four of (1, H/8, W/8, 48) float32."""
        pixels = self.pixels(mosaic)
        merged = self.merge(self.medium(mosaic, pixels), self.higher(pixels))
        tiles: list[Tensor] = self.output(mosaic, merged)
        return tiles


def deploy(trained: RestorationNetwork) -> DeploymentNetwork:
    """Re-arrange a network's weights, ready for inference and export; see `DeploymentNetwork`."""
    with torch.no_grad():
        return DeploymentNetwork(trained).eval()
