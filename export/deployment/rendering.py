"""The picture of a network whose output is linear camera RGB: matrix, gamut mapping, curve, in the graph.

It is arithmetic on 36 million numbers, none of it worth a pass over memory of its own, so:

- each row of a tile is worked on by itself: what goes from one operator to the next stays in the cache;
- colours stand at an axis of their own, between the columns of a tile and the places: a matrix multiplies them where
  they lie, and their extremes are reductions. Nothing is split by colour, and what comes out is in the picture's order;
- one matrix gives the differences from the neutral axis, another the intensity: `rdi.gamut`'s fraction then needs ten
  passes over one plane, and the differences times it, less the negative intensity, are the colours;
- the curve is looked up: 17 ms, where the power takes 91, and sums of roots that come within a quarter of an 8-bit step
  40. Each of 65,536 linear values has its code; a step of theirs is 4.5 of the 65,535 codes in BT.709's shadows, less
  than a fiftieth of a step of 8 bits.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rdi.color import TONES
from rdi.companding import expand
from rdi.export.amplifier import look_up
from rdi.export.deployment.picture import LARGEST, TILE, interleave
from rdi.gamut import FARTHEST, KNEE, NEAREST
from rdi.metadata import Companding, Curve

COLOURS = 3
CODES = LARGEST + 1


class CameraPicture(nn.Module):
    """The network's output is white-balanced linear camera RGB, or its root: it is rendered."""

    def __init__(self, curve: Curve = Curve.BT709, companding: Companding = Companding.NONE) -> None:
        super().__init__()
        self.curve, self.companding = curve, companding

    def forward(
        self, tiles: Sequence[Tensor], camera_to_srgb: Tensor, gamut_compression: Tensor, cut: int = 0
    ) -> Tensor:
        """Four of (1, 48, H/8, W/8), (3, 3), float32 scalar in [0, 1] -> (1, H - 2 * cut, W, 3) uint16."""
        darkness = camera_to_srgb.mean(dim=0, keepdim=True) * -LARGEST  # the intensity, negative: it saves a pass
        matrices = camera_to_srgb * LARGEST + darkness, darkness
        codes = code_table(self.curve).expand(TILE * COLOURS, -1).contiguous()
        # By a tensor, not a number: as `Reciprocal` OpenVINO would leave it, and all before it, to the CPU.
        farthest = torch.tensor(KNEE) / (1 - gamut_compression).clamp(min=KNEE / FARTHEST)
        rendered = [self.render(tile.float(), *matrices, codes, farthest) for tile in tiles]
        together = torch.cat([phase[row] for row in range(TILE) for phase in rendered], dim=0)
        return interleave(together.view(TILE, len(tiles) * TILE * COLOURS, -1), tiles[0].shape[2], cut)

    def render(
        self, tile: Tensor, to_differences: Tensor, to_darkness: Tensor, codes: Tensor, farthest: Tensor
    ) -> list[Tensor]:
        """One phase: (column and colour, places) for each row of a tile."""
        rows = []
        for camera in torch.split(tile.view(TILE * TILE, COLOURS, -1), TILE):  # (columns, 3, places): one row of a tile
            light = expand(camera) if self.companding is Companding.ROOT else camera
            differences, darkness = to_differences @ light, to_darkness @ light
            linear = kept_saturation(darkness, differences, farthest) * differences - darkness
            places = linear.clamp(0, LARGEST).to(torch.int32).view(TILE * COLOURS, -1)
            rows.append(look_up(codes, places))
        return rows


def kept_saturation(darkness: Tensor, differences: Tensor, farthest: Tensor) -> Tensor:
    """What `rdi.gamut` leaves of the differences from the neutral axis, (columns, 1, places).

    darkness:    the intensity times -65535, (columns, 1, places)
    differences: times 65535, (columns, 3, places)
    farthest:    q of the colour farthest beyond the hull that is brought inside, a scalar
    """
    below = darkness.clamp(-(1 - NEAREST) * LARGEST, -NEAREST * LARGEST)
    low = differences.amin(dim=1, keepdim=True) / below
    high = differences.amax(dim=1, keepdim=True) / (below + LARGEST)
    way: Tensor = clamp_to(torch.maximum(low, high), torch.tensor(KNEE), farthest)
    kept: Tensor = (way - KNEE**2) / (way * (way + (1 - 2 * KNEE)))
    return kept


@torch.library.custom_op("rdi::clamp_to", mutates_args=())
def clamp_to(values: Tensor, lowest: Tensor, highest: Tensor) -> Tensor:
    """Values within two scalars that are tensors; one operator of ONNX, `Clip`, where `torch.clamp` becomes two.

    A custom operator: `onnx_graph` names its translation.
    """
    return torch.clamp(values, lowest, highest)


@clamp_to.register_fake
def _(values: Tensor, lowest: Tensor, highest: Tensor) -> Tensor:  # noqa: ARG001
    return torch.empty_like(values)


def code_table(curve: Curve) -> Tensor:
    """The 16-bit code of each linear value from k to k + 1 of 65535, at its middle, but for 0: (65536,) uint16."""
    tone = TONES[curve]
    place = torch.arange(CODES, dtype=torch.float32)
    linear = torch.where(place > 0, (place + 0.5) / LARGEST, 0.0)
    power = tone.scale * linear.clamp(min=tone.knee) ** tone.power - tone.offset
    code = torch.where(linear < tone.knee, tone.slope * linear, power).clamp(max=1.0)
    return (code * LARGEST).round().to(torch.uint16)
