"""How `rdi eval` says what it does and what it found."""

import json
import sys
from pathlib import Path
from typing import Any, Protocol

from rdi.cli.terminal import printable


class Found(Protocol):
    """Figures, for people and for programs."""

    def markdown(self) -> str:
        """Tables, and how they were measured."""

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""


def show(found: Found, out: Path | None, as_json: bool) -> None:
    """Print the tables, or JSON; write them to a file too, by its suffix (.md or .json)."""
    from rdi.atomic import atomic_path

    figures = json.dumps(found.to_dict(), indent=1, allow_nan=False)
    print(figures if as_json else printable(found.markdown()))
    if out:  # after the figures are shown: a disk that is full must not take them along
        with atomic_path(out) as temporary:
            text = figures if out.suffix == ".json" else printable(found.markdown())
            temporary.write_text(f"{text}\n", encoding="utf-8", errors="backslashreplace")


def tell(text: str) -> None:
    """One line about what is being done."""
    print(printable(text), file=sys.stderr)
