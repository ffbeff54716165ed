"""Whether the disk holds what is to be written."""

import shutil
from pathlib import Path

from rdi.errors import OutputError

SPARE = 64 << 20  # bytes: the manifest, entries, and what others write meanwhile


def require_space(cache: Path, needed: int) -> None:
    """Raise OutputError where the disk of a folder has not `needed` bytes and a little more."""
    free = shutil.disk_usage(cache).free
    if needed + SPARE > free:
        raise OutputError(
            f"the cache needs {as_gigabytes(needed + SPARE)} more in {cache}, and only {as_gigabytes(free)} are free "
            f"({needed + SPARE:,} and {free:,} bytes); make room or give another --cache"
        )


def as_gigabytes(number: int) -> str:
    """Bytes for people: `12.3 GB`, or megabytes below one."""
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.1f} MB"
