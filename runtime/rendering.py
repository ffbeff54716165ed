"""LibRaw's own rendering of a raw photo, and the restored picture beside it.

Both have the same brightness, white balance, curve and primaries: what differs is what the network did.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.camera.photo import RawPhoto
from rdi.errors import InputError
from rdi.metadata import Curve
from rdi.runtime.pictures import PictureSettings, write_picture
from rdi.runtime.restorer import Restored

# `rdi.camera.rendering.develop`, or what calls it elsewhere: file, brightness, gains, bits, curve -> picture.
Develop = Callable[[Path, float, NDArray[np.float64], int, Curve], NDArray[Any]]

DIVIDER = 8  # pixels between the halves, white


def write_comparison(photo: RawPhoto, restored: Restored, path: Path, develop: Develop, threads: int) -> None:
    """Write a JPEG with LibRaw's rendering to the left of the restored picture, equally bright.

    photo:   as it was restored, read from a file
    path:    that nobody knows of yet: what breaks off is half of a picture
    threads: that encode
    Raises InputError where LibRaw's rendering has another size.
    """
    if photo.path is None:
        raise InputError("a photo that was read from no file has no camera rendering to compare with")
    image = restored.image
    bits, curve = image.itemsize * 8, restored.model.curve
    plain = develop(photo.path, restored.amplification.value, photo.white_balance, bits, curve)
    if plain.shape != image.shape:
        raise InputError(
            f"{photo.path} is {plain.shape[1]}x{plain.shape[0]} in LibRaw's rendering and "
            f"{image.shape[1]}x{image.shape[0]} restored; leave --compare-with-camera out"
        )
    divider = np.full((plain.shape[0], DIVIDER, 3), np.iinfo(image.dtype).max, dtype=image.dtype)
    joined = np.concatenate([plain, divider, image], axis=1)
    write_picture(replace(restored, image=joined), path, PictureSettings(), threads)
