"""Bright pictures to aim at: long exposures through LibRaw, or finished pictures, as 16-bit sRGB."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rdi.camera.exif import read_tags
from rdi.camera.reading import open_raw
from rdi.deep_pictures import load_deep_picture
from rdi.training.pairs import is_raw

WHITE = np.float32(65535)


@dataclass(frozen=True, eq=False)
class Target:
    """A bright picture.

    picture:  (H, W, 3) uint16 sRGB
    upright:  whether it is turned as the scene was, as finished pictures are; a raw file's lies as the sensor did
    exposure: seconds times ISO; None where it is not known
    """

    picture: NDArray[np.uint16]
    upright: bool
    exposure: float | None = None


def read_target(path: Path) -> Target:
    """Read a bright picture of either kind; the errors of `read_photo` and `load_picture`."""
    return develop(path) if is_raw(path) else Target(load_deep_picture(path), upright=True)


def develop(path: Path) -> Target:
    """A long exposure as SID's targets are made: LibRaw, camera white balance, no auto brightness, unturned.

    Raises InputError for a file that is missing, damaged or cut off, or that changes while it is read.
    """
    with open_raw(path) as (raw, _):
        tags = read_tags(path, lambda: b"")
        seconds = tags.exposure_time or float(raw.other.shutter_speed)
        iso = tags.iso or float(raw.other.iso_speed)
        picture = raw.postprocess(use_camera_wb=True, no_auto_bright=True, output_bps=16, user_flip=0)
    exposure = seconds * iso
    return Target(np.asarray(picture, dtype=np.uint16), False, exposure if np.isfinite(exposure) and exposure else None)
