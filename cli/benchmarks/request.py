"""What all modes of `rdi bench` are given, and what they give back."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from rdi.cli.terminal import tell
from rdi.errors import UsageError

if TYPE_CHECKING:
    from rdi.page import Plot

RUNS = 7
SIZE = "2848x4256"  # the paper's, where one is enough


class Figures(Protocol):
    """What a benchmark found."""

    def to_dict(self) -> dict[str, Any]:
        """For programs."""

    def markdown(self) -> str:
        """For people."""


class Drawable(Figures, Protocol):
    """What can be drawn too."""

    def plots(self) -> "list[Plot]":
        """For a page."""

    def svg(self, caption: str) -> str:
        """A plot with the machine below it, as a whole SVG file."""


class Request(NamedTuple):
    """The options, None where not given; which of them a mode takes stands in the table of `rdi.cli.bench`.

    subject: the folder or file that the mode itself names
    """

    subject: Path | None = None
    model: Path | None = None
    checkpoint: Path | None = None
    sizes: str | None = None
    backends: str | None = None
    providers: str | None = None
    threads: int | None = None
    runs: int | None = None
    memory: bool | None = None
    trials: int | None = None

    @property
    def rounds(self) -> int:
        """Timed runs of each."""
        return self.runs or RUNS

    def size_list(self, default: str) -> list[tuple[int, int]]:
        """(height, width) of each size that was asked for; UsageError for what is none."""
        text = self.sizes or default
        try:
            sizes = [(int(height), int(width)) for height, width in (part.split("x") for part in text.split(","))]
        except ValueError:
            sizes = []
        if not sizes or min(map(min, sizes)) < 1:
            raise UsageError(f"--sizes {text} cannot be read; give HEIGHTxWIDTH, for example 2848x4256,832x1248")
        return sizes

    def one_size(self) -> tuple[int, int]:
        """(height, width) of the one frame size of a mode that takes no more; UsageError for several."""
        size, *more = self.size_list(SIZE)
        if more:
            raise UsageError(f"one size is measured here; --sizes {self.sizes} has {1 + len(more)}: give one of them")
        return size


def observe(text: str) -> None:
    """Say what is going on."""
    tell(text)
