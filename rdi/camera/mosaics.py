"""Whether a DNG holds the mosaic that its directory claims, before LibRaw allocates or decodes anything.

LibRaw does not ask. It reads rows from the first strip on, whatever follows there; of strips of lossless JPEG it
decodes the first and leaves the rest of the frame as the memory was, often the photo before; so it does with a whole
mosaic whose JPEG header it cannot use.
"""

from pathlib import Path

from rdi.camera.bounds import require_possible_frame
from rdi.camera.layout import (
    COMPRESSION,
    STRIP_OFFSETS,
    TILE_OFFSETS,
    MosaicLayout,
    damaged,
    read_field,
    read_layout,
    read_size,
)
from rdi.camera.lossless_jpeg import EOI, LosslessHeader, read_lossless_header
from rdi.camera.tiff import DNG_VERSION, Directory, Tiff
from rdi.errors import InputError, TruncatedPhotoError

CR2_SLICES = 50752  # tells Canon's directory with the mosaic from those with previews
UNCOMPRESSED, LOSSLESS_JPEG = (0, 1), 7
_BYTE = 1  # the type of a DNG's version
_SPARE = 16  # a sixteenth more bytes than the pixels need may stand there, as padding; beyond it the header is wrong
_HEADER, _TAIL = 1 << 14, 1 << 12  # bytes of a JPEG that are looked at


def require_version(tiff: Tiff, path: Path) -> None:
    """Refuse a DNG of version 0, or of none that can be read: InputError.

    LibRaw takes it for a file of its camera's own format, and may leave its pixels as the memory was.
    """
    for directory in (one for one in tiff.directories if DNG_VERSION in one):
        version = tiff.integers(directory, DNG_VERSION)
        if directory[DNG_VERSION].kind != _BYTE or len(version) != 4 or version[0] == 0:
            raise damaged(path, f"its DNG version is {'.'.join(map(str, version[:4])) or 'unreadable'}")


def require_whole_mosaic(tiff: Tiff, directory: Directory, path: Path) -> int:
    """Refuse a DNG's mosaic that is not all there, or claimed in a way that LibRaw takes for another.

    Raises TruncatedPhotoError where bytes are missing, InputError for contradictions. What is compressed otherwise than
    by lossless JPEG is left to LibRaw, which refuses all of it today.
    Returns its pixels.
    """
    height, width = read_size(tiff, directory, path)
    require_possible_frame(height, width, tiff.size, path)
    compression = read_field(tiff, directory, COMPRESSION, path, default=1)
    if compression in UNCOMPRESSED:
        _require_rows(tiff, read_layout(tiff, directory, path), path)
    elif compression == LOSSLESS_JPEG:
        _require_jpegs(tiff, read_layout(tiff, directory, path), path)
    return height * width


def require_decodable_jpegs(tiff: Tiff, directory: Directory, path: Path, *, tiled: bool) -> None:
    """Refuse a mosaic of lossless JPEGs, as in CR2 and newer ARW, of which LibRaw would decode a part: InputError.

    tiled: LibRaw takes the file for one in tiles, as Sony's are, and leaves most of a frame in strips as the memory was
    """
    if tiled and TILE_OFFSETS not in directory:
        raise damaged(path, "its lossless JPEG is not in tiles")
    for offset in tiff.integers(directory, TILE_OFFSETS) or tiff.integers(directory, STRIP_OFFSETS):
        _header(tiff, offset, path)


def _require_rows(tiff: Tiff, layout: MosaicLayout, path: Path) -> None:
    """Of an uncompressed mosaic: all of its rows, and strips right behind each other."""
    row = -(-layout.columns * layout.samples * layout.bits // 8)
    found = needed = 0
    for piece, offset in enumerate(layout.offsets):
        size = layout.rows_of(piece) * row
        count = tiff.size - offset if layout.counts is None else layout.counts[piece]
        if count < size:
            raise _missing(path, layout, size - count)
        if piece and layout.columns == layout.width and offset != layout.offsets[0] + needed:
            raise _beyond_libraw(path, "strips that do not follow each other")
        found, needed = found + count, needed + size
    if layout.counts is not None and found > layout.rows * row * len(layout.offsets) * (1 + 1 / _SPARE):
        pixels = f"{layout.width}x{layout.height} pixels of {layout.bits} bits"
        raise damaged(path, f"{pixels} take {needed:,} bytes, and it has {found:,} for them")


def _require_jpegs(tiff: Tiff, layout: MosaicLayout, path: Path) -> None:
    """Of a mosaic in lossless JPEG: one whole JPEG for each tile, of its size."""
    if len(layout.offsets) > 1 and layout.columns == layout.width:
        raise _beyond_libraw(path, "several strips of lossless JPEG")
    for piece, offset in enumerate(layout.offsets):
        header = _header(tiff, offset, path)
        count = tiff.size - offset if layout.counts is None else layout.counts[piece]
        needed = layout.rows_of(piece) * layout.columns_of(piece) * layout.samples
        if header.samples < needed or (count - header.data) * 8 < header.samples:
            raise _missing(path, layout, max(needed - header.samples, header.samples // 8 - count + header.data))
        if header.samples > layout.rows * layout.columns * layout.samples * (1 + 1 / _SPARE):
            raise damaged(path, f"its {layout.columns}x{layout.rows} pixels are JPEGs of {header.samples:,}")
        tail = tiff.read(max(offset, offset + count - _TAIL), min(count, _TAIL))
        if layout.counts is not None and not tail.rstrip(b"\0").endswith(EOI):
            raise TruncatedPhotoError(f"{path} is damaged: a JPEG in it has no end; copy it from the camera again")


def _header(tiff: Tiff, offset: int, path: Path) -> LosslessHeader:
    header = read_lossless_header(tiff.read(offset, _HEADER))
    if header is None:
        raise damaged(path, "where its mosaic should begin stands no lossless JPEG")
    return header


def _missing(path: Path, layout: MosaicLayout, amount: int) -> TruncatedPhotoError:
    size = f"{layout.width}x{layout.height} pixels"
    return TruncatedPhotoError(
        f"{path} is damaged: {max(amount, 1):,} bytes or more of its {size} are missing; copy it from the camera again"
    )


def _beyond_libraw(path: Path, what: str) -> InputError:
    return InputError(f"{path} has {what}, of which LibRaw reads the first alone; convert it to a DNG with tiles")
