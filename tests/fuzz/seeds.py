"""The sound files that mutants are made of: what `rdi simulate` writes, a layout that it does not, and a real ARW."""

import struct
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from rdi.camera import Cfa
from rdi.cli.main import app

HEIGHT, WIDTH, TILE = 64, 96, 32
REAL = "arw"
REAL_FILE = Path(__file__).resolve().parents[2].parent / "shared" / "raws" / "sony_ilce7rm3_iso3200.ARW"

_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _SRATIONAL = 1, 2, 3, 4, 5, 10
_CODES = {_BYTE: "B", _ASCII: "B", _SHORT: "H", _LONG: "I", _RATIONAL: "I", _SRATIONAL: "i"}
Field = tuple[int, int, Sequence[int]]  # tag, type, numbers


def seed_names() -> list[str]:
    """Of the generated seeds."""
    return list(generated_seeds())


@cache
def seed(name: str) -> bytes:
    """A seed by its name; the real ARW, where it is there, goes by `arw`."""
    return REAL_FILE.read_bytes() if name == REAL else generated_seeds()[name]


def suffix(name: str) -> str:
    """Under which a seed's mutants are stored."""
    return ".ARW" if name == REAL else ".dng"


@cache
def generated_seeds() -> Mapping[str, bytes]:
    """Name -> file: four Bayer phases and X-Trans, plain and as lossless JPEG, and a DNG as Adobe lays it out."""
    seeds = {cfa.lower(): _simulated(cfa) for cfa in Cfa}
    seeds |= {f"{cfa.lower()}-ljpeg": _simulated(cfa, "--compress") for cfa in (Cfa.RGGB, Cfa.XTRANS)}
    return {**seeds, "tiles": _tiled()}


def _simulated(cfa: Cfa, *options: str) -> bytes:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    picture = np.stack([rows * 3, columns * 2, 255 - rows * 2], axis=2).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        bright, dark = Path(folder) / "bright.png", Path(folder) / "dark.dng"
        Image.fromarray(picture).save(bright)
        arguments = ["simulate", str(bright), "--cfa", str(cfa), "--ratio", "20", "--out", str(dark), *options]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        return dark.read_bytes()


def _tiled() -> bytes:
    """Big-endian; a preview in the first directory, the mosaic in a sub-directory, in tiles of lossless JPEG."""
    import imagecodecs

    noise = np.random.default_rng(5).poisson(np.linspace(4, 400, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH))
    mosaic: NDArray[np.uint16] = (512 + noise).astype(np.uint16)
    cells = [mosaic[y : y + TILE, x : x + TILE] for y in range(0, HEIGHT, TILE) for x in range(0, WIDTH, TILE)]
    tiles = [bytes(imagecodecs.ljpeg_encode(np.ascontiguousarray(cell), bitspersample=14)) for cell in cells]
    preview, matrix = bytes(range(192)), (664, -185, -50, -524, 1301, 247, -99, 167, 653)
    start = 2048  # of the pixels, behind both directories
    offsets = [start + len(preview) + sum(map(len, tiles[:number])) for number in range(len(tiles))]
    main: list[Field] = [
        (254, _LONG, [1]), (256, _LONG, [8]), (257, _LONG, [8]), (258, _SHORT, [8, 8, 8]), (259, _SHORT, [1]),
        (262, _SHORT, [2]), (271, _ASCII, b"Acme\0"), (272, _ASCII, b"Night\0"), (273, _LONG, [start]),
        (274, _SHORT, [6]), (277, _SHORT, [3]), (278, _LONG, [8]), (279, _LONG, [len(preview)]), (330, _LONG, [1024]),
        (50706, _BYTE, [1, 4, 0, 0]), (50708, _ASCII, b"Acme Night\0"),
        (50721, _SRATIONAL, [number for value in matrix for number in (value, 1000)]),
        (50728, _RATIONAL, [1, 2, 1, 1, 2, 3]), (50778, _SHORT, [21]),
    ]  # fmt: skip
    mosaics: list[Field] = [
        (254, _LONG, [0]), (256, _LONG, [WIDTH]), (257, _LONG, [HEIGHT]), (258, _SHORT, [14]), (259, _SHORT, [7]),
        (262, _SHORT, [32803]), (277, _SHORT, [1]), (322, _LONG, [TILE]), (323, _LONG, [TILE]), (324, _LONG, offsets),
        (325, _LONG, [len(tile) for tile in tiles]), (33421, _SHORT, [2, 2]), (33422, _BYTE, [0, 1, 1, 2]),
        (50713, _SHORT, [2, 2]), (50714, _RATIONAL, [512, 1] * 4), (50717, _LONG, [16383]),
        (50829, _LONG, [2, 2, HEIGHT - 2, WIDTH - 2]),
    ]  # fmt: skip
    head = (b"MM\0*\0\0\0\x08" + _directory(main, 8)).ljust(1024, b"\0") + _directory(mosaics, 1024)
    return head.ljust(start, b"\0") + preview + b"".join(tiles)


def _directory(fields: Sequence[Field], start: int) -> bytes:
    """A big-endian directory that stands at `start`, the longer values behind it."""
    entries, values = struct.pack(">H", len(fields)), b""
    behind = start + 2 + 12 * len(fields) + 4
    for tag, kind, numbers in fields:
        data = struct.pack(f">{len(numbers)}{_CODES[kind]}", *numbers)
        count = len(numbers) // (2 if kind in (_RATIONAL, _SRATIONAL) else 1)
        inline = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack(">I", behind + len(values))
        entries += struct.pack(">HHI", tag, kind, count) + inline
        values += data if len(data) > 4 else b""
    return entries + bytes(4) + values
