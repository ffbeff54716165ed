"""The picture of a network whose output is linear camera RGB: matrix, gamut mapping, curve, in the graph.

It is arithmetic on 36 million numbers, none of it worth a pass over memory of its own, so:

- each row of a tile is worked on by itself: what goes from one operator to the next stays in the cache (120 against
  95 ms for everything here on 12 megapixels);
- the matrix gives intensity and differences at once, and `rdi.gamut`'s fraction needs ten passes over one plane;
- the curve is looked up: 17 ms, where the power takes 91, and sums of roots that come within a quarter of an 8-bit step
  40. Each of 65,536 linear values has its code; a step of theirs is 4.5 of the 65,535 codes in the shadows, less than a
  fiftieth of a step of 8 bits.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rdi.color import KNEE as CURVE_KNEE
from rdi.color import OFFSET, POWER, SCALE, SLOPE
from rdi.export.amplifier import look_up
from rdi.export.deployment.picture import LARGEST, TILE, assemble, interleave, tile_order
from rdi.gamut import FARTHEST, KNEE, NEAREST

COLOURS = 3
CODES = LARGEST + 1


class CameraPicture(nn.Module):
    """The network's output is white-balanced linear camera RGB: it is rendered."""

    @staticmethod
    def order() -> Tensor:
        """Of the last convolution's outputs in a tile: row, colour, column, so that a matrix takes a row as it lies."""
        return tile_order().view(TILE, TILE, COLOURS).transpose(1, 2).flatten()

    @staticmethod
    def unrounded(tiles: Sequence[Tensor]) -> Tensor:
        """Four of (1, 48, H/8, W/8) -> (1, H, W, 3), as they are: camera RGB."""
        size = tiles[0].shape[2:]
        return assemble([tile.view(TILE, COLOURS, TILE, -1).transpose(1, 2).reshape(1, -1, *size) for tile in tiles])

    def forward(
        self, tiles: Sequence[Tensor], camera_to_srgb: Tensor, gamut_compression: Tensor, cut: int = 0
    ) -> Tensor:
        """Four of (1, 48, H/8, W/8), (3, 3), float32 scalar in [0, 1] -> (1, H - 2 * cut, W, 3) uint16."""
        darkness = camera_to_srgb.mean(dim=0, keepdim=True) * -LARGEST  # the intensity, negative: it saves a pass
        matrix = torch.cat((camera_to_srgb * LARGEST + darkness, darkness))  # three differences and it
        codes = code_table().expand(TILE, -1).contiguous()
        farthest = KNEE / (1 - gamut_compression).clamp(min=KNEE / FARTHEST)
        rendered = [self.render(tile.float(), matrix, codes, farthest) for tile in tiles]
        together = torch.cat([phase[row] for row in range(TILE) for phase in rendered], dim=0)
        return interleave(together.view(TILE, len(tiles) * TILE * COLOURS, -1), tiles[0].shape[2], cut)

    @staticmethod
    def render(tile: Tensor, matrix: Tensor, codes: Tensor, farthest: Tensor) -> list[Tensor]:
        """One phase: a tensor (column and colour, places) for each row of a tile."""
        rows = []
        for camera in torch.split(tile.view(TILE, COLOURS, -1), 1):  # (1, 3, columns and places): one row of a tile
            *differences, darkness = torch.split((matrix @ camera).view(4, TILE, -1), 1)
            kept = kept_saturation(darkness, differences, farthest)
            colours = [look_up(codes, places(kept * part - darkness)) for part in differences]
            rows.append(torch.stack(colours, dim=1).view(TILE * COLOURS, -1))
        return rows


def kept_saturation(darkness: Tensor, differences: Sequence[Tensor], farthest: Tensor) -> Tensor:
    """What `rdi.gamut` leaves of the differences from the neutral axis; all times 65535, and of one size.

    darkness: the intensity times -1
    """
    red, green, blue = differences
    below = darkness.clamp(-(1 - NEAREST) * LARGEST, -NEAREST * LARGEST)
    low = torch.minimum(torch.minimum(red, green), blue) / below
    high = torch.maximum(torch.maximum(red, green), blue) / (below + LARGEST)
    way = torch.clamp(torch.maximum(low, high), torch.tensor(KNEE), farthest)
    return (way - KNEE**2) / (way * (way + (1 - 2 * KNEE)))


def places(linear: Tensor) -> Tensor:
    """Where in the table values stand, 65535 being white: (4, N) int32."""
    return linear.clamp(0, LARGEST).to(torch.int32).view(TILE, -1)


def code_table() -> Tensor:
    """The 16-bit code of each linear value from k to k + 1 of 65535, at its middle, but for 0: (65536,) uint16."""
    place = torch.arange(CODES, dtype=torch.float32)
    linear = torch.where(place > 0, (place + 0.5) / LARGEST, 0.0)
    power = SCALE * linear.clamp(min=CURVE_KNEE) ** POWER - OFFSET
    code = torch.where(linear < CURVE_KNEE, SLOPE * linear, power).clamp(max=1.0)
    return (code * LARGEST).round().to(torch.uint16)
