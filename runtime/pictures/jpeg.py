"""JPEG with an ICC profile and EXIF, its bands encoded on all cores.

A JPEG may restart its decoder every so many blocks; between two restarts nothing refers to what came before. So each
band is encoded as a picture of its own, and the compressed data are joined by restart markers under one header.

simplejpeg takes the array as it is and lets other threads run; Pillow's libjpeg-turbo is no slower, but Pillow copies
the picture twice and stops every other thread meanwhile (docs/pictures.md has the figures).
"""

import struct
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rdi.depth import in_bits
from rdi.errors import OutputError
from rdi.runtime.pictures.bands import ROWS, Rows, encode_bands, in_bands

SEGMENT = 65_533  # bytes that one segment of a JPEG holds
LARGEST_SIDE = 65_500  # pixels; libjpeg's limit, and every decoder's
_BLOCK = 8
_START, _END, _RESTART = 0xD8, 0xD9, 0xD0
_JFIF, _APP1, _APP2, _FRAME, _SCAN, _RESTART_INTERVAL = 0xE0, 0xE1, 0xE2, 0xC0, 0xDA, 0xDD


class _Band(NamedTuple):
    """A JPEG taken apart: (marker, content) of each segment up to the scan's header, and the compressed data."""

    segments: list[tuple[int, bytes]]
    data: bytes


def write_jpeg(
    strips: Iterable[Rows], shape: tuple[int, ...], path: Path, quality: int, icc: bytes, exif: bytes, threads: int
) -> None:
    """Write (H, W, 3) uint16, in strips from top to bottom, as a JPEG with its colours at full resolution.

    shape:   of the whole picture
    quality: 1 to 100
    icc:     the profile, at most 65 kB
    exif:    with `Exif\\0\\0` before it, at most 65533 bytes
    Raises OutputError for a side of more than 65500 pixels.
    """
    height, width = shape[:2]
    if max(height, width) > LARGEST_SIDE:
        raise OutputError(
            f"{width}x{height} pixels do not fit a JPEG, whose sides end at {LARGEST_SIDE}; choose PNG or TIFF"
        )
    bands = encode_bands(in_bands(strips), partial(_encode, quality=quality), threads)
    added = [(_APP1, exif), (_APP2, b"ICC_PROFILE\0\1\1" + icc)]
    with path.open("wb") as file:
        for number, band in enumerate(bands):
            if number == 0:
                file.write(_header(band.segments, height, width, added))
            else:
                file.write(_marker(_RESTART + (number - 1) % 8))
            file.write(band.data)
        file.write(_marker(_END))


def _encode(band: Rows, quality: int) -> _Band:
    import simplejpeg

    # A restored picture is all saturated stage lights and street lamps: colours keep their full resolution.
    samples = np.ascontiguousarray(in_bits(band, 8))
    return _take_apart(simplejpeg.encode_jpeg(samples, quality, colorspace="RGB", colorsubsampling="444"))


def _take_apart(jpeg: bytes) -> _Band:
    segments: list[tuple[int, bytes]] = []
    at = 2
    while not segments or segments[-1][0] != _SCAN:
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4])
        segments.append((marker, jpeg[at + 4 : at + 2 + length]))
        at += 2 + length
    return _Band(segments, jpeg[at:-2])


def _header(segments: list[tuple[int, bytes]], height: int, width: int, added: list[tuple[int, bytes]]) -> bytes:
    """The header of a band, made one of the whole picture: its height, what is added, and where it restarts."""
    blocks = -(-width // _BLOCK) * (ROWS // _BLOCK)
    out = _marker(_START)
    for marker, content in segments:
        if marker == _FRAME:
            content = content[:1] + struct.pack(">H", height) + content[3:]
        elif marker == _SCAN:
            out += _segment(_RESTART_INTERVAL, struct.pack(">H", blocks))
        out += _segment(marker, content)
        if marker == _JFIF:
            out += b"".join(_segment(*item) for item in added)
    return out


def _segment(marker: int, content: bytes) -> bytes:
    return _marker(marker) + struct.pack(">H", 2 + len(content)) + content


def _marker(number: int) -> bytes:
    return bytes((0xFF, number))
