"""From tiles to the picture: rounding first, then the last shuffle, so that integers are moved and not floats.

A tile is 4x4 pixels of the picture, 48 values in the picture's own order: row, column, colour. The tiles of each phase
(see `phases`) come as one tensor (1, H/8, W/8, 48).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from rdi.export.deployment.phases import PHASES

TILE = 4  # pixels
LARGEST = 65535  # of the uint16 output: it serves 16-bit files as it is and 8-bit files by a division by 257


def tile_order() -> Tensor:
    """Which of the last convolution's outputs, made for tiles of 2x2, stands at each place of a tile: (48,).

    The network's 12 outputs are (colour, row, column) of 2x2 pixels; `in_tiles` appends (row, column) of the tile.
    """
    return torch.arange(48).reshape(3, 2, 2, 2, 2).permute(3, 1, 4, 2, 0).flatten()


@torch.library.custom_op("rdi::quantise", mutates_args=())
def quantise(values: Tensor) -> Tensor:
    """Float32 in [0, 1], clipped -> uint16, rounded half to even; one operator of ONNX, `QuantizeLinear`.

    A custom operator, because torch has none that becomes it: `onnx_graph` names its translation.
    """
    return (values.clamp(0.0, 1.0) * LARGEST).round().to(torch.uint16)


@quantise.register_fake
def _(values: Tensor) -> Tensor:
    return torch.empty_like(values, dtype=torch.uint16)


def assemble(tiles: Sequence[Tensor]) -> Tensor:
    """The tiles of the four phases, each (1, H/8, W/8, 48) -> (1, H, W, 3), of any type."""
    _, height, width, _ = tiles[0].shape
    halves = []
    for row in (0, 1):
        rows = [
            t.view(height, width, TILE, 3 * TILE) for t, where in zip(tiles, PHASES, strict=True) if where[0] == row
        ]
        halves.append(torch.cat(rows, dim=3).permute(0, 2, 1, 3).reshape(height, 1, -1))
    return torch.cat(halves, dim=1).view(1, 2 * TILE * height, 2 * TILE * width, 3)
