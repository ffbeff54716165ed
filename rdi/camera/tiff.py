"""Directories of TIFF-like files (ARW, NEF, CR2, DNG, ORF, ...), read with bounds that no hostile file can stretch."""

import struct
from dataclasses import dataclass, field
from typing import BinaryIO

# Type number -> struct code and bytes; rationals are pairs.
_TYPES = {1: "B", 2: "B", 3: "H", 4: "I", 5: "II", 6: "b", 7: "B", 8: "h", 9: "i", 10: "ii", 11: "f", 12: "d"}
_TYPES |= {13: "I", 16: "Q", 17: "q", 18: "Q"}

MAKE, SUB_IFDS, DNG_VERSION = 271, 330, 50706
MAX_DIRECTORIES = 64
MAX_ENTRIES = 512  # of one directory: LibRaw refuses longer ones, and cameras need a hundred
MAX_VALUES = 1 << 18  # of one field: a gigapixel has fewer tiles of 64x64
# Byte order and version of TIFF, BigTIFF and Olympus's own.
_MAGICS = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">", b"IIRO": "<", b"IIRS": "<", b"MMOR": ">"}
_MAGICS |= {b"IIU\0": "<"}  # Panasonic
_ORDERS = {b"II": "<", b"MM": ">"}  # all that LibRaw looks at


@dataclass(frozen=True)
class Field:
    """One entry of a directory: its type, how many values, and where in the file they stand."""

    kind: int
    count: int
    position: int


Directory = dict[int, Field]


@dataclass
class Tiff:
    """The directories of an open file.

    directories: the first one, those chained to it and their sub-directories, at most 64
    cut:         a directory, or values of one, should stand behind the end of the file
    """

    file: BinaryIO
    size: int
    order: str
    big: bool
    directories: list[Directory] = field(default_factory=list)
    cut: bool = False

    def values(self, directory: Directory, tag: int) -> tuple[float, ...]:
        """The numbers of a field, rationals divided; () where it is absent, unreadable or absurdly long."""
        entry = directory.get(tag)
        if entry is None or entry.kind not in _TYPES or entry.count > MAX_VALUES:
            return ()
        code = _TYPES[entry.kind]
        length = struct.calcsize(f"{self.order}{code}") * entry.count
        data = _read(self.file, entry.position, length)
        if len(data) < length:
            self.cut = True
            return ()
        numbers = struct.unpack(f"{self.order}{entry.count * len(code)}{code[0]}", data)
        if len(code) == 1:
            return numbers
        return tuple(a / b if b else float("nan") for a, b in zip(numbers[::2], numbers[1::2], strict=True))

    def integers(self, directory: Directory, tag: int) -> tuple[int, ...]:
        """The whole numbers of a field."""
        return tuple(value for value in self.values(directory, tag) if isinstance(value, int))

    def read(self, position: int, length: int) -> bytes:
        """Bytes of the file, fewer where it ends."""
        return _read(self.file, position, length)


def open_tiff(file: BinaryIO, size: int) -> Tiff | None:
    """Read the directories of an open file of `size` bytes; None if it does not begin like a TIFF.

    With a version that is none of TIFF's it is one all the same where a directory names a camera or a DNG's version:
    LibRaw does not look at the version, and a flipped bit must not pass for an unknown format.
    """
    magic = _read(file, 0, 4)
    if magic in _MAGICS:
        return _read_directories(Tiff(file, size, _MAGICS[magic], big=b"+" in magic))
    if magic[:2] not in _ORDERS:
        return None
    tiff = _read_directories(Tiff(file, size, _ORDERS[magic[:2]], big=False))
    return tiff if any({MAKE, DNG_VERSION} & directory.keys() for directory in tiff.directories) else None


def _read_directories(tiff: Tiff) -> Tiff:
    """Find all directories that the first one leads to."""
    first = _read_word(tiff, 8 if tiff.big else 4)
    pending = [(first, True)] if first else []
    seen = set()
    while pending and len(tiff.directories) < MAX_DIRECTORIES:
        offset, required = pending.pop()
        if offset in seen:
            continue
        seen.add(offset)
        if offset + 2 > tiff.size:
            tiff.cut |= required  # writers leave garbage in the pointer to a next directory, not in the others
            continue
        directory, following = _read_directory(tiff, offset)
        tiff.directories.append(directory)
        if following:
            pending.append((following, False))
        pending += [(child, True) for child in tiff.integers(directory, SUB_IFDS)[:MAX_DIRECTORIES]]
    return tiff


def _read_directory(tiff: Tiff, offset: int) -> tuple[Directory, int]:
    count_code, entry_code = ("Q", "HHQ8s") if tiff.big else ("H", "HHI4s")
    start = offset + struct.calcsize(f"{tiff.order}{count_code}")
    size = struct.calcsize(f"{tiff.order}{entry_code}")
    head = _read(tiff.file, offset, start - offset)
    count = min(struct.unpack(f"{tiff.order}{count_code}", head)[0], MAX_ENTRIES) if len(head) == start - offset else 0
    data = _read(tiff.file, start, count * size)
    tiff.cut |= len(data) < count * size
    fields: Directory = {}
    for i in range(len(data) // size):
        tag, kind, values, _ = struct.unpack_from(f"{tiff.order}{entry_code}", data, i * size)
        position = start + (i + 1) * size - (8 if tiff.big else 4)
        if _length(kind, values) > (8 if tiff.big else 4):
            position = _read_word(tiff, position)
        fields[tag] = Field(
            kind, values, position
        )  # of a tag that stands twice LibRaw and Pillow take the last one, too
    return fields, _read_word(tiff, start + count * size)


def _length(kind: int, count: int) -> int:
    return struct.calcsize(f"<{_TYPES.get(kind, 'B')}") * count


def _read_word(tiff: Tiff, position: int) -> int:
    """A file offset; 0 behind the end of the file."""
    code, size = ("Q", 8) if tiff.big else ("I", 4)
    data = _read(tiff.file, position, size)
    return int(struct.unpack(f"{tiff.order}{code}", data)[0]) if len(data) == size else 0


def _read(file: BinaryIO, position: int, length: int) -> bytes:
    if position >= 1 << 62:  # beyond what seek takes
        return b""
    file.seek(position)
    return file.read(length)
