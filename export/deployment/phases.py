"""A 3x3 convolution on a picture that is kept as four smaller ones, so that nothing is interleaved before it.

The four *phases* of a picture are its pixels with even or odd row and even or odd column: (even, even), (even, odd),
(odd, even), (odd, odd), each at half its size. A pixel's neighbours above and below lie in the other row phase, those
beside it in the other column phase. So each phase of the result is the sum of four small convolutions: 1x1 on its own
phase, 2x1 and 1x2 on its neighbours, 2x2 on the diagonal one: nine taps, as many as before.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from rdi.export.deployment.convolution import Convolution, Padding, total

PHASES = ((0, 0), (0, 1), (1, 0), (1, 1))  # (row, column): the order of every list of four


class PhaseConvolution(nn.Module):
    """`conv2d(picture, weight, padding=1)`, from the picture's phases to the result's.

    weight: (out, in, 3, 3)
    """

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.own = Convolution(weight[:, :, 1:2, 1:2])
        self.other_row = Convolution(weight[:, :, 0::2, 1:2])
        self.other_column = Convolution(weight[:, :, 1:2, 0::2])
        self.diagonal = Convolution(weight[:, :, 0::2, 0::2])

    def forward(self, phases: Sequence[Tensor], starts: Sequence[Tensor | None]) -> list[Tensor]:
        """Four of (B, in, H, W), and what is to be added to the results (or None), -> four of (B, out, H, W)."""
        return [self.one(phases, row, column, start) for (row, column), start in zip(PHASES, starts, strict=True)]

    def one(self, phases: Sequence[Tensor], row: int, column: int, start: Tensor | None) -> Tensor:
        """One phase of the result."""
        left, right, top, bottom = neighbours(row, column)
        terms = (
            self.diagonal(phases[phase(1 - row, 1 - column)], (left, right, top, bottom)),
            self.other_row(phases[phase(1 - row, column)], (0, 0, top, bottom)),
            self.other_column(phases[phase(row, 1 - column)], (left, right, 0, 0)),
            self.own(phases[phase(row, column)]),
        )
        return total(terms, start)


def phase(row: int, column: int) -> int:
    """Where a phase stands in a list of four."""
    return PHASES.index((row, column))


def neighbours(row: int, column: int, reach: int = 1) -> Padding:
    """Padding for a phase's view of the other one.

    An even row's neighbours begin above it, an odd row's end below it; likewise for columns.
    """
    return (reach * (1 - column), reach * column, reach * (1 - row), reach * row)
