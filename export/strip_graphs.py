"""The network in three modules that see a strip of the frame at a time; see `rdi.strips`.

They use the deployment form's own convolutions, with the same padding to the left and right and none, or one whose
effect is cut off, above and below: so each pixel is the same sum in the same order, and the picture has the same bytes.
"""

import torch
from torch import Tensor, nn

from rdi.export.deployment import DeploymentNetwork
from rdi.export.deployment.borders import Edges, add_edges
from rdi.export.deployment.convolution import same, total
from rdi.export.deployment.network import of_phase
from rdi.export.deployment.phases import PHASES
from rdi.export.graph import RestorationGraph, given
from rdi.network import activate
from rdi.strips import BLOCK, REDUCE_HALO, REDUCE_ROWS

SIDES = (1, 1, 0, 0)  # the padding of a 3x3 convolution to the left and right alone


class ReduceStrip(nn.Module):
    """HSE's first convolution: a strip of the mosaic -> 128 channels at 1/32."""

    def __init__(self, graph: RestorationGraph) -> None:
        super().__init__()
        self.whole = graph

    def forward(
        self, mosaic: Tensor, black_level: Tensor, white_level: Tensor, factor: Tensor, inside: Tensor
    ) -> Tensor:
        """(1, 1, 32 (k + 2), W) uint16 and its levels -> (1, 128, k, W/32).

        factor: gains * amplification, (sites,)
        inside: (k + 2,) float32, 1 for 32 rows within the frame, 0 beyond
        """
        network = deployed(self.whole)
        light = self.whole.normalise(mosaic, black_level, white_level, factor)
        within = light.view(-1, REDUCE_ROWS, light.shape[3]) * inside[:, None, None].to(light.dtype)
        pixels = network.eighth(within.view(light.shape))
        # The rows that saw the padding above and below are cut off.
        return torch.cat(network.higher.reduced(pixels), dim=1)[:, :, REDUCE_HALO:-REDUCE_HALO]


class Context(nn.Module):
    """The rest of HSE, on the whole frame: a thirty-second of its height and width."""

    def __init__(self, graph: RestorationGraph) -> None:
        super().__init__()
        self.higher = deployed(graph).higher

    def forward(self, reduced: Tensor) -> Tensor:
        """(1, 128, H/32, W/32) -> (1, 4, H/8, W/8)."""
        result: Tensor = self.higher.deepened(torch.chunk(reduced, 4, dim=1))
        return result


class RestoreStrip(nn.Module):
    """All the rest: a strip of the mosaic and what HSE says of it -> a strip of the picture."""

    def __init__(self, graph: RestorationGraph) -> None:
        super().__init__()
        self.whole = graph

    def forward(
        self,
        mosaic: Tensor,
        black_level: Tensor,
        white_level: Tensor,
        factor: Tensor,
        features: Tensor,
        camera_to_srgb: Tensor | None = None,
        gamut_compression: Tensor | None = None,
    ) -> Tensor:
        """(1, 1, 8 (n + 10), W) uint16, its levels, (1, 4, n + 8, W/8), how to render -> (1, 8 n, W, 3) uint16."""
        network = deployed(self.whole)
        light = self.whole.normalise(mosaic, black_level, white_level, factor)
        phases = self.merged(self.medium(light), features)  # n + 2 blocks
        light = rows_within(light, 4 * BLOCK)  # likewise
        tiles = network.output.summed(network.quarter(light), phases)
        edges = sides(network.output.correction(light))
        tiles = [add_edges(tile, of_phase(edges, *place)) for tile, place in zip(tiles, PHASES, strict=True)]
        # The outer blocks saw the padding above and below: they are left out.
        picture: Tensor = network.picture(tiles, *given(camera_to_srgb, gamut_compression), cut=BLOCK)
        return picture

    def medium(self, light: Tensor) -> Tensor:
        """MSE: n + 10 blocks of the mosaic -> (1, 64, n + 6, W/8)."""
        network = deployed(self.whole)
        first = activate(network.medium.conv1(network.eighth(light), SIDES))
        result: Tensor = network.medium.conv2(first, SIDES) + network.eighth(rows_within(light, 2 * BLOCK))
        return result

    def merged(self, medium: Tensor, features: Tensor) -> list[Tensor]:
        """The merge: n + 6 rows of MSE, n + 8 of HSE -> four phases of n + 2 rows."""
        merge = deployed(self.whole).merge
        left, right, _, _ = same(5)
        x = total((merge.higher(features, (left, right, 0, 0)), merge.medium(medium, SIDES)))  # n + 4 rows
        edges = {name: rows_within(values, 2) for name, values in sides(merge.correction(features)).items()}
        return merge.expanded(add_edges(x, edges), SIDES)


def deployed(graph: RestorationGraph) -> DeploymentNetwork:
    """The network of a graph that has it in its deployment form."""
    assert isinstance(graph.network, DeploymentNetwork)
    return graph.network


def rows_within(x: Tensor, cut: int) -> Tensor:
    """(1, C, H, W) without its outer `cut` rows on both sides."""
    return x[:, :, cut:-cut]


def sides(edges: Edges) -> Edges:
    """The corrections at the left and right edge: within a strip there is no other."""
    return {name: edges[name] for name in ("left", "right")}
