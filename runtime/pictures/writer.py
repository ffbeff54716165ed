"""Write a restored picture."""

import os
from pathlib import Path

from rdi.atomic import atomic_path
from rdi.runtime.pictures.exif import fitting_exif, picture_exif
from rdi.runtime.pictures.formats import Format, PictureSettings, choose_settings
from rdi.runtime.pictures.icc import icc_profile
from rdi.runtime.pictures.jpeg import SEGMENT, write_jpeg
from rdi.runtime.pictures.png import write_png
from rdi.runtime.pictures.tiff import write_tiff
from rdi.runtime.restorer import Restored
from rdi.runtime.threads import physical_cores


def load_encoders() -> None:
    """Import what writing needs, while there is time: 30 ms that the first picture would wait for."""
    import simplejpeg  # noqa: F401
    from isal import isal_zlib  # noqa: F401
    from PIL import Image, TiffImagePlugin  # noqa: F401


def save_picture(
    restored: Restored,
    path: str | os.PathLike[str],
    settings: PictureSettings | None = None,
    *,
    threads: int | None = None,
    replace: bool = True,
) -> tuple[str, ...]:
    """Write a restored picture with its ICC profile and EXIF, whole or not at all.

    path:     of the new file
    settings: by default what the path's suffix says: JPEG (quality 95), PNG (8 bits) or TIFF (16 bits)
    threads:  that encode; by default the physical cores this process may use; the bytes do not depend on it
    replace:  whether an existing file is replaced; otherwise it is an OutputError
    returns:  warnings: what of the photo's EXIF a JPEG has no room for
    Raises OutputError where the path cannot be written or a JPEG would be larger than JPEGs can be, UsageError for a
    suffix that names no format.
    """
    path = Path(path)
    with atomic_path(path, replace=replace) as temporary:
        return write_picture(restored, temporary, settings or choose_settings(path), threads or physical_cores())


def write_picture(restored: Restored, path: Path, settings: PictureSettings, threads: int) -> tuple[str, ...]:
    """`save_picture` into a file that nobody knows of yet: what breaks off is half of it."""
    strips, shape = (restored.image,), restored.image.shape
    icc = icc_profile(restored.model.curve)
    exif, dropped = picture_exif(restored), tuple[str, ...]()
    if settings.format is Format.JPEG:
        block, dropped = fitting_exif(restored, SEGMENT)
        write_jpeg(strips, shape, path, settings.quality, icc, block, threads)
    elif settings.format is Format.PNG:
        write_png(strips, shape, path, settings.bits, icc, exif.tobytes().removeprefix(b"Exif\0\0"), threads)
    else:
        write_tiff(strips, shape, path, icc, exif)
    return (_no_room(dropped),) if dropped else ()


def _no_room(dropped: tuple[str, ...]) -> str:
    return (
        f"the photo's EXIF is longer than a JPEG's may be ({SEGMENT} bytes), left out: {', '.join(dropped)}; "
        "a PNG or TIFF keeps it whole"
    )
