"""Hostile raw files, each a function of a seed's name and a number alone.

    python -m tests.fuzz.mutants rggb-ljpeg 137 --out mutant.dng

in the checkout makes the mutant `rggb-ljpeg-137` again. Half of the mutations know the format: fields, types, counts,
pointers, the lossless JPEG's header. The others do not: flipped bits, runs, cuts, blocks zeroed, repeated, moved, of
another file.
"""

import argparse
import random
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

from tests.fuzz.fields import Entry, Map, map_of
from tests.fuzz.seeds import REAL, generated_seeds, seed, suffix

Change = Callable[[random.Random, bytearray, str], None]  # changes a file of that seed in place

# Dimensions, bits, compression, offsets, counts, tiles, sub-directories, pattern, EXIF, version, levels, matrices,
# balance, areas, orientation: the fields by which a file can mislead.
_AIMED = frozenset((254, 256, 257, 258, 259, 262, 271, 273, 274, 277, 278, 279, 322, 323, 324, 325, 330, 33421, 33422))
_AIMED |= {33434, 34665, 34855, 37122, 50706, 50707, 50710, 50711, 50713, 50714, 50717, 50721, 50728, 50778, 50829}
_AIMED |= {29264, 29456, 29459}  # Sony's own
_NUMBERS: tuple[int, ...] = (0, 1, 2, 3, 6, 7, 8, 12, 14, 16, 21, 22, 31, 64, 127, 128, 255, 256, 4096, 16383)
_NUMBERS += (32767, 32768, 60000, 65535, 65536, 10**6, 2**24, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)
_TAGS = (
    *sorted(_AIMED),
    50715,
    50716,
    50712,
    50830,
    51008,
    51009,
    51022,
    700,
    34675,
    37500,
    50740,
    50752,
    339,
    317,
    513,
)
_VARIETY = 4  # in how many mutants more than one thing is changed: one of so many


@cache
def _map(name: str) -> Map:
    return map_of(seed(name))


def mutant(name: str, number: int) -> bytes:
    """The file; `number` 0 is the seed itself, and no other number is."""
    sound = seed(name)
    data, chance = bytearray(sound), random.Random(f"{name}-{number}")
    changes = 0 if not number else 1 if chance.randrange(_VARIETY) else chance.randrange(2, 5)
    while changes > 0 or (number and data == sound):  # a change may happen to write what was there
        chance.choice(_KNOWING if chance.randrange(2) else _BLIND)(chance, data, name)
        changes -= 1
    return bytes(data)


def _pick(chance: random.Random, name: str) -> Entry:
    entries = _map(name).entries
    aimed = [entry for entry in entries if entry.tag in _AIMED]
    return chance.choice(aimed if chance.randrange(4) else entries)


def _put(data: bytearray, position: int, code: str, value: int, name: str) -> None:
    """Write a number where the file still reaches; it is cut to the bytes of the code."""
    size = struct.calcsize(code)
    if position + size <= len(data):
        data[position : position + size] = (value % 256**size).to_bytes(size, _endian(name))


def _endian(name: str) -> Literal["little", "big"]:
    return "big" if _map(name).order == ">" else "little"


def _value(chance: random.Random, data: bytearray, name: str) -> None:
    """One value of a field, or all of them; of rationals also 0/0, 1/0 and the largest."""
    entry = _pick(chance, name)
    code = {1: "B", 2: "H", 4: "I"}.get(entry.size, "I")
    numbers = max(1, min(entry.count * entry.size // struct.calcsize(code), 64))
    old = int.from_bytes(data[entry.values : entry.values + struct.calcsize(code)], _endian(name))
    near = (old + 1, old - 1, old * 2, old // 2, old + 16, len(data), len(data) - 1, entry.position)
    hit = range(numbers) if not chance.randrange(3) else [chance.randrange(numbers)]
    value = chance.choice(near if not chance.randrange(3) else _NUMBERS)
    for index in hit:
        _put(data, entry.values + index * struct.calcsize(code), code, value, name)


def _type(chance: random.Random, data: bytearray, name: str) -> None:
    kind = chance.randrange(20) if chance.randrange(4) else chance.getrandbits(16)
    _put(data, _pick(chance, name).position + 2, "H", kind, name)


def _count(chance: random.Random, data: bytearray, name: str) -> None:
    entry = _pick(chance, name)
    _put(data, entry.position + 4, "I", chance.choice((*_NUMBERS, entry.count + 1, entry.count * 4, len(data))), name)


def _tag(chance: random.Random, data: bytearray, name: str) -> None:
    """A field that is gone, doubled, or taken for another."""
    _put(data, _pick(chance, name).position, "H", chance.choice(_TAGS), name)


def _pointer(chance: random.Random, data: bytearray, name: str) -> None:
    """A pointer into a circle, behind the end, or anywhere."""
    found = _map(name)
    links = [entry.values for entry in found.entries if entry.tag in (273, 324, 330, 34665, 34853)]
    target = chance.choice(
        (*found.directories, 0, 1, 8, len(data), len(data) - 1, 2**32 - 1, chance.randrange(len(data)))
    )
    _put(data, chance.choice((4, *links)), "I", target, name)


def _directory(chance: random.Random, data: bytearray, name: str) -> None:
    """How many fields a directory has, or the pointer to the next one."""
    found = _map(name)
    start = chance.choice(found.directories)
    count = int.from_bytes(data[start : start + 2], _endian(name))
    if chance.randrange(2):
        _put(data, start, "H", chance.choice((0, 1, count - 1, count + 1, 255, 512, 513, 65535)), name)
    else:
        target = chance.choice((*found.directories, 8, len(data) - 2, 2**31, chance.randrange(len(data))))
        _put(data, start + 2 + 12 * min(count, 512), "I", target, name)


def _order(chance: random.Random, data: bytearray, name: str) -> None:
    """Another byte order or version."""
    data[: min(4, len(data))] = chance.choice((b"MM\0*", b"II*\0", b"II+\0", b"MM\0+", b"IIRO", b"IIU\0", b"II\0\0"))


def _jpeg(chance: random.Random, data: bytearray, name: str) -> None:
    """A byte or two of a lossless JPEG's header, where the seed has one; else of the first directory."""
    start = data.find(b"\xff\xd8\xff\xc4") if "ljpeg" in name or name == "tiles" else -1
    if start < 0:
        start = 8
    for _ in range(chance.randrange(1, 3)):
        position = start + chance.randrange(60)
        if position < len(data):
            data[position] = chance.choice((0, 1, 2, 3, 255, chance.getrandbits(8), data[position] ^ 1))


def _block(chance: random.Random, data: bytearray) -> slice:
    """Some bytes of a file, few or many."""
    length = min(1 << chance.randrange(1, 20), max(len(data) // 2, 1))
    start = chance.randrange(max(len(data) - length, 1))
    return slice(start, start + length)


def _flip(chance: random.Random, data: bytearray, name: str) -> None:
    """Single bits, every other time in the first kilobytes, where the directories stand."""
    reach = len(data) if chance.randrange(2) else min(len(data), 4096)
    for _ in range(1 << chance.randrange(6) if reach else 0):
        data[chance.randrange(reach)] ^= 1 << chance.randrange(8)


def _run(chance: random.Random, data: bytearray, name: str) -> None:
    block = _block(chance, data)
    length = len(data[block])
    data[block] = chance.randbytes(length) if chance.randrange(2) else bytes([chance.choice((0, 255, 127))]) * length


def _cut(chance: random.Random, data: bytearray, name: str) -> None:
    """Cut off, and every other time filled up again with zeros, as file systems do."""
    length, whole = chance.randrange(len(data) + 1), len(data)
    del data[length:]
    if chance.randrange(2):
        data += bytes(whole - length)


def _repeat(chance: random.Random, data: bytearray, name: str) -> None:
    block = _block(chance, data)
    data[block.start : block.start] = data[block]


def _remove(chance: random.Random, data: bytearray, name: str) -> None:
    del data[_block(chance, data)]


def _insert(chance: random.Random, data: bytearray, name: str) -> None:
    block = _block(chance, data)
    data[block.start : block.start] = chance.randbytes(min(len(data[block]), 4096))


def _move(chance: random.Random, data: bytearray, name: str) -> None:
    """Two blocks exchanged."""
    one, other = _block(chance, data), _block(chance, data)
    length = min(len(data[one]), len(data[other]))
    first, second = slice(one.start, one.start + length), slice(other.start, other.start + length)
    data[first], data[second] = data[second], data[first]


def _splice(chance: random.Random, data: bytearray, name: str) -> None:
    """The head of this file and the tail of another seed."""
    others = generated_seeds()
    other = others[chance.choice(sorted(others))]
    cut = chance.randrange(len(data) + 1)
    data[cut:] = other[min(cut, chance.randrange(len(other))) :]


_KNOWING: tuple[Change, ...] = (
    _value,
    _value,
    _value,
    _value,
    _type,
    _count,
    _tag,
    _pointer,
    _directory,
    _order,
    _jpeg,
)
_BLIND: tuple[Change, ...] = (_flip, _flip, _run, _cut, _repeat, _remove, _insert, _move, _splice)


def write_mutant(name: str, number: int, folder: Path) -> Path:
    """Write a mutant under its name, `rggb-137.dng`, and give its path."""
    path = folder / f"{name}-{number}{suffix(name)}"
    path.write_bytes(mutant(name, number))
    return path


def main() -> None:
    """Make one mutant again."""
    parser = argparse.ArgumentParser(description="Make a hostile raw file again.")
    parser.add_argument("seed", choices=[*generated_seeds(), REAL])
    parser.add_argument("number", type=int)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    given.out.write_bytes(mutant(given.seed, given.number))


if __name__ == "__main__":
    main()
