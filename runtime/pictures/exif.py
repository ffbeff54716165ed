"""EXIF of a restored picture: the photo's own, upright, with a note of what rdi did."""

from typing import TYPE_CHECKING

from rdi import __version__
from rdi.runtime.restorer import Restored

if TYPE_CHECKING:
    from PIL.Image import Exif

ORIENTATION, SOFTWARE, EXIF_IFD = 0x0112, 0x0131, 0x8769
USER_COMMENT, COLOUR_SPACE, WIDTH, HEIGHT = 0x9286, 0xA001, 0xA002, 0xA003
UNCALIBRATED = 65_535  # neither sRGB nor Adobe RGB: the ICC profile says what


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
