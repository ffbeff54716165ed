"""What a raw file's container says of itself, read before LibRaw touches it.

LibRaw is silent on truncated files: it makes up the missing pixels. So the container's own figures are compared with
the file's size first:

| format | checked by |
|---|---|
| TIFF-like: ARW, SR2, NEF, NRW, CR2, DNG, PEF, SRW, ORF, ERF, 3FR, ... | offset + byte count of every strip and tile |
| DNG besides | that strips and tiles hold the pixels that the directory claims: `rdi.camera.mosaics` |
| RAF (Fujifilm) | offset + length of the mosaic in its header |
| CR3 (Canon), other ISO boxes | the sizes of the top-level boxes |
| RW2, RWL (Panasonic, Leica) | only that the mosaic begins within the file: its length is not recorded |
| CRW, MRW, IIQ and everything else | not at all, which `RawPhoto.warnings` says |
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from rdi.camera.layout import COMPRESSION, STRIP_COUNTS, STRIP_OFFSETS, TILE_COUNTS, TILE_OFFSETS
from rdi.camera.mosaics import (
    CR2_SLICES,
    LOSSLESS_JPEG,
    require_decodable_jpegs,
    require_version,
    require_whole_mosaic,
)
from rdi.camera.tiff import DNG_VERSION, MAKE, Directory, Tiff, open_tiff
from rdi.errors import InputError, NotARawPhotoError, TruncatedPhotoError, UnsupportedMosaicError

_RAW_NAMES = (
    "3fr arw bay cr2 cr3 crw dcr dng erf fff iiq k25 kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f"
)
RAW_SUFFIXES = frozenset(f".{name}" for name in _RAW_NAMES.split())  # under which raw files come

RAF_MAGIC = b"FUJIFILMCCD-RAW "
RW2_MAGIC = b"IIU\0"
FOVEON_MAGIC = b"FOVb"
PHASE_ONE_MAGICS = (b"IIII", b"MMMM")  # IIQ: the TIFF around it describes the preview only
_PICTURES = {b"\xff\xd8\xff": "a JPEG", b"\x89PNG": "a PNG", b"GIF8": "a GIF", b"BM": "a BMP", b"8BPS": "a Photoshop"}
_BRANDS = {b"heic": "a HEIC", b"heix": "a HEIC", b"mif1": "a HEIF", b"avif": "an AVIF"}

PHOTOMETRIC, SAMPLES = 262, 277
BLACK_REPEAT, BLACK_LEVEL, BLACK_DELTA_H, BLACK_DELTA_V = 50713, 50714, 50715, 50716
ACTIVE_AREA, CFA_PLANE_COLOUR, SAMPLE_FORMAT = 50829, 50710, 339
CFA, LINEAR_RAW, FLOAT = 32803, 34892, 3
RW2_DATA_OFFSET = 0x118
MAX_BOXES = 10_000


@dataclass(frozen=True, eq=False)
class Container:
    """What the container says that LibRaw does not.

    is_dng:      whether the file is a DNG
    checked:     whether the format says where the file must end
    size:        of the file, bytes
    pixels:      of the largest mosaic that a DNG's directories claim, and hold; None for other files
    black_level: (rows, columns) DN of a DNG's repeating pattern, fractions kept (LibRaw cuts them, and hands out no
                 more than four numbers); None for other files
    active_area: (row, column) of the sensor where that pattern begins
    """

    is_dng: bool = False
    black_level: NDArray[np.float64] | None = None
    active_area: tuple[int, int] = (0, 0)
    checked: bool = True
    size: int = 0
    pixels: int | None = None


def check_container(path: Path) -> Container:
    """Refuse what is no raw photo, or not all of one.

    Raises InputError for a file that is missing or cannot be opened, NotARawPhotoError for a folder, an empty file or a
    finished picture, TruncatedPhotoError for a file that ends before its picture data or holds less of it than it
    claims, UnsupportedMosaicError for Foveon files and DNGs without a mosaic.
    """
    try:
        if path.is_dir():
            raise NotARawPhotoError(f"{path} is a folder, not a raw photo; give a file in it")
        if not path.exists():
            raise InputError(f"{path} does not exist; give the path of a raw photo")
        if not path.is_file():
            raise NotARawPhotoError(f"{path} is not a regular file; give the path of a raw photo")
        with path.open("rb") as file:
            return _check_file(file, path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def _check_file(file: BinaryIO, path: Path) -> Container:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(128)
    if not head:
        raise NotARawPhotoError(f"{path} is empty; copy it from the camera again")
    _refuse_pictures(head, path)
    tiff = open_tiff(file, size)
    is_dng = tiff is not None and any(DNG_VERSION in directory for directory in tiff.directories)
    panasonic = head.startswith(RW2_MAGIC) and not is_dng  # LibRaw takes a DNG for one whatever it begins with
    if head.startswith(RAF_MAGIC):
        missing = _missing_of_raf(head, size)
    elif head[4:8] == b"ftyp":
        missing = _missing_of_boxes(file, size)
    elif tiff:
        missing = _missing_of_rw2(tiff) if panasonic else _missing_of_tiff(tiff)
    else:
        missing = 0
    if missing:
        amount = "1 byte or more is" if missing == 1 else f"{missing:,} bytes or more are"
        raise TruncatedPhotoError(f"{path} is cut off: {amount} missing at its end; copy it from the camera again")
    if tiff is None or panasonic:
        known = tiff is not None or head.startswith(RAF_MAGIC) or head[4:8] == b"ftyp"
        return Container(checked=known, size=size)
    _refuse_finished_tiff(tiff, path)
    if is_dng:
        return replace(_dng_container(tiff, path), size=size)
    _require_decodable(tiff, path)
    return Container(checked=not any(magic in head[:32] for magic in PHASE_ONE_MAGICS), size=size)


def _mosaics(tiff: Tiff) -> list[Directory]:
    return [directory for directory in tiff.directories if tiff.integers(directory, PHOTOMETRIC) == (CFA,)]


def _require_decodable(tiff: Tiff, path: Path) -> None:
    """Of files other than DNG, whose makers use TIFF's fields as they like."""
    sony = any(
        bytes(tiff.integers(one, MAKE)[:4]).upper() == b"SONY" for one in tiff.directories if _is_text(one, MAKE)
    )
    for directory in tiff.directories:
        compressed = tiff.integers(directory, COMPRESSION) == (LOSSLESS_JPEG,)
        if CR2_SLICES in directory or (compressed and tiff.integers(directory, PHOTOMETRIC) == (CFA,)):
            require_decodable_jpegs(tiff, directory, path, tiled=sony)


def _is_text(directory: Directory, tag: int) -> bool:
    return tag in directory and directory[tag].kind in (1, 2, 7)


def _dng_container(tiff: Tiff, path: Path) -> Container:
    """Row and column deltas of the black level are averaged in, as LibRaw does."""
    require_version(tiff, path)
    mosaics = _mosaics(tiff)
    found = Container(is_dng=True, pixels=max((require_whole_mosaic(tiff, one, path) for one in mosaics), default=0))
    if len(mosaics) != 1:
        return found
    repeat = tiff.integers(mosaics[0], BLACK_REPEAT) or (1, 1)
    levels = tiff.values(mosaics[0], BLACK_LEVEL) or (0,)
    if len(repeat) != 2 or min(repeat) < 1 or len(levels) != repeat[0] * repeat[1]:
        return found
    deltas = [tiff.values(mosaics[0], tag) for tag in (BLACK_DELTA_H, BLACK_DELTA_V)]
    offset = sum(sum(delta) / len(delta) for delta in deltas if delta)
    top, left, *_ = (*tiff.integers(mosaics[0], ACTIVE_AREA), 0, 0)
    levels_of_sites = np.reshape(np.array(levels, dtype=np.float64) + offset, repeat)
    return replace(found, black_level=levels_of_sites, active_area=(top, left))


def _refuse_pictures(head: bytes, path: Path) -> None:
    kind = next((name for magic, name in _PICTURES.items() if head.startswith(magic)), None)
    if head[4:8] == b"ftyp":
        kind = _BRANDS.get(head[8:12])
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        kind = "a WebP"
    if head.startswith(FOVEON_MAGIC):
        raise UnsupportedMosaicError(
            f"{path} is a Foveon photo (X3F): every pixel counts all three colours; a Bayer or X-Trans mosaic is needed"
        )
    if kind is not None:
        raise NotARawPhotoError(f"{path} is {kind} picture, already finished; give the camera's raw file instead")


def _refuse_finished_tiff(tiff: Tiff, path: Path) -> None:
    """LibRaw takes a grey TIFF for an RGGB mosaic, magenta filters for green ones, and scales floating-point pixels."""
    images = [tiff.integers(directory, PHOTOMETRIC) for directory in tiff.directories]
    if (CFA,) in images:
        mosaic = tiff.directories[images.index((CFA,))]
        if tiff.integers(mosaic, SAMPLE_FORMAT) == (FLOAT,):
            raise UnsupportedMosaicError(
                f"{path} holds floating-point pixels (merged exposures?); give the original raw"
            )
        if not set(tiff.integers(mosaic, CFA_PLANE_COLOUR)) <= {0, 1, 2}:
            raise UnsupportedMosaicError(
                f"{path} has colour filters other than red, green and blue; rdi cannot read it"
            )
        return
    if (LINEAR_RAW,) in images:
        linear = tiff.directories[images.index((LINEAR_RAW,))]
        kind = "a monochrome DNG" if tiff.integers(linear, SAMPLES) == (1,) else "a linear (already demosaiced) DNG"
        raise UnsupportedMosaicError(f"{path} is {kind}; a Bayer or X-Trans mosaic is needed: give the original raw")
    if not any(MAKE in directory or DNG_VERSION in directory for directory in tiff.directories):
        raise NotARawPhotoError(
            f"{path} is a TIFF picture, already finished, or a damaged raw file; give the camera's raw file, "
            "or copy it from the camera again"
        )


def _missing_of_tiff(tiff: Tiff) -> int:
    """Bytes that the strips and tiles lack at the end of the file; at least 1 if a directory itself is cut."""
    end = 0
    for directory in tiff.directories:
        for offsets, counts in ((STRIP_OFFSETS, STRIP_COUNTS), (TILE_OFFSETS, TILE_COUNTS)):
            pairs = zip(tiff.integers(directory, offsets), tiff.integers(directory, counts), strict=False)
            end = max([end, *(offset + count for offset, count in pairs)])
    return max(end - tiff.size, int(tiff.cut))


def _missing_of_raf(head: bytes, size: int) -> int:
    """The mosaic's offset and length stand at bytes 100 and 104 of the header, big-endian."""
    if len(head) < 108:
        return 1
    offset, length = struct.unpack_from(">II", head, 100)
    return max(int(offset + length) - size, 0)


def _missing_of_rw2(tiff: Tiff) -> int:
    offsets = tiff.integers(tiff.directories[0], RW2_DATA_OFFSET) if tiff.directories else ()
    return max(offsets[0] + 1 - tiff.size, 0) if offsets else int(tiff.cut)


def _missing_of_boxes(file: BinaryIO, size: int) -> int:
    end = max((box.start + box.size for box in boxes(file, 0, size)), default=size)
    return max(end - size, 0)


@dataclass(frozen=True)
class Box:
    """One box of an ISO base media file: four letters, and where it and its content stand."""

    kind: bytes
    start: int
    size: int
    content: int


def boxes(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """The boxes that follow each other from `start`; the last one may reach beyond `end`."""
    for _ in range(MAX_BOXES):
        file.seek(start)
        head = file.read(16)
        if start >= end or len(head) < 8:
            return
        size, kind = struct.unpack_from(">I4s", head)
        content = start + 8
        if size == 1 and len(head) == 16:  # a 64-bit size follows
            size, content = struct.unpack_from(">Q", head, 8)[0], start + 16
        elif size == 0:  # to the end of the file
            size = end - start
        if size < content - start:
            return
        yield Box(kind, start, size, content)
        start += size
