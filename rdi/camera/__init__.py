"""Camera files: `RawPhoto` and everything that reads, aligns or writes one."""

import os

from rdi.camera.arrays import photo_from_array
from rdi.camera.cfa import Cfa
from rdi.camera.photo import Frame, RawPhoto, align

__all__ = ["Cfa", "Frame", "RawPhoto", "align", "photo_from_array", "read_photo"]


def read_photo(path: str | os.PathLike[str]) -> RawPhoto:
    """Read a raw photo; see `rdi.camera.reading.read_photo`. LibRaw is only loaded here."""
    from rdi.camera import reading

    return reading.read_photo(path)
