"""One writer at a time: a lock on a folder that ends with its owner, however that ends."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rdi.errors import OutputError

LOCK = ".lock"

_held: set[int] = set()


@contextmanager
def writer_lock(folder: Path, busy: str) -> Iterator[None]:
    """Hold a folder for writing; the system lets go of it when this process ends, also by kill -9.

    busy: what OutputError says while another process holds it
    """
    try:
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise OutputError(f"cannot write {folder / LOCK}: {error.strerror}; give another folder") from error
    _held.add(handle)
    try:
        _acquire(handle, busy)
        yield
    finally:
        _held.discard(handle)
        os.close(handle)  # which unlocks it; the file stays, for a name that goes can be locked twice


def _acquire(handle: int, busy: str) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise OutputError(busy) from error


def _let_go() -> None:
    """A fork shares its parent's locks as long as it has the files open: a loader's worker would outlive its owner."""
    for handle in _held:
        os.close(handle)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
