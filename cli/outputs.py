"""Files that a command writes at its end: refused before any work is done if they could not be."""

from collections.abc import Sequence
from pathlib import Path

from rdi.errors import UsageError


def require_out(out: Path | None, suffixes: Sequence[str], what: str = "") -> None:
    """UsageError for an --out with a suffix that says nothing, or in a folder that does not exist.

    what: names what it is of, such as " of --macs"
    """
    if out is None:
        return
    if out.suffix not in suffixes:
        raise UsageError(
            f"--out {out} has no suffix that says what to write{what}; give a {' or '.join(suffixes)} file"
        )
    if not out.parent.is_dir():
        raise UsageError(f"--out {out}: the folder {out.parent} does not exist; make it first")
