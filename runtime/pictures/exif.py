"""EXIF of a restored picture: the photo's own, upright, with a note of what rdi did."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rdi import __version__
from rdi.runtime.restorer import Restored

if TYPE_CHECKING:
    from PIL.Image import Exif

ORIENTATION, SOFTWARE, EXIF_IFD = 0x0112, 0x0131, 0x8769
USER_COMMENT, COLOUR_SPACE, WIDTH, HEIGHT = 0x9286, 0xA001, 0xA002, 0xA003
UNCALIBRATED = 65_535  # neither sRGB nor Adobe RGB: the ICC profile says what
MAKER_NOTE = 0x927C
# What a photo is looked up by: camera, dates, exposure, lens, and rdi's record; GPS has a directory of its own.
_MAIN_KEPT = frozenset((0x010F, 0x0110, ORIENTATION, SOFTWARE, 0x0132, EXIF_IFD, 0x8825))
_DATES = frozenset((0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9290, 0x9291, 0x9292))
_EXPOSURE = frozenset((0x829A, 0x829D, 0x8822, 0x8827, 0x8830, 0x8831, 0x8832, 0x9201, 0x9202, 0x9204, 0x9207, 0x9209))
_LENS = frozenset((0x9205, 0x920A, 0xA405, 0xA432, 0xA433, 0xA434, 0xA435))
_EXIF_KEPT = _DATES | _EXPOSURE | _LENS | {0x9000, USER_COMMENT, COLOUR_SPACE, WIDTH, HEIGHT}


def picture_exif(restored: Restored) -> "Exif":
    """The photo's EXIF with orientation 1, rdi as software, the picture's size and the record of its restoration.

    The record goes into UserComment: the caption (ImageDescription) belongs to the photographer.
    """
    from PIL import Image

    exif = Image.Exif()
    if restored.exif:
        exif.load(restored.exif)
    exif[ORIENTATION] = 1
    exif[SOFTWARE] = f"rdi {__version__}"
    height, width = restored.image.shape[:2]
    details = exif.get_ifd(EXIF_IFD)
    details |= {COLOUR_SPACE: UNCALIBRATED, WIDTH: width, HEIGHT: height}
    details[USER_COMMENT] = b"ASCII\0\0\0" + record(restored).encode()
    exif[EXIF_IFD] = details
    return exif


def record(restored: Restored) -> str:
    """What was done, in one line of ASCII."""
    chosen, model = restored.amplification, restored.model
    how = f"amplification {chosen.value:.5g} ({chosen.describe()})"
    gains = ",".join(f"{gain:.4g}" for gain in restored.white_balance or ())
    balance = f"white balance {gains} ({restored.white_balance_from})" if gains else "the model's white balance"
    line = f"rdi {__version__}, {how}, {balance}, model {model.variant} {model.weights_sha256[:12]}".strip()
    return line.encode("ascii", "replace").decode()


def fitting_exif(restored: Restored, limit: int) -> tuple[bytes, tuple[str, ...]]:
    """The block of `picture_exif`, with `Exif\\0\\0`, within so many bytes, and the names of the fields that gave way.

    Fields private to a maker go first, the largest before the others; camera, dates, exposure, lens and GPS stay. Where
    even these are too long, only the record is left.
    """
    exif = picture_exif(restored)
    block = exif.tobytes()
    dropped: list[str] = []
    for directory, tag in _droppable(exif) if len(block) > limit else []:
        if directory is None:
            del exif[tag]
        else:
            exif[directory] = {key: value for key, value in exif.get_ifd(directory).items() if key != tag}
        dropped.append(_name(tag))
        block = exif.tobytes()
        if len(block) <= limit:
            break
    if len(block) > limit:
        return picture_exif(replace(restored, exif=b"")).tobytes(), ("all fields",)
    return block, tuple(dropped)


def _droppable(exif: "Exif") -> list[tuple[int | None, int]]:
    """(directory or None, tag) in the order in which fields may be left out."""
    from PIL.ExifTags import TAGS

    fields: list[tuple[int | None, int, Any]] = [
        *((None, tag, value) for tag, value in exif.items() if tag not in _MAIN_KEPT),
        *((EXIF_IFD, tag, value) for tag, value in exif.get_ifd(EXIF_IFD).items() if tag not in _EXIF_KEPT),
    ]
    fields.sort(key=lambda field: (field[1] in TAGS and field[1] != MAKER_NOTE, -_size(field[2])))
    return [(directory, tag) for directory, tag, _ in fields]


def _size(value: Any) -> int:
    """About, in bytes."""
    return len(value) * (1 if isinstance(value, (str, bytes)) else 8) if hasattr(value, "__len__") else 8


def _name(tag: int) -> str:
    from PIL.ExifTags import TAGS

    return TAGS.get(tag, f"0x{tag:04x}")
