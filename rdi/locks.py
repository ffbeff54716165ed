"""One writer at a time: locks that end with their owner, however that ends."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rdi.errors import OutputError

LOCK = ".lock"

_TAKEN = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)  # the last two on Windows

_held: set[int] = set()


@contextmanager
def writer_lock(folder: Path, busy: str) -> Iterator[None]:
    """Hold a folder for writing; the system lets go of it when this process ends, also by kill -9.

    busy: what OutputError says while another process holds it
    """
    try:
        handle = lock_file(folder / LOCK)
    except OSError as error:
        raise OutputError(f"cannot write {folder / LOCK}: {error.strerror}; give another folder") from error
    if handle is None:
        raise OutputError(busy)
    try:
        yield
    finally:
        unlock_file(handle)  # the file stays, for a name that goes can be locked twice


class UnlockableError(OSError):
    """A file on a disk that knows no locks, as some network drives do not."""


def lock_file(path: Path) -> int | None:
    """Open a file, made if missing, and lock it; None where another has it locked.

    returns: what `unlock_file` takes
    Raises OSError for a file that cannot be opened, UnlockableError for one that cannot be locked.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    _held.add(handle)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        unlock_file(handle)
        if error.errno in _TAKEN:
            return None
        raise UnlockableError(error.errno, error.strerror, str(path)) from error
    return handle


def unlock_file(handle: int) -> None:
    """Close a file, which unlocks it."""
    _held.discard(handle)
    os.close(handle)


@contextmanager
def in_turn(folder: Path) -> Iterator[None]:
    """Wait until nobody else is within such a block of the same folder; for moments, and never one within another.

    Where a folder cannot be locked (Windows, some network drives) nobody waits.
    """
    handle = None
    try:
        with suppress(OSError, ImportError):
            import fcntl

            handle = os.open(folder, os.O_RDONLY)
            _held.add(handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        if handle is not None:
            unlock_file(handle)


def _let_go() -> None:
    """A fork shares its parent's locks as long as it has the files open: a loader's worker would outlive its owner."""
    for handle in _held:
        os.close(handle)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
