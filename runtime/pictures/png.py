"""PNG with 8 or 16 bits per channel, an ICC profile and EXIF, written chunk by chunk.

Pillow cannot write 16-bit colour, and pyvips, which can, is eight megabytes and one more licence (LGPL) for the core
install: sixty lines of numpy and zlib do it, in bounded memory. Rows are Sub-filtered, then coded with run lengths and
Huffman codes only: on photographs zlib's search for longer matches takes twice the time and finds nothing.
"""

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from rdi.runtime.pictures.depth import to_8_bits

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRUE_COLOUR, _SUB = 2, 1
_BLOCK = 64  # rows filtered and compressed at a time


def write_png(picture: NDArray[np.uint16], path: Path, bits: int, icc: bytes, exif: bytes) -> None:
    """Write (H, W, 3) uint16 as a PNG.

    bits: 8 or 16 per channel
    icc:  the profile
    exif: TIFF bytes, without `Exif\\0\\0`
    """
    height, width = picture.shape[:2]
    with path.open("wb") as file:
        file.write(_SIGNATURE)
        _chunk(file, b"IHDR", struct.pack(">2I5B", width, height, bits, _TRUE_COLOUR, 0, 0, 0))
        _chunk(file, b"iCCP", b"rdi\0\0" + zlib.compress(icc))
        _chunk(file, b"eXIf", exif)
        _write_pixels(file, picture, bits)
        _chunk(file, b"IEND", b"")


def _write_pixels(file: BinaryIO, picture: NDArray[np.uint16], bits: int) -> None:
    compressor = zlib.compressobj(level=1, strategy=zlib.Z_RLE)
    for first in range(0, picture.shape[0], _BLOCK):
        data = compressor.compress(_filtered(picture[first : first + _BLOCK], bits))
        if data:
            _chunk(file, b"IDAT", data)
    _chunk(file, b"IDAT", compressor.flush())


def _filtered(rows: NDArray[np.uint16], bits: int) -> bytes:
    """Rows as PNG stores them: big-endian bytes, each minus the one a pixel to the left, after the filter's number."""
    samples = to_8_bits(rows) if bits == 8 else rows.astype(">u2")
    raw = samples.reshape(rows.shape[0], -1).view(np.uint8)
    pixel = 3 * bits // 8
    out = np.empty((raw.shape[0], 1 + raw.shape[1]), dtype=np.uint8)
    out[:, 0] = _SUB
    out[:, 1 : 1 + pixel] = raw[:, :pixel]
    np.subtract(raw[:, pixel:], raw[:, :-pixel], out=out[:, 1 + pixel :])
    return out.tobytes()


def _chunk(file: BinaryIO, name: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(name))))
