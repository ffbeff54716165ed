"""What the camera wrote of a photo, for people to read."""

import struct
from collections.abc import Callable
from typing import Any

from rdi.camera.photo import RawPhoto

_DESCRIPTION, _ARTIST, _COPYRIGHT = 270, 315, 33432
_EXIF_IFD, _TAKEN, _APERTURE, _FOCAL_LENGTH, _LENS = 0x8769, 36867, 33437, 37386, 42036
_LONGEST = 200  # characters of a field that are shown


def exif_facts(photo: RawPhoto) -> dict[str, str | None]:
    """Name -> what the file says; None where it does not. Nothing here is to be trusted: it is text, and stays text."""
    main, exif = _directories(photo.exif)
    return {
        "Camera": _short(photo.camera),
        "Lens": _short(exif.get(_LENS)),
        "Taken": _short(exif.get(_TAKEN)),
        "ISO": None if photo.iso is None else f"{photo.iso:g}",
        "Exposure time": None if photo.exposure_time is None else _seconds(photo.exposure_time),
        "Aperture": _number(exif.get(_APERTURE), lambda value: f"f/{value:g}"),
        "Focal length": _number(exif.get(_FOCAL_LENGTH), lambda value: f"{value:g} mm"),
        "Description": _short(main.get(_DESCRIPTION)),
        "Artist": _short(main.get(_ARTIST)),
        "Copyright": _short(main.get(_COPYRIGHT)),
    }


def _directories(block: bytes) -> tuple[dict[int, Any], dict[int, Any]]:
    from PIL import Image

    exif = Image.Exif()
    try:
        exif.load(block)
        return dict(exif), dict(exif.get_ifd(_EXIF_IFD))
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, struct.error):  # an extra: damage costs no page
        return {}, {}


def _short(value: Any) -> str | None:
    text = value.replace("\0", " ").strip() if isinstance(value, str) else ""
    return (text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...") or None


def _number(value: Any, shown: Callable[[float], str]) -> str | None:
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return shown(number) if 0 < number < 1e6 else None


def _seconds(time: float) -> str:
    return f"1/{1 / time:.0f} s" if time < 0.4 else f"{time:.3g} s"
