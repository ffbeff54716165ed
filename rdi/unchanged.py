"""Files that change while they are read, such as those that are still being copied: half of one, half of another."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rdi.errors import InputError


@contextmanager
def unchanged(path: Path) -> Iterator[None]:
    """Raise InputError where a file was written to, replaced or removed while the block read it.

    A decoder notices little of that: LibRaw makes up what is missing, and a JPEG goes on with the bytes that it finds.
    """
    before = _stamp(path)
    try:
        yield
    except InputError as error:  # perhaps of a half of the file
        _require(before, path, error)
        raise
    _require(before, path)


def _require(before: tuple[int, ...] | None, path: Path, said: InputError | None = None) -> None:
    if before != _stamp(path):
        raise InputError(
            f"{path} was changed or removed while it was read; try again when nothing writes to it"
        ) from said


def _stamp(path: Path) -> tuple[int, ...] | None:
    """Which file it is, its size and its time; None where it is not there, as whoever opens it reports."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
