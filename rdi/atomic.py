"""Files that appear whole or not at all, and rows of files."""

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rdi.errors import OutputError
from rdi.leftovers import noted, temporary_name
from rdi.locks import in_turn

_NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


@contextmanager
def atomic_path(path: Path, *, replace: bool = True) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends well, remove it otherwise.

    The temporary name keeps the suffix, for libraries that choose a format by it. What a process that was killed left
    of the same `path` is removed (`rdi.leftovers`).

    replace: whether a file that is there when the block ends is replaced; otherwise it stays, and OutputError says so
    Raises OutputError where the folder is missing or cannot be written, or the path is a folder.
    """
    kept = None if replace else list[Path]()
    with atomic_paths(path, kept=kept) as (temporary,):
        yield temporary
    if kept:
        raise OutputError(f"{path} was written by another program meanwhile, and stays; give another path")


@contextmanager
def atomic_paths(*paths: Path, kept: list[Path] | None = None) -> Iterator[tuple[Path, ...]]:
    """`atomic_path` for files that belong together: all are on the disk before the first of them is renamed.

    They are renamed one right after the other, the last one first, so that the first never stands without the others;
    a file system knows no way to rename two at once. Of two processes that write the same files one renames all of
    its own before the other.

    kept: where a list is given, no file is replaced that is there when the block ends, and those that had to stay are
          added to the list
    """
    try:
        with ExitStack() as stack:
            temporaries = tuple(stack.enter_context(_temporary_beside(path)) for path in paths)
            yield temporaries
            for temporary in temporaries:
                _flush(temporary)
            if len(paths) > 1 or (paths and kept is not None):
                stack.enter_context(in_turn(paths[0].parent))
            for temporary, path in reversed([*zip(temporaries, paths, strict=True)]):
                if kept is None:
                    temporary.replace(path)
                elif not _rename_to_free(temporary, path):
                    kept.append(path)
    except OSError as error:
        raise cannot_write(" and ".join(map(str, paths)), error) from error


def _rename_to_free(temporary: Path, path: Path) -> bool:
    """Rename a file, which is the last thing done to it, unless something has that name; whether it was renamed.

    A link is refused where the name is taken, and a rename is not. A disk that knows no links (FAT, some network
    drives) is asked first: there another program can come between, but no rdi, which waits its turn.
    """
    try:
        os.link(temporary, path)
        return True  # the temporary name goes with the block
    except OSError:
        if path.exists():
            return False
    temporary.replace(path)  # also in place of a link that points to nothing
    return True


def cannot_write(what: object, error: OSError) -> OutputError:
    """What the system refused, and what to do about it."""
    room = "make room, or " if error.errno in _NO_ROOM else ""
    return OutputError(f"cannot write {what}: {error.strerror or error}; {room}give another path")


def append_whole(path: Path, data: bytes) -> None:
    """Add bytes to the end of a file, on the disk when this returns, or leave it as it was; OSError where that fails.

    A disk that gets full takes a part of them without an error, and refuses the next.
    """
    with path.open("ab", buffering=0) as file:
        before, rest = file.seek(0, os.SEEK_END), memoryview(data)
        try:
            while rest:
                rest = rest[file.write(rest) :]
            os.fsync(file.fileno())
        except BaseException:
            file.truncate(before)
            raise


@contextmanager
def _temporary_beside(path: Path) -> Iterator[Path]:
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give the name of a file to write")
    temporary = temporary_name(path)
    with noted(path, temporary):
        _create(temporary, path)
        try:
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)


def _create(temporary: Path, path: Path) -> None:
    """An empty file, as readable as any other new one."""
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    except OSError as error:
        raise cannot_write(path, error) from error


def _flush(path: Path) -> None:
    """Have the bytes on the disk before the name points at them: a pulled plug must not leave an empty file."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
