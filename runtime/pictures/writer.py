"""Write a restored picture."""

import os
from dataclasses import replace
from pathlib import Path

from rdi.atomic import atomic_path
from rdi.runtime.pictures.exif import picture_exif
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
) -> None:
    """Write a restored picture with its ICC profile and EXIF, whole or not at all; an existing file is replaced.

    path:     of the new file
    settings: by default what the path's suffix says: JPEG (quality 95), PNG (8 bits) or TIFF (16 bits)
    threads:  that encode; by default the physical cores this process may use; the bytes do not depend on it
    Raises OutputError where the path cannot be written or a JPEG would be larger than JPEGs can be, UsageError for a
    suffix that names no format.
    """
    path = Path(path)
    settings = settings or choose_settings(path)
    threads = threads or physical_cores()
    strips, shape = (restored.image,), restored.image.shape
    icc = icc_profile(restored.model.curve)
    exif = picture_exif(restored)
    block = exif.tobytes()
    with atomic_path(path) as temporary:
        if settings.format is Format.JPEG:
            if len(block) > SEGMENT:  # a camera's private fields can be that long: the record matters more
                block = picture_exif(replace(restored, exif=b"")).tobytes()
            write_jpeg(strips, shape, temporary, settings.quality, icc, block, threads)
        elif settings.format is Format.PNG:
            write_png(strips, shape, temporary, settings.bits, icc, block.removeprefix(b"Exif\0\0"), threads)
        else:
            write_tiff(strips, shape, temporary, icc, exif)
