"""Two convolutions as one, at the edge of the frame.

The trained network pads the result of its first convolution with zeros; one convolution in place of two goes on as if
the first had also been computed outside the frame. What it adds too much there comes from the outermost pixels alone,
reaches only the outermost ones, and is taken off again.
"""

import torch
from torch import Tensor, nn

from rdi.export.deployment.convolution import Convolution, Padding

Edges = dict[str, Tensor]


class BorderCorrection(nn.Module):
    """What a composed convolution adds too much at the four edges.

    first:  (middle, in, k, k), its bias, and its stride, smaller than k
    second: (out, middle, n, n) on the first one's result, with `tile` as stride: it reaches (n - tile) / 2 beyond the
            frame, at most `tile`
    """

    def __init__(self, first: Tensor, bias: Tensor, second: Tensor, *, stride: int = 1, tile: int = 1) -> None:
        super().__init__()
        self.outside = Convolution(first, bias, stride=(stride, stride))
        self.reaching_in = Convolution(-second, stride=(tile, tile))
        self.rim = (first.shape[2] - stride) // 2  # pixels of the frame that the first sees from just outside of it
        self.beyond = (second.shape[2] - tile) // 2  # results of the first, outside the frame, that the second sees
        self.reach = stride * self.beyond + self.rim  # pixels outside the frame that the first sees, all of them zero
        self.within = self.beyond + tile  # results of the first, within the frame, that the second sees from the edge

    def forward(self, x: Tensor) -> Edges:
        """(B, in, H, W) -> what to add to the result's outermost rows (B, out, 1, W') and columns (B, out, H', 1).

        Top and bottom take the corners outside the frame with them.
        """
        rim, reach, beyond, within = self.rim, self.reach, self.beyond, self.within
        return {
            "top": self.edge(x[:, :, :rim], (reach, reach, reach, 0), (0, 0, 0, within)),
            "bottom": self.edge(x[:, :, -rim:], (reach, reach, 0, reach), (0, 0, within, 0)),
            "left": self.edge(x[..., :rim], (reach, 0, rim, rim), (0, within, beyond, beyond)),
            "right": self.edge(x[..., -rim:], (0, reach, rim, rim), (within, 0, beyond, beyond)),
        }

    def edge(self, strip: Tensor, around: Padding, inside: Padding) -> Tensor:
        """One edge from the frame's outermost pixels there: the first beyond the frame, then what of it reaches in."""
        out: Tensor = self.reaching_in(self.outside(strip, around), inside)
        return out


def add_edges(x: Tensor, edges: Edges) -> Tensor:
    """(1, out, H, W) with its outermost rows and columns corrected; edges may be left out.

    `scatter_add` works in place in onnxruntime, where an addition would read and write everything; on a flat tensor it
    takes a quarter of the time, because it works out one index for each value in place of four. It adds in float32 in
    any case: onnxruntime's CPU provider cannot add halves up.
    """
    _, channels, height, width = x.shape
    flat = x.float().reshape(-1)
    planes = torch.arange(channels).view(-1, 1) * (height * width)
    for name, values in edges.items():
        if name in ("top", "bottom"):
            places = torch.arange(width) + (height - 1) * width * (name == "bottom")
        else:
            places = torch.arange(height) * width + (width - 1) * (name == "right")
        flat = flat.scatter_add(0, (planes + places).flatten(), values.float().flatten())
    return flat.view(x.shape).to(x.dtype)
