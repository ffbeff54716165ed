"""The amplifier (paper, Eq. 5) as a part of the graph: the same estimate as `rdi.amplifier`, in tensor operations.

ONNX has no histogram. Instead, two tables hold w and w * x of each raw value at each CFA site, every pixel looks both
up, and they are summed. The tables are made from the level *inputs*, so that the graph serves every camera.
"""

import numpy as np
import torch
from torch import Tensor, nn

from rdi.amplifier import BINS, HIGHEST, LOWEST, RAW_VALUES, TARGET, MConvention, bin_edges, bin_weights
from rdi.camera.cfa import Cfa
from rdi.export.sites import Sites

# Pixels that are added up in float32 before float64 takes over. A whole row in float32 is wrong by up to 3e-6 on flat
# frames, whose roundings all go the same way.
BLOCK = 16

# Parts of a frame that look up at once: onnxruntime's `GatherElements` gives each row of its index a thread, and wants
# a table for each row. It takes 7 ms on 12 megapixels where `Gather`, which copies with memcpy, takes 30.
ROWS = 4


class Amplifier(nn.Module):
    """Estimates the amplification of a frame.

    mosaic:      (1, 1, H, W) uint16; all of it counts, padding too
    black_level: (sites,) float32
    white_level, m: float32 scalars
    returns:     float32 scalar, equal to `rdi.amplifier.estimate_amplification` within 1e-6
    """

    def __init__(self, cfa: Cfa, convention: MConvention) -> None:
        super().__init__()
        self.sites = Sites(cfa)
        self.convention = convention
        # One more edge and weight than bins, so that the last bin has a right neighbour and x >= 1 weighs nothing.
        self.register_buffer("edges", torch.from_numpy(np.append(bin_edges(), np.float32(np.inf))))
        self.register_buffer("weights", torch.from_numpy(np.append(bin_weights(), np.float32(0))))

    def forward(self, mosaic: Tensor, black_level: Tensor, white_level: Tensor, m: Tensor) -> Tensor:
        """The amplification, a float32 scalar."""
        offsets = self.sites.tile(torch.arange(black_level.shape[0], dtype=torch.int32) * RAW_VALUES, mosaic)
        places = (self.sites.view(mosaic).to(torch.int32) + offsets).view(ROWS, -1)
        total, weighted = (look_up_and_add(table, places) for table in self.tables(black_level, white_level))
        return self.ratio(total, weighted, m.to(torch.float64)).to(torch.float32)

    def tables(self, black_level: Tensor, white_level: Tensor) -> tuple[Tensor, Tensor]:
        """w and w * x of each raw value at each site, each (sites * 65536,) float32."""
        raw = torch.arange(RAW_VALUES, dtype=torch.float32)
        black = black_level.unsqueeze(1)
        # A real division: multiplying by the reciprocal moves x = 1 into the last bin for some levels.
        x = (torch.relu(raw - black) / (white_level - black)).flatten()
        weight = self.weights.index_select(0, self.bins(x))  # type: ignore[operator]
        return weight, weight * x

    def bins(self, x: Tensor) -> Tensor:
        """The bin k of each x: edge k <= x < edge k + 1; the last one, k = 127, for x >= 1.

        The logarithm that spaces the edges tells the bin up to its own rounding; two comparisons settle it exactly.
        """
        guess = torch.floor(torch.log2(255 * x + 1) * ((BINS - 1) / 8)).clamp(0, BINS - 1).to(torch.int32)
        too_low = x >= self.edges.index_select(0, guess + 1)  # type: ignore[operator]
        too_high = x < self.edges.index_select(0, guess)  # type: ignore[operator]
        return guess + too_low.to(torch.int32) - too_high.to(torch.int32)

    def ratio(self, total: Tensor, weighted: Tensor, m: Tensor) -> Tensor:
        """Eq. 5 from its two sums, all float64 scalars; black frames give 300, frames without weight 1."""
        inner, outer = (m, 1.0) if self.convention is MConvention.BEFORE_CLIP else (1.0, m)
        estimate = (inner * TARGET * total / weighted).clamp(LOWEST, HIGHEST)
        estimate = torch.where(weighted == 0, HIGHEST, estimate)
        estimate = torch.where(total == 0, LOWEST, estimate)
        return outer * estimate


def look_up_and_add(table: Tensor, places: Tensor) -> Tensor:
    """The float64 sum of table[places]; table: (N,) float32, places: (ROWS, pixels / ROWS) int32."""
    values: Tensor = look_up(table.expand(ROWS, -1).contiguous(), places)
    return values.view(-1, BLOCK).sum(dim=1).to(torch.float64).sum()


@torch.library.custom_op("rdi::look_up", mutates_args=())
def look_up(tables: Tensor, places: Tensor) -> Tensor:
    """values[r, i] = tables[r, places[r, i]]; one operator of ONNX, `GatherElements`.

    A custom operator, because `torch.gather` takes int64 only: twice the memory, and 10 ms more on 12 megapixels.
    `onnx_graph` names its translation.
    """
    if tables.dtype is torch.uint16:  # which torch moves, but does not gather
        halves: Tensor = look_up(tables.view(torch.int16), places)
        return halves.view(torch.uint16)
    values: Tensor = tables.gather(1, places.long())
    return values


@look_up.register_fake
def _(tables: Tensor, places: Tensor) -> Tensor:
    return torch.empty_like(places, dtype=tables.dtype)
