"""Where the fields of a TIFF-like file stand, so that mutants can aim at them."""

import struct
from dataclasses import dataclass

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_POINTERS = frozenset((330, 34665, 34853))  # sub-directories, EXIF, GPS
_MOST = 16  # directories


@dataclass(frozen=True)
class Entry:
    """A field: where its twelve bytes stand, and where its values."""

    position: int
    tag: int
    kind: int
    count: int
    values: int

    @property
    def size(self) -> int:
        """Bytes of one value."""
        return _SIZES.get(self.kind, 1)


@dataclass(frozen=True)
class Map:
    """Of a file: its byte order (of `struct`), where its directories stand, and their fields."""

    order: str
    directories: tuple[int, ...]
    entries: tuple[Entry, ...]


def map_of(data: bytes) -> Map:
    """The map of a sound file."""
    order = ">" if data.startswith(b"MM") else "<"
    pending, directories, entries = [struct.unpack_from(f"{order}I", data, 4)[0]], list[int](), list[Entry]()
    while pending and len(directories) < _MOST:
        start = pending.pop(0)
        if start in directories or not 0 < start < len(data) - 2:
            continue
        directories.append(start)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        found = [_entry(data, order, start + 2 + 12 * number) for number in range(count)]
        entries += found
        for entry in found:
            if entry.tag in _POINTERS:
                pending += struct.unpack_from(f"{order}{entry.count}I", data, entry.values)
        pending += struct.unpack_from(f"{order}I", data, start + 2 + 12 * count)
    return Map(order, tuple(directories), tuple(entries))


def _entry(data: bytes, order: str, position: int) -> Entry:
    tag, kind, count, value = struct.unpack_from(f"{order}HHII", data, position)
    inline = _SIZES.get(kind, 1) * count <= 4
    return Entry(position, tag, kind, count, position + 8 if inline else value)
