"""One writer at a time: a lock that ends with its owner, however that ends."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rdi.errors import OutputError

LOCK = ".lock"


@contextmanager
def writer_lock(folder: Path) -> Iterator[None]:
    """Hold a cache for writing; the system lets go of it when this process ends, also by kill -9.

    Raises OutputError while another process holds it.
    """
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _acquire(handle, folder)
        yield
    finally:
        os.close(handle)  # which unlocks it; the file stays, for a name that goes can be locked twice


def _acquire(handle: int, folder: Path) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise OutputError(f"another `rdi prepare` is writing {folder}; wait for it, or give another --cache") from error
