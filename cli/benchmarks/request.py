"""What all modes of `rdi bench` are given, and what they give back."""

import sys
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from rdi.errors import UsageError

RUNS = 7


class Figures(Protocol):
    """What a benchmark found."""

    def to_dict(self) -> dict[str, Any]:
        """For programs."""

    def markdown(self) -> str:
        """For people."""


class Request(NamedTuple):
    """The options, None where not given; which of them a mode takes stands in the table of `rdi.cli.bench`.

    subject: the folder or file that the mode itself names
    """

    model: Path | None = None
    checkpoint: Path | None = None
    sizes: str | None = None
    backends: str | None = None
    threads: int | None = None
    runs: int | None = None
    memory: bool | None = None
    subject: Path | None = None

    @property
    def rounds(self) -> int:
        """Timed runs of each."""
        return self.runs or RUNS

    def size_list(self, default: str) -> list[tuple[int, int]]:
        """(height, width) of each size that was asked for; UsageError for what is none."""
        text = self.sizes or default
        try:
            pairs = [part.split("x") for part in text.split(",")]
            return [(int(height), int(width)) for height, width in pairs]
        except ValueError as error:
            raise UsageError(
                f"--sizes {text} cannot be read; give HEIGHTxWIDTH, for example 2848x4256,832x1248"
            ) from error


def observe(text: str) -> None:
    """Say what is going on."""
    print(text, file=sys.stderr)
