"""LibRaw's own rendering of a raw photo, and the restored picture beside it.

The rendering has the brightness, the white balance, the curve and the primaries of the restored picture: what differs
is what the network did. LibRaw knows neither the amplification nor Eq. 5; it is told by its `bright`, a factor on the
linear values. Its automatic brightness and its guess at another white level are off.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rdi.camera.photo import RawPhoto
from rdi.errors import InputError
from rdi.runtime.pictures import PictureSettings, save_picture
from rdi.runtime.restorer import Restored

Picture = NDArray[np.uint16]

DIVIDER = 8  # pixels between the halves, white
_WHITE = 65_535


def develop(raw: Path, brightness: float, gains: NDArray[np.float64]) -> Picture:
    """A plain rendering by LibRaw: (H, W, 3) uint16, upright.

    brightness: factor on the linear values, as an amplification
    gains:      (3,) white balance of red, green and blue
    """
    import rawpy

    red, green, blue = gains.tolist()
    with rawpy.imread(str(raw)) as file:
        picture = file.postprocess(
            user_wb=[red, green, blue, green],
            no_auto_bright=True,
            adjust_maximum_thr=0.0,
            output_bps=16,
            bright=brightness * min(red, green, blue),  # LibRaw divides the gains by the smallest one
        )
    return np.asarray(picture, dtype=np.uint16)


def save_comparison(photo: RawPhoto, restored: Restored, path: Path) -> None:
    """Write a JPEG with LibRaw's rendering to the left of the restored picture, equally bright.

    photo: as it was restored, read from a file
    Raises InputError where LibRaw's rendering has another size, OutputError where the path cannot be written.
    """
    if photo.path is None:
        raise InputError("a photo that was read from no file has no camera rendering to compare with")
    plain = develop(photo.path, restored.amplification.value, photo.white_balance)
    if plain.shape != restored.image.shape:
        raise InputError(
            f"{photo.path} is {plain.shape[1]}x{plain.shape[0]} in LibRaw's rendering and "
            f"{restored.image.shape[1]}x{restored.image.shape[0]} restored; leave --compare-with-camera out"
        )
    divider = np.full((plain.shape[0], DIVIDER, 3), _WHITE, dtype=np.uint16)
    joined = np.concatenate([plain, divider, restored.image], axis=1)
    save_picture(replace(restored, image=joined), path, PictureSettings())
