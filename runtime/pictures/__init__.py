"""Picture files: JPEG, PNG (8 and 16 bit) and TIFF (16 bit), with ICC profile and EXIF."""

from rdi.runtime.pictures.formats import Format, PictureSettings, choose_settings, format_of
from rdi.runtime.pictures.writer import load_encoders, save_picture, write_picture

__all__ = [
    "Format",
    "PictureSettings",
    "choose_settings",
    "format_of",
    "load_encoders",
    "save_picture",
    "write_picture",
]
