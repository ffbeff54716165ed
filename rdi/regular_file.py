"""Files that are read as a whole, or handed to a library by name: regular ones, of a size that such a file can have.

A pipe would hang whoever opens it, a device never end, and a sparse file of a terabyte take all memory.
"""

import stat
from pathlib import Path


def require_regular(path: Path, most: int, kind: str) -> None:
    """Refuse what is no regular file or larger than such a file can be.

    most: bytes
    kind: what it should be, for the message
    Raises ValueError, whose text continues the file's name; OSError where the system has no such file.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("is a folder" if stat.S_ISDIR(status.st_mode) else "is no regular file")
    if status.st_size > most:
        raise ValueError(f"has {status.st_size / 1e6:.0f} MB, no {kind} of rdi more than {most / 1e6:.0f}")


def read_regular(path: Path, most: int, kind: str) -> bytes:
    """The bytes of a file; arguments and errors of `require_regular`."""
    require_regular(path, most, kind)
    return path.read_bytes()
