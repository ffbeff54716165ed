"""How large a frame may be, said before anything is allocated for it.

LibRaw allocates what a header claims, up to 2 GB, and its file may have a hundred bytes. Real cameras have up to 151
megapixels, and their most thrifty formats more than a bit for each.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from rdi.errors import InputError, TruncatedPhotoError

if TYPE_CHECKING:
    from rawpy import RawPy

    from rdi.camera.containers import Container

MAX_PIXELS = 400_000_000
MAX_PIXELS_PER_BYTE = 16  # of the file, whatever compresses it


def require_possible_frame(height: int, width: int, file_bytes: int, path: Path) -> None:
    """Refuse a frame that no camera has, or that so many bytes cannot hold: InputError."""
    pixels = height * width
    if pixels > MAX_PIXELS:
        raise InputError(
            f"{path} claims a frame of {width}x{height} pixels, too big: rdi reads up to {MAX_PIXELS // 10**6} "
            "megapixels; a damaged file is to be copied from the camera again"
        )
    if pixels > file_bytes * MAX_PIXELS_PER_BYTE:
        raise TruncatedPhotoError(
            f"{path} is damaged: {file_bytes:,} bytes cannot hold the {width}x{height} pixels that it claims; "
            "copy it from the camera again"
        )


def require_frame(raw: "RawPy", container: "Container", path: Path) -> None:
    """The same of the frame that LibRaw is about to allocate, and that it is one that the container was checked for."""
    sizes = raw.sizes
    height = max(sizes.raw_height, sizes.top_margin + sizes.height)
    width = max(sizes.raw_width, sizes.left_margin + sizes.width)
    require_possible_frame(height, width, container.size, path)
    if container.pixels is not None and sizes.raw_height * sizes.raw_width > container.pixels:
        raise InputError(
            f"{path} is damaged: LibRaw finds {sizes.raw_width}x{sizes.raw_height} pixels in it, more than its "
            "directories have; copy it from the camera again"
        )
