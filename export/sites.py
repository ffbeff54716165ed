"""Values per CFA site inside the graph: how four (or 36) numbers meet a mosaic of any size at little cost."""

import torch
from torch import Tensor

from rdi.camera.cfa import Cfa


class Sites:
    """Spreads per-site values over a mosaic.

    A Bayer mosaic is viewed as (1, 1, H/2, 2, W), over which a (2, W) pattern broadcasts: 10 ms on 12 megapixels, where
    a six-dimensional view with a (2, 2) pattern costs 53. X-Trans' period of 6 does not divide the frame's size, a
    multiple of 32, so its pattern is as large as the frame.
    """

    def __init__(self, cfa: Cfa) -> None:
        self.period = cfa.period

    def view(self, mosaic: Tensor) -> Tensor:
        """The mosaic (1, 1, H, W) in the shape over which `tile`'s pattern broadcasts."""
        height, width = mosaic.shape[-2:]
        return mosaic.view(1, 1, height // 2, 2, width) if self.period == 2 else mosaic

    def tile(self, values: Tensor, mosaic: Tensor) -> Tensor:
        """(sites,) values in raster order -> a pattern for `view(mosaic)`: (2, W), or (H, W) for X-Trans."""
        height, width = mosaic.shape[-2:]
        cell = values.view(self.period, self.period)
        if self.period == 2:
            return cell.repeat(1, width // 2)
        rows, columns = (torch.arange(size) % self.period for size in (height, width))
        return cell.index_select(1, columns).index_select(0, rows)
