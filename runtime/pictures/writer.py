"""Write a restored picture."""

from dataclasses import replace
from pathlib import Path

from rdi.atomic import atomic_path
from rdi.runtime.pictures.depth import to_8_bits
from rdi.runtime.pictures.exif import picture_exif
from rdi.runtime.pictures.formats import Format, PictureSettings, choose_settings
from rdi.runtime.pictures.icc import icc_profile
from rdi.runtime.pictures.png import write_png
from rdi.runtime.pictures.tiff import write_tiff
from rdi.runtime.restorer import Restored

_JPEG_SEGMENT = 65_533  # bytes that one segment of a JPEG holds


def save_picture(restored: Restored, path: Path, settings: PictureSettings | None = None) -> None:
    """Write a restored picture with its ICC profile and EXIF, whole or not at all; an existing file is replaced.

    path:     of the new file
    settings: by default what the path's suffix says: JPEG (quality 95), PNG (8 bits) or TIFF (16 bits)
    Raises OutputError where the path cannot be written, UsageError for a suffix that names no format.
    """
    settings = settings or choose_settings(path)
    icc = icc_profile(restored.model.curve)
    exif = picture_exif(restored)
    block = exif.tobytes()
    with atomic_path(path) as temporary:
        if settings.format is Format.JPEG:
            _write_jpeg(restored, temporary, settings.quality, icc, block)
        elif settings.format is Format.PNG:
            write_png(restored.image, temporary, settings.bits, icc, block.removeprefix(b"Exif\0\0"))
        else:
            write_tiff(restored.image, temporary, icc, exif)


def _write_jpeg(restored: Restored, path: Path, quality: int, icc: bytes, exif: bytes) -> None:
    from PIL import Image

    if len(exif) > _JPEG_SEGMENT:  # a camera's private fields can be that long: the record matters more
        exif = picture_exif(replace(restored, exif=b"")).tobytes()
    image = Image.fromarray(to_8_bits(restored.image))
    # Colours are kept at full resolution: a restored picture is all saturated stage lights and street lamps.
    image.save(path, "JPEG", quality=quality, subsampling="4:4:4", icc_profile=icc, exif=exif)
