"""Where the pixels of a mosaic lie in a TIFF-like file, by its directory: strips or tiles, read strictly.

Strictly, because LibRaw guesses where a field is missing or of an odd type, and the guess must not differ from what was
checked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rdi.camera.tiff import Directory, Tiff
from rdi.errors import InputError

WIDTH, HEIGHT, BITS, COMPRESSION, SAMPLES, ROWS_PER_STRIP = 256, 257, 258, 259, 277, 278
STRIP_OFFSETS, STRIP_COUNTS, TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS, TILE_COUNTS = 273, 279, 322, 323, 324, 325
_SHORT, _LONG = 3, 4  # the types of these fields; LibRaw takes any other for a LONG
_LEAST_BITS, _MOST_BITS = 8, 16
_MOST_SAMPLES = 2  # Fuji's SuperCCD
_LONGEST_SIDE = 65_535


@dataclass(frozen=True)
class MosaicLayout:
    """A mosaic and its pieces, strips or tiles, in raster order.

    height, width, bits, samples: of the mosaic; samples for each pixel
    rows, columns: of each piece; the last ones may reach beyond the mosaic
    offsets:       of each piece in the file, bytes
    counts:        bytes of each; None where the directory does not say
    """

    height: int
    width: int
    bits: int
    samples: int
    rows: int
    columns: int
    offsets: Sequence[int]
    counts: Sequence[int] | None

    def rows_of(self, piece: int) -> int:
        """Rows of a piece that belong to the mosaic."""
        return min(self.rows, self.height - piece // self._across * self.rows)

    def columns_of(self, piece: int) -> int:
        """Columns of a piece that belong to the mosaic."""
        return min(self.columns, self.width - piece % self._across * self.columns)

    @property
    def _across(self) -> int:
        return -(-self.width // self.columns)


def read_size(tiff: Tiff, directory: Directory, path: Path) -> tuple[int, int]:
    """Height and width of a directory's picture; InputError where there is none to read."""
    height, width = read_field(tiff, directory, HEIGHT, path), read_field(tiff, directory, WIDTH, path)
    if not (0 < height <= _LONGEST_SIDE and 0 < width <= _LONGEST_SIDE):
        raise damaged(path, f"it claims a frame of {width}x{height} pixels")
    return height, width


def read_layout(tiff: Tiff, directory: Directory, path: Path) -> MosaicLayout:
    """Read how a mosaic is stored; InputError where its fields are missing or contradict each other."""
    height, width = read_size(tiff, directory, path)
    bits = read_field(tiff, directory, BITS, path)
    if not _LEAST_BITS <= bits <= _MOST_BITS:
        raise damaged(path, f"it claims pixels of {bits} bits, not of {_LEAST_BITS} to {_MOST_BITS}")
    samples = read_field(tiff, directory, SAMPLES, path, default=1)
    if not 0 < samples <= _MOST_SAMPLES:
        raise damaged(path, f"it claims {samples} colours for each pixel of a mosaic")
    tiled = TILE_OFFSETS in directory
    offsets, counts = (TILE_OFFSETS, TILE_COUNTS) if tiled else (STRIP_OFFSETS, STRIP_COUNTS)
    rows, columns = _piece_size(tiff, directory, height, width, path)
    found = tiff.integers(directory, offsets)
    pieces = -(-height // rows) * -(-width // columns)
    if len(found) != pieces or directory[offsets].kind != _LONG:
        raise damaged(path, f"its pixels need {pieces} strips or tiles, and it names {len(found)}")
    sizes = tiff.integers(directory, counts)
    return MosaicLayout(height, width, bits, samples, rows, columns, found, sizes if len(sizes) == pieces else None)


def read_field(tiff: Tiff, directory: Directory, tag: int, path: Path, default: int | None = None) -> int:
    """The first number of a field; InputError where it is absent and has no default, or cannot be read."""
    entry = directory.get(tag)
    if entry is None and default is not None:
        return default
    values = tiff.integers(directory, tag)
    if entry is None or entry.kind not in (_SHORT, _LONG) or not values:
        raise damaged(path, f"its field {tag} is missing or unreadable")
    return values[0]


def damaged(path: Path, what: str) -> InputError:
    """A contradiction within a file, as an error."""
    return InputError(f"{path} is damaged: {what}; copy it from the camera again")


def _piece_size(tiff: Tiff, directory: Directory, height: int, width: int, path: Path) -> tuple[int, int]:
    """Rows and columns of each strip or tile."""
    if TILE_OFFSETS not in directory:
        if TILE_WIDTH in directory or TILE_LENGTH in directory:
            raise damaged(path, "it has tiles and does not say where")
        rows, columns = min(read_field(tiff, directory, ROWS_PER_STRIP, path, default=height), height), width
    elif directory[TILE_OFFSETS].count == 1:  # LibRaw takes a single tile to be as large as the mosaic
        rows, columns = height, width
    else:
        rows, columns = (read_field(tiff, directory, tag, path) for tag in (TILE_LENGTH, TILE_WIDTH))
    if rows < 1 or columns < 1:
        raise damaged(path, f"its strips or tiles have {columns}x{rows} pixels")
    return rows, columns
