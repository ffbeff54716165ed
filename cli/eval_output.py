"""How `rdi eval` says what it does and what it found."""

from pathlib import Path
from typing import Any, Protocol

from rdi.cli.terminal import show as show_text
from rdi.cli.terminal import tell as tell
from rdi.printable import printable
from rdi.strict_json import write_json


class Found(Protocol):
    """Figures, for people and for programs."""

    def markdown(self) -> str:
        """Tables, and how they were measured."""

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""


def show(found: Found, out: Path | None, as_json: bool) -> None:
    """Print the tables, or JSON; write them to a file too, by its suffix (.md or .json)."""
    from rdi.atomic import atomic_path

    figures = write_json(found.to_dict(), indent=1)
    show_text(figures if as_json else found.markdown())
    if out:  # after the figures are shown: a disk that is full must not take them along
        with atomic_path(out) as temporary:
            text = figures if out.suffix == ".json" else printable(found.markdown())
            temporary.write_text(f"{text}\n", encoding="utf-8", errors="backslashreplace")
