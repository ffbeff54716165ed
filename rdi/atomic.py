"""Files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rdi.errors import OutputError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends well, remove it otherwise.

    The temporary name keeps the suffix, for libraries that choose a format by it. Raises OutputError where the folder
    is missing or cannot be written, or the path is a folder.
    """
    with atomic_paths(path) as (temporary,):
        yield temporary


@contextmanager
def atomic_paths(*paths: Path) -> Iterator[tuple[Path, ...]]:
    """`atomic_path` for files that belong together: all are on the disk before the first of them is renamed.

    They are renamed one right after the other, the last one first, so that the first never stands without the others;
    a file system knows no way to rename two at once.
    """
    temporaries: list[Path] = []
    try:
        for path in paths:
            temporaries.append(_temporary_beside(path))
        yield tuple(temporaries)
        for temporary in temporaries:
            _flush(temporary)
            temporary.chmod(0o666 & ~_umask())  # mkstemp gives 0600; a picture is as readable as any other new file
        for temporary, path in reversed([*zip(temporaries, paths, strict=True)]):
            temporary.replace(path)
    except OSError as error:
        names = " and ".join(map(str, paths))
        raise OutputError(f"cannot write {names}: {error.strerror or error}") from error
    finally:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)


def _temporary_beside(path: Path) -> Path:
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give the name of a file to write")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem[:80]}.", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; give another path") from error
    os.close(handle)
    return Path(name)


def _flush(path: Path) -> None:
    """Have the bytes on the disk before the name points at them: a pulled plug must not leave an empty file."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
