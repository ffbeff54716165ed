"""PNG with 8 or 16 bits per channel, an ICC profile and EXIF, its bands compressed on all cores.

Pillow cannot write 16-bit colour. Rows are Sub-filtered; each band is compressed without looking back at the one before
it, so that the pieces, one after the other, are one stream. The compressor is igzip of Intel's ISA-L, a third of zlib's
work at its fastest (docs/pictures.md has the figures).
"""

import struct
import zlib
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rdi.depth import in_bits
from rdi.runtime.pictures.bands import Rows, encode_bands, in_bands

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRUE_COLOUR, _SUB = 2, 1
_STREAM_HEADER = b"\x78\x01"  # deflate with a window of 32 kB, fast
_STREAM_END = b"\x03\x00"  # an empty last block
_ADLER_BASE = 65_521
_LEVEL = 1  # of igzip's 0 to 3: 0 is no faster and 16 to 38 % larger, 2 and 3 are hardly smaller


class _Band(NamedTuple):
    """Compressed rows as a chunk of the file, with the length and the checksum of what was compressed."""

    chunk: bytes
    length: int
    checksum: int


def write_png(
    strips: Iterable[Rows], shape: tuple[int, ...], path: Path, bits: int, icc: bytes, exif: bytes, threads: int
) -> None:
    """Write (H, W, 3) uint16, in strips from top to bottom, as a PNG.

    shape: of the whole picture
    bits:  8 or 16 per channel
    icc:   the profile
    exif:  TIFF bytes, without `Exif\\0\\0`
    """
    height, width = shape[:2]
    with path.open("wb") as file:
        file.write(_SIGNATURE)
        file.write(_chunk(b"IHDR", struct.pack(">2I5B", width, height, bits, _TRUE_COLOUR, 0, 0, 0)))
        file.write(_chunk(b"iCCP", b"rdi\0\0" + zlib.compress(icc)))
        file.write(_chunk(b"eXIf", exif))
        file.write(_chunk(b"IDAT", _STREAM_HEADER))
        checksum = zlib.adler32(b"")
        for band in encode_bands(in_bands(strips), partial(_encode, bits=bits), threads):
            file.write(band.chunk)
            checksum = _combine(checksum, band)
        file.write(_chunk(b"IDAT", _STREAM_END + struct.pack(">I", checksum)))
        file.write(_chunk(b"IEND", b""))


def _encode(band: Rows, bits: int) -> _Band:
    from isal import isal_zlib

    data = _filtered(band, bits)
    compressor = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -zlib.MAX_WBITS)
    compressed = compressor.compress(data) + compressor.flush(isal_zlib.Z_SYNC_FLUSH)
    return _Band(_chunk(b"IDAT", compressed), len(data), zlib.adler32(data))


def _filtered(rows: Rows, bits: int) -> bytes:
    """Rows as PNG stores them: big-endian bytes, each minus the one a pixel to the left, after the filter's number."""
    samples = in_bits(rows, bits).astype(">u2" if bits == 16 else np.uint8, order="C", copy=False)
    raw = samples.reshape(rows.shape[0], -1).view(np.uint8)
    pixel = 3 * bits // 8
    out = np.empty((raw.shape[0], 1 + raw.shape[1]), dtype=np.uint8)
    out[:, 0] = _SUB
    out[:, 1 : 1 + pixel] = raw[:, :pixel]
    np.subtract(raw[:, pixel:], raw[:, :-pixel], out=out[:, 1 + pixel :])
    return out.tobytes()


def _combine(checksum: int, band: _Band) -> int:
    """Adler-32 of everything so far and of a band after it, from both checksums."""
    low, high = checksum & 0xFFFF, checksum >> 16
    band_low, band_high = band.checksum & 0xFFFF, band.checksum >> 16
    joined_low = (low + band_low - 1) % _ADLER_BASE
    joined_high = (high + band_high + band.length * (low - 1)) % _ADLER_BASE
    return joined_high << 16 | joined_low


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))
