"""White balance of the photo: the camera's own, daylight, estimated from the photo, or three gains."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rdi.camera.photo import RawPhoto
from rdi.color import daylight_gains
from rdi.errors import LevelsError, UsageError
from rdi.gains import Gains, parse_gains
from rdi.illuminant import estimate_gains
from rdi.metadata import ModelMetadata
from rdi.metadata import WhiteBalance as ModelWhiteBalance


class WhiteBalanceMode(StrEnum):
    """Where the gains come from."""

    CAMERA = "camera"  # as shot
    DAYLIGHT = "daylight"  # from the camera's colour matrix: D65 light comes out neutral
    AUTO = "auto"  # from the photo: `rdi.illuminant`
    GAINS = "gains"  # three numbers


NO_LIGHT = "too dark, too bright or too small to tell the light's colour: the camera's white balance is used"


@dataclass(frozen=True)
class WhiteBalance:
    """Which white balance a photo is restored with.

    mode:  where the gains come from
    gains: of red, green and blue, above 0, up to 64 times green's, for GAINS; their ratios count
    """

    mode: WhiteBalanceMode = WhiteBalanceMode.CAMERA
    gains: Gains | None = None

    def apply(self, photo: RawPhoto) -> RawPhoto:
        """The photo with this white balance; LevelsError where the file has no colour matrix to compute it with.

        Where AUTO finds no light to judge by, the photo keeps the camera's balance and gets a warning.
        """
        if self.mode is WhiteBalanceMode.CAMERA:
            return photo
        if self.gains is not None:
            return _balanced(photo, self.mode, np.array(self.gains) / self.gains[1])
        if photo.camera_from_xyz is None:
            raise LevelsError(
                f"the photo names no colour matrix to compute {self.mode} with; give three gains, such as 2.1,1,1.6"
            )
        if self.mode is WhiteBalanceMode.DAYLIGHT:
            return _balanced(photo, self.mode, daylight_gains(photo.camera_from_xyz))
        gains = estimate_gains(photo)
        if gains is None:
            return photo.replace(warnings=(*photo.warnings, NO_LIGHT))
        return _balanced(photo, self.mode, gains)

    def require_usable(self, model: ModelMetadata) -> None:
        """Refuse a choice that a model with a white balance of its own would not follow: UsageError."""
        if self.mode is not WhiteBalanceMode.CAMERA and model.white_balance is ModelWhiteBalance.BAKED:
            raise UsageError(
                f"the model {model.variant} has one white balance baked in; keep the camera's, the default, "
                "or choose a model that takes it"
            )


def _balanced(photo: RawPhoto, mode: WhiteBalanceMode, gains: NDArray[np.float64]) -> RawPhoto:
    return photo.replace(white_balance=gains, white_balance_from=str(mode))


def parse_white_balance(text: str) -> WhiteBalance:
    """`camera`, `daylight`, `auto` or `R,G,B` as on the command line; UsageError for anything else."""
    if text in (WhiteBalanceMode.CAMERA, WhiteBalanceMode.DAYLIGHT, WhiteBalanceMode.AUTO):
        return WhiteBalance(WhiteBalanceMode(text))
    return WhiteBalance(WhiteBalanceMode.GAINS, parse_gains(text, "camera, daylight, auto"))
