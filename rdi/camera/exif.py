"""EXIF of raw files: what the camera says of itself and the exposure, and the block to put into a restored picture.

Pillow reads the directories of TIFF-like files by itself (never `Image.open` on a raw: it would open the preview).
Fuji's RAF keeps them in a JPEG, Canon's CR3 in boxes of its own; for anything else the embedded preview may have them.
"""

import io
import math
import os
import struct
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from rdi.camera.containers import RAF_MAGIC, boxes

if TYPE_CHECKING:
    from PIL.Image import Exif

EXIF_IFD, GPS_IFD = 0x8769, 0x8825
MAKE, MODEL, ORIENTATION = 271, 272, 274
EXPOSURE_TIME, ISO, EXPOSURE_INDEX = 33434, 34855, 34866
ISO_OVERFLOW = 65535  # the 16-bit field's way of saying: look at the exposure index

# Of the first directory: what describes the photo. The rest of it describes the raw file's own pixels.
_KEPT = (270, MAKE, MODEL, 305, 306, 315, 33432)
# Of the EXIF directory: maker note, user comment, interoperability, and what describes the camera's own JPEG: component
# order, bits, colour space, size, gamma.
_DROPPED = frozenset((37500, 37510, 40965, 37121, 37122, 40961, 40962, 40963, 42240))
_TIFF_HEAD = 4 << 20  # directories of cameras stand in the first megabytes
_LEAST_BUDGET = 1 << 20  # bytes that may be read of any file, however small
_SOI, _APP1, _SOS, _EXIF = b"\xff\xd8", 0xFFE1, 0xFFDA, b"Exif\0\0"  # of JPEG
_LIKE_TIFF = {b"IIRO": b"II*\0", b"IIRS": b"II*\0", b"MMOR": b"MM\0*", b"IIU\0": b"II*\0"}


@dataclass(frozen=True)
class PhotoTags:
    """What the EXIF directories say.

    make, model:   of the camera; "" where they do not say
    iso:           as shot; None where they do not say
    exposure_time: seconds; None where they do not say
    block:         EXIF for a restored picture: TIFF bytes without `Exif\\0\\0`, orientation 1; b"" where there is none
    """

    make: str = ""
    model: str = ""
    iso: float | None = None
    exposure_time: float | None = None
    block: bytes = b""


@dataclass(frozen=True)
class Directories:
    """Tag -> value as Pillow reads it, of the first, the EXIF and the GPS directory."""

    main: Mapping[int, Any] = field(default_factory=dict)
    exif: Mapping[int, Any] = field(default_factory=dict)
    gps: Mapping[int, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.exif) or MODEL in self.main


def read_tags(path: Path, preview: Callable[[], bytes]) -> PhotoTags:
    """Read the EXIF of a raw file, from its container or else from its embedded preview.

    preview: gives the embedded JPEG, b"" if there is none; only called where the container has no EXIF
    """
    with path.open("rb") as file:
        found = _read_quietly(lambda: _of_container(file)) or _read_quietly(lambda: _of_jpeg(preview()))
    exposure_time = _number(found.exif.get(EXPOSURE_TIME, found.main.get(EXPOSURE_TIME)))
    return PhotoTags(
        make=_text(found.main.get(MAKE)),
        model=_text(found.main.get(MODEL)),
        iso=_iso(found),
        exposure_time=exposure_time,
        block=_block(found) if found else b"",
    )


def _read_quietly(read: Callable[[], Directories]) -> Directories:
    """EXIF is an extra: damage in it must not cost the photo. Pillow answers damage with any of these."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read()
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, struct.error, OverflowError):
        return Directories()


def _of_container(file: BinaryIO) -> Directories:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(92)
    if head.startswith(RAF_MAGIC):
        offset, length = struct.unpack_from(">II", head, 84)
        file.seek(offset)
        return _of_jpeg(file.read(min(length, _TIFF_HEAD)))
    if head[4:8] == b"ftyp":
        return _of_cr3(file, size)
    file.seek(0)
    if head[:4] in _LIKE_TIFF:  # Pillow wants TIFF's own magic
        return _of_exif(_load(io.BytesIO(_LIKE_TIFF[head[:4]] + file.read(_TIFF_HEAD)[4:]), _TIFF_HEAD))
    return _of_exif(_load(file, size))


class _Metered:
    """A file of which no more than so many bytes are read, seeks aside.

    A hostile directory names the whole file as the value of each of its fields: a megabyte becomes fifty gigabytes.
    """

    def __init__(self, file: BinaryIO, budget: int) -> None:
        self._file, self._budget = file, budget
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        """Read; OSError once the budget is used up."""
        data = self._file.read(size)
        self._budget -= len(data)
        if self._budget < 0:
            raise OSError("directories that are larger than their file")
        return data


def _load(file: BinaryIO, size: int) -> "Exif":
    """Pillow's view of a TIFF file of `size` bytes; honest directories name each of them about once."""
    from PIL import Image

    exif = Image.Exif()
    exif.load_from_fp(cast(BinaryIO, _Metered(file, _LEAST_BUDGET + 2 * size)))
    return exif


def _of_jpeg(jpeg: bytes) -> Directories:
    block = _exif_segment(jpeg)
    return _of_exif(_load(io.BytesIO(block), len(block))) if block else Directories()


def _exif_segment(jpeg: bytes) -> bytes:
    """The TIFF bytes of a JPEG's first EXIF segment; b"" where it has none."""
    position = len(_SOI)
    while jpeg.startswith(_SOI) and position + 4 <= len(jpeg):
        marker, length = struct.unpack_from(">HH", jpeg, position)
        content = jpeg[position + 4 : position + 2 + length]
        if marker == _APP1 and content.startswith(_EXIF):
            return content[len(_EXIF) :]
        if marker == _SOS or length < 2:
            break
        position += 2 + length
    return b""


def _of_exif(exif: "Exif") -> Directories:
    return Directories(dict(exif), dict(exif.get_ifd(EXIF_IFD)), dict(exif.get_ifd(GPS_IFD)))


def _of_cr3(file: BinaryIO, size: int) -> Directories:
    """Canon keeps each directory as a small TIFF file of its own: boxes CMT1, CMT2 and CMT4 in moov's uuid box."""
    found: dict[bytes, dict[int, Any]] = {}
    for moov in (box for box in boxes(file, 0, size) if box.kind == b"moov"):
        moov_end = min(moov.start + moov.size, size)
        for uuid in (box for box in boxes(file, moov.content, moov_end) if box.kind == b"uuid"):
            uuid_end = min(uuid.start + uuid.size, moov_end)
            for box in boxes(file, uuid.content + 16, uuid_end):
                if box.kind in (b"CMT1", b"CMT2", b"CMT4"):
                    file.seek(box.content)
                    end = min(box.start + box.size, uuid_end)
                    block = file.read(min(max(end - box.content, 0), _TIFF_HEAD))
                    found[box.kind] = dict(_load(io.BytesIO(block), len(block)))
    return Directories(found.get(b"CMT1", {}), found.get(b"CMT2", {}), found.get(b"CMT4", {}))


def _block(found: Directories) -> bytes:
    """The directories without what belongs to the raw file or its preview."""
    main: dict[int, Any] = {tag: text for tag in _KEPT if (text := _text(found.main.get(tag)))} | {ORIENTATION: 1}
    exif = {tag: value for tag, value in found.exif.items() if tag not in _DROPPED}
    for directories in (
        (main, exif, found.gps),
        (main, exif, {}),
        (main, {}, {}),
    ):  # a field that cannot be written back
        block = _write_quietly(*directories)
        if block:
            return block
    return b""


def _write_quietly(main: Mapping[int, Any], exif: Mapping[int, Any], gps: Mapping[int, Any]) -> bytes:
    from PIL import Image

    block = Image.Exif()
    for tag, value in main.items():
        block[tag] = value
    for directory, values in ((EXIF_IFD, exif), (GPS_IFD, gps)):
        if values:
            block.get_ifd(directory).update(values)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return block.tobytes()[len(_EXIF) :]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, struct.error, OverflowError, ZeroDivisionError):
        return b""


def _iso(found: Directories) -> float | None:
    iso = _number(found.exif.get(ISO, found.main.get(ISO)))
    if iso is None or iso >= ISO_OVERFLOW:
        return _number(found.exif.get(EXPOSURE_INDEX)) or iso
    return iso


def _number(value: Any) -> float | None:
    """A finite number above 0, of a field that may hold several or nonsense."""
    if isinstance(value, tuple):
        value = value[0] if value else None
    if not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except (ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _text(value: Any) -> str:
    """Without the zero at its end and other control characters, which a terminal would obey."""
    text = value.split("\0")[0] if isinstance(value, str) else ""
    return "".join(char if char >= " " and not "\x7f" <= char <= "\x9f" else " " for char in text).strip()
