"""16-bit TIFF with an ICC profile and the whole EXIF: an uncompressed file that every editor reads.

Pillow writes no 16-bit colour, tifffile refuses EXIF's and GPS's directories; Pillow's directory writer takes both.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rdi.runtime.pictures.bands import Rows, in_bands

if TYPE_CHECKING:
    from PIL.Image import Exif

_SHORT, _LONG, _UNDEFINED = 3, 4, 7
_RGB, _INTERLEAVED, _UNCOMPRESSED = 2, 1, 1
_STRIP_BYTES = 1 << 20
# Tags of the first directory that say something of the photo, not of how its pixels are stored.
_KEPT = (0x010E, 0x010F, 0x0110, 0x0112, 0x0131, 0x0132, 0x013B, 0x8298, 0x8769, 0x8825)


def write_tiff(strips: Iterable[Rows], shape: tuple[int, ...], path: Path, icc: bytes, exif: "Exif") -> None:
    """Write (H, W, 3) uint16, in strips from top to bottom, as a TIFF with 16 bits per channel.

    shape: of the whole picture
    """
    rows = max(1, _STRIP_BYTES // (shape[1] * 6))
    directory = _directory(shape, rows, icc, exif)
    with path.open("wb") as file:
        file.write(b"II*\0\x08\0\0\0")
        file.write(directory.tobytes(offset=8))
        for strip in in_bands(strips):  # bands, so that a strip is never copied as a whole
            file.write(strip.astype("<u2").tobytes())


def _directory(shape: tuple[int, ...], rows: int, icc: bytes, exif: "Exif") -> Any:
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    height, width = shape[:2]
    strips = [min(rows, height - first) * width * 6 for first in range(0, height, rows)]
    directory = ImageFileDirectory_v2()
    for tag in _KEPT:
        if tag in exif:
            directory[tag] = exif.get_ifd(tag) if tag in (0x8769, 0x8825) else exif[tag]
    for tag, kind, value in (
        (256, _LONG, width),
        (257, _LONG, height),
        (258, _SHORT, (16, 16, 16)),
        (259, _SHORT, _UNCOMPRESSED),
        (262, _SHORT, _RGB),
        (273, _LONG, tuple(int(offset) for offset in np.cumsum([0, *strips[:-1]]))),  # Pillow adds where they begin
        (277, _SHORT, 3),
        (278, _LONG, rows),
        (279, _LONG, tuple(strips)),
        (284, _SHORT, _INTERLEAVED),
        (339, _SHORT, (1, 1, 1)),
        (34675, _UNDEFINED, icc),
    ):
        directory.tagtype[tag] = kind
        directory[tag] = value
    return directory
