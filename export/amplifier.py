"""The amplifier (paper, Eq. 5) as a part of the graph: the same estimate as `rdi.amplifier`, in tensor operations.

ONNX has no histogram. Instead, a table holds w and w * x of each raw value at each CFA site, every pixel looks its pair
up, and the pairs are summed. The table is made from the level *inputs*, so that the graph serves every camera.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rdi.amplifier import BINS, HIGHEST, LOWEST, RAW_VALUES, TARGET, MConvention, bin_edges, bin_weights
from rdi.camera.cfa import Cfa
from rdi.export.sites import Sites

# Pixels that are added up in float32 before float64 takes over. A whole row in float32 is wrong by up to 3e-6 on flat
# frames, whose roundings all go the same way; looking up float64 pairs costs a third more time.
BLOCK = 16


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
        self.register_buffer("pick_both", torch.eye(2).repeat(BLOCK, 1))
        self.register_buffer("weights", torch.from_numpy(np.append(bin_weights(), np.float32(0))))

    def forward(self, mosaic: Tensor, black_level: Tensor, white_level: Tensor, m: Tensor) -> Tensor:
        """The amplification, a float32 scalar."""
        table = self.table(black_level, white_level)  # (sites * 65536, 2)
        offsets = self.sites.tile(torch.arange(black_level.shape[0], dtype=torch.int32) * RAW_VALUES, mosaic)
        rows = (self.sites.view(mosaic).to(torch.int32) + offsets).flatten()
        pairs = functional.embedding(rows, table)  # `index_select` would widen the rows to int64 first
        # A product with ones and zeros, because onnxruntime's sum over an inner dimension takes six times as long.
        blocks = pairs.view(-1, 2 * BLOCK) @ self.pick_both  # type: ignore[operator]
        total, weighted = blocks.to(torch.float64).sum(dim=0).unbind()
        return self.ratio(total, weighted, m.to(torch.float64)).to(torch.float32)

    def table(self, black_level: Tensor, white_level: Tensor) -> Tensor:
        """w and w * x of each raw value at each site, (sites * 65536, 2) float32."""
        raw = torch.arange(RAW_VALUES, dtype=torch.float32)
        black = black_level.unsqueeze(1)
        # A real division: multiplying by the reciprocal moves x = 1 into the last bin for some levels.
        x = (torch.relu(raw - black) / (white_level - black)).flatten()
        weight = self.weights.index_select(0, self.bins(x))  # type: ignore[operator]
        return torch.stack((weight, weight * x), dim=1)

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
