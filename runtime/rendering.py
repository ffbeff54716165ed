"""LibRaw's own rendering of a raw photo, and the restored picture beside it.

The rendering has the brightness, the white balance, the curve and the primaries of the restored picture: what differs
is what the network did. LibRaw knows neither the amplification nor Eq. 5; it is told by its `bright`, a factor on the
linear values. Its automatic brightness and its guess at another white level are off. It renders the frame as a whole,
in about 14 bytes a pixel: no memory limit reaches it.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.camera.photo import RawPhoto
from rdi.errors import InputError
from rdi.runtime.pictures import PictureSettings, save_picture
from rdi.runtime.restorer import Restored

Picture = NDArray[Any]

DIVIDER = 8  # pixels between the halves, white
DARKEST, BRIGHTEST = 1e-4, 3e4  # of LibRaw's brightness; beyond them a picture is black or white anyway


def develop(raw: Path, brightness: float, gains: NDArray[np.float64], bits: int = 16) -> Picture:
    """A plain rendering by LibRaw: (H, W, 3) uint16 or uint8, upright.

    brightness: factor on the linear values, as an amplification
    gains:      (3,) white balance of red, green and blue
    bits:       16 or 8
    Raises InputError where LibRaw cannot render the file: an X-Trans frame of less than 512 pixels, say.
    """
    from rawpy import _rawpy

    from rdi.camera.reading import open_raw

    red, green, blue = gains.tolist()
    with open_raw(raw) as file:
        try:
            return file.postprocess(
                user_wb=[red, green, blue, green],
                no_auto_bright=True,
                adjust_maximum_thr=0.0,
                output_bps=bits,
                # LibRaw divides the gains by the smallest one, and 65536 by this, into an integer.
                bright=float(np.clip(brightness * min(red, green, blue), DARKEST, BRIGHTEST)),
            )
        except _rawpy.LibRawError as error:
            raise InputError(
                f"LibRaw has no rendering of {raw} to compare with ({type(error).__name__}); leave the comparison out"
            ) from error


def save_comparison(photo: RawPhoto, restored: Restored, path: Path) -> None:
    """Write a JPEG with LibRaw's rendering to the left of the restored picture, equally bright.

    photo: as it was restored, read from a file
    Raises InputError where LibRaw's rendering has another size, OutputError where the path cannot be written.
    """
    if photo.path is None:
        raise InputError("a photo that was read from no file has no camera rendering to compare with")
    image = restored.image
    plain = develop(photo.path, restored.amplification.value, photo.white_balance, bits=image.itemsize * 8)
    if plain.shape != image.shape:
        raise InputError(
            f"{photo.path} is {plain.shape[1]}x{plain.shape[0]} in LibRaw's rendering and "
            f"{image.shape[1]}x{image.shape[0]} restored; leave --compare-with-camera out"
        )
    divider = np.full((plain.shape[0], DIVIDER, 3), np.iinfo(image.dtype).max, dtype=image.dtype)
    joined = np.concatenate([plain, divider, image], axis=1)
    save_picture(replace(restored, image=joined), path, PictureSettings())
