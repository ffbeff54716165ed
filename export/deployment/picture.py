"""From tiles to the picture: rounding first, then the last shuffle, so that integers are moved and not floats.

A tile is 4x4 pixels of the picture, 48 channels in the picture's own order: row, column, colour. The tiles of each
phase (see `phases`) come as one tensor (1, 48, H/8, W/8).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

TILE = 4  # pixels
LARGEST = 65535  # of the uint16 output: it serves 16-bit files as it is and 8-bit files by a division by 257


def tile_order() -> Tensor:
    """Which of the last convolution's outputs, made for tiles of 2x2, stands at each place of a tile: (48,).

    The network's 12 outputs are (colour, row, column) of 2x2 pixels; `in_tiles` appends (row, column) of the tile.
    """
    return torch.arange(48).reshape(3, 2, 2, 2, 2).permute(3, 1, 4, 2, 0).flatten()


@torch.library.custom_op("rdi::quantise", mutates_args=())
def quantise(values: Tensor) -> Tensor:
    """Floats in [0, 1], clipped -> uint16, rounded half to even; for float32 one operator of ONNX, `QuantizeLinear`.

    A custom operator, because torch has none that becomes it: `onnx_graph` names its translation.
    """
    return (values.float().clamp(0.0, 1.0) * LARGEST).round().to(torch.uint16)


@quantise.register_fake
def _(values: Tensor) -> Tensor:
    return torch.empty_like(values, dtype=torch.uint16)


def assemble(tiles: Sequence[Tensor], cut: int = 0) -> Tensor:
    """The tiles of the four phases, each (1, 48, H/8, W/8) -> (1, H - 2 * cut, W, 3), of any type.

    cut: rows of the picture that are left out at the top and at the bottom

    Three passes over the data, each of a kind that onnxruntime runs fast: runs of channels are put together, each row
    of a tile is transposed, and whole rows of the picture are put in their order.
    """
    channels, height = tiles[0].shape[1:3]
    together = torch.cat([tile.view(TILE, channels // TILE, -1) for tile in tiles], dim=1)
    return interleave(together, height, cut)


def interleave(together: Tensor, height: int, cut: int = 0) -> Tensor:
    """(row of a tile; phase row, phase column, column, colour; place): (4, 48, H/8 * W/8) -> (1, H - 2 * cut, W, 3).

    height: H/8
    """
    rows = together.view(2 * TILE, together.shape[1] // 2, -1).transpose(1, 2).reshape(1, 2 * TILE * height, -1, 3)
    order = torch.arange(2 * TILE * height).view(TILE, 2, height).permute(2, 1, 0).flatten()
    return rows.index_select(1, order[cut : order.shape[0] - cut])


class FinishedPicture(nn.Module):
    """The network's output is the picture: it is rounded."""

    def forward(self, tiles: Sequence[Tensor], cut: int = 0) -> Tensor:
        """Four of (1, 48, H/8, W/8) -> (1, H - 2 * cut, W, 3) uint16."""
        return assemble([quantise(tile) for tile in tiles], cut)
