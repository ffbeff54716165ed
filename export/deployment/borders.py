"""Two convolutions as one, at the edge of the frame.

The trained network pads the result of its first convolution with zeros; one convolution in place of two goes on as if
the first had also been computed outside the frame. What it adds too much there reaches two half-resolution pixels into
the frame, is computed from the outermost four mosaic pixels alone, and is taken off again.
"""

from collections.abc import Callable

from torch import Tensor, nn

from rdi.export.deployment.convolution import Convolution, Padding

RIM = 4  # mosaic pixels: as far as the second convolution reaches beyond the frame, at half resolution
REACH = 8  # mosaic pixels that the first one needs around the outermost place where the second one asks for it


class BorderCorrection(nn.Module):
    """What a composed convolution adds too much at the four edges.

    first:  (middle, 1, 10, 10) with stride 2 on the mosaic, and its bias
    second: (out, middle, 6, 6) with stride 2 on the first one's result: 5x5, in tiles of 2x2
    """

    def __init__(self, first: Tensor, bias: Tensor, second: Tensor) -> None:
        super().__init__()
        self.outside = Convolution(first, bias, stride=(2, 2))
        self.reaching_in = Convolution(-second, stride=(2, 2))

    def forward(self, mosaic: Tensor) -> dict[str, Tensor]:
        """(B, 1, H, W) -> what to add: top, bottom (B, out, 1, W/4), left, right (B, out, H/4, 1).

        Top and bottom take the corners outside the frame with them.
        """
        return {name: self.edge(cut(mosaic), *paddings) for name, (cut, *paddings) in EDGES.items()}

    def edge(self, strip: Tensor, around: Padding, inside: Padding) -> Tensor:
        """One edge from the frame's outermost pixels there: first beyond the frame, then what of it reaches in."""
        beyond = self.outside(strip, around)
        out: Tensor = self.reaching_in(beyond, inside)
        return out


Cut = Callable[[Tensor], Tensor]

# For each edge: its pixels, their padding for the first convolution (no result lies within the frame), and the padding
# of these results for the second one (all results lie within the frame).
EDGES: dict[str, tuple[Cut, Padding, Padding]] = {
    "top": (lambda mosaic: mosaic[:, :, :RIM], (REACH, REACH, REACH, 0), (0, 0, 0, 4)),
    "bottom": (lambda mosaic: mosaic[:, :, -RIM:], (REACH, REACH, 0, REACH), (0, 0, 4, 0)),
    "left": (lambda mosaic: mosaic[..., :RIM], (REACH, 0, 4, 4), (0, 4, 2, 2)),
    "right": (lambda mosaic: mosaic[..., -RIM:], (0, REACH, 4, 4), (4, 0, 2, 2)),
}
