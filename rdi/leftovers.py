"""What a killed process had half written is removed by the next one that writes the same file.

While a file is being written, a note beside it, `.NAME.writing`, says under which name, and a lock on the note says
that its writer lives: the system lets go of it however the writer ends. So nothing of a living process is ever taken
for a dead one's. The note is locked and not the file itself, because over SMB nobody may write to a locked file but by
the handle that locked it. Where notes cannot be locked none is left, and nothing is removed.
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rdi.locks import UnlockableError, lock_file, unlock_file

NOTE = ".writing"
_LONGEST = 120  # bytes of a file's name that go into others: a file system takes 255
_TRIES = 8  # each but the last one means that another writer ended just then
_TEMPORARY = re.compile(r"\.[^/]*\.[0-9a-f]{12}(\.[^/.]*)?")


def temporary_name(path: Path) -> Path:
    """A hidden name beside `path` that nobody has, with its suffix."""
    return path.with_name(f".{_shortened(path.stem)}.{os.urandom(6).hex()}{path.suffix}")


@contextmanager
def noted(path: Path, temporary: Path) -> Iterator[None]:
    """Within the block it is known that `temporary` is to become `path`; what a killed process left of it is removed.

    Where another process writes the same file just now, this one goes without a note: it does not wait, and leaves
    what it wrote if it is killed, too.
    """
    note = path.with_name(f".{_shortened(path.name)}{NOTE}")
    handle = _claim(note)
    if handle is None:
        yield
        return
    try:
        _remove_named(handle, note)
        with suppress(OSError):  # a full disk, which the file itself will tell of
            os.ftruncate(handle, 0)
            os.pwrite(handle, os.fsencode(temporary.name), 0)
        yield
    finally:
        _remove_named(handle, note)
        _drop(handle, note)


def remove_leftovers(folder: Path) -> None:
    """Remove what killed processes had half written in a folder, which may be missing; living ones' files stay."""
    for note in folder.glob(f".*{NOTE}"):
        handle = _claim(note)
        if handle is not None:
            _remove_named(handle, note)
            _drop(handle, note)


def _claim(note: Path) -> int | None:
    """The note, locked; None where a living process has it, or where it cannot be locked."""
    if sys.platform == "win32":  # which neither removes nor renames what is open
        return None
    for _ in range(_TRIES):
        try:
            handle = lock_file(note)
        except UnlockableError:  # which nobody else can lock there either
            with suppress(OSError):
                note.unlink()
            return None
        except OSError:
            return None
        if handle is None:
            return None
        with suppress(OSError):
            if os.path.samestat(os.fstat(handle), note.lstat()):
                return handle
        unlock_file(handle)  # the one that had it removed it meanwhile: another may lock the next of that name
    return None


def _remove_named(handle: int, note: Path) -> None:
    name = os.fsdecode(os.pread(handle, 1024, 0))
    if _TEMPORARY.fullmatch(name):  # whoever may write here could write anything into a note
        with suppress(OSError):
            note.with_name(name).unlink()


def _drop(handle: int, note: Path) -> None:
    """Remove a note while it is still locked."""
    try:
        with suppress(OSError):
            note.unlink()
    finally:
        unlock_file(handle)


def _shortened(name: str) -> str:
    while len(os.fsencode(name)) > _LONGEST:
        name = name[:-1]
    return name
