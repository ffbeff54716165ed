"""Decoded pictures in one file that has no name: kept on disk, not in memory, and gone with the last process.

Loader workers fill it as they need pictures and share what it holds; the pages they look at belong to the file, so the
system may drop them at any time. A process that is killed leaves nothing behind, as the file was unlinked when made.
"""

import mmap
import os
import struct
import sys
import tempfile
from multiprocessing import reduction
from multiprocessing.context import get_spawning_popen
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

_RECORD = struct.Struct("<II")  # height and width of a picture that is there; 0, 0 before
_PAGE = mmap.ALLOCATIONGRANULARITY


def place_for_pictures() -> Path:
    """Where the file goes: TMPDIR if that is set, else /var/tmp, which is a disk even where /tmp is memory."""
    named = os.environ.get("TMPDIR")
    on_disk = Path("/var/tmp")
    if not named and on_disk.is_dir() and os.access(on_disk, os.W_OK):
        return on_disk
    return Path(tempfile.gettempdir())


class PictureStore:
    """Room for pictures of known sizes; each is put there once, by whichever process decodes it first.

    Two processes that decode the same picture write the same bytes, so nobody has to wait for anybody. After a fork,
    and in processes that multiprocessing spawns on POSIX, the store is the same one; elsewhere a copy is empty and
    keeps nothing, which costs time and changes no picture.
    """

    _descriptor: int | None = None
    _map: mmap.mmap | None = None

    def __init__(self, sizes: list[int], folder: Path) -> None:
        """sizes: bytes of each picture. Raises OSError where no file can be made."""
        starts = np.cumsum([_pages(_RECORD.size * len(sizes)), *map(_pages, sizes)])
        self._starts = [int(start) for start in starts]
        self._sizes = list(sizes)
        with tempfile.TemporaryFile(dir=folder, prefix="rdi-photos-", buffering=0) as file:
            file.truncate(max(self._starts[-1], _PAGE))  # sparse: takes room as pictures come
            self._open(os.dup(file.fileno()))

    def __len__(self) -> int:
        return len(self._sizes)

    def get(self, index: int) -> Picture | None:
        """A picture that is there, (H, W, 3) uint8, read-only, as a view of the file; None before it was put."""
        if self._map is None:
            return None
        height, width = _RECORD.unpack_from(self._map, index * _RECORD.size)
        if not height:
            return None
        flat = np.frombuffer(self._map, np.uint8, height * width * 3, self._starts[index])
        return flat.reshape(height, width, 3)

    def put(self, index: int, picture: Picture) -> None:
        """Keep a picture, if it has the size that was said and the disk has room."""
        if self._descriptor is None or picture.nbytes > self._sizes[index]:
            return
        try:
            _write(self._descriptor, np.ascontiguousarray(picture).data.cast("B"), self._starts[index])
            # The record comes last: what has a height is complete.
            _write(self._descriptor, memoryview(_RECORD.pack(*picture.shape[:2])), index * _RECORD.size)
        except OSError:  # a full disk: the next process decodes it again
            return

    def close(self) -> None:
        """Give the file back; what `get` returned stays valid as long as it is held."""
        descriptor = self._descriptor
        self._descriptor = self._map = None
        if descriptor is not None:
            os.close(descriptor)

    def _open(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._map = None if descriptor is None else mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)

    def __del__(self) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        """For a process that is being spawned, its own descriptor of the file; for any other pickle, none."""
        passed: Any = None
        if self._descriptor is not None and sys.platform != "win32" and get_spawning_popen() is not None:
            passed = reduction.DupFd(self._descriptor)
        return {"starts": self._starts, "sizes": self._sizes, "descriptor": passed}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._starts, self._sizes = state["starts"], state["sizes"]
        self._open(None if state["descriptor"] is None else state["descriptor"].detach())


def _pages(size: int) -> int:
    return -(-size // _PAGE) * _PAGE


def _write(descriptor: int, data: memoryview, offset: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, offset)
        data, offset = data[written:], offset + written
