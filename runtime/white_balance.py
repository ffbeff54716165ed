"""White balance of the photo: the camera's own, daylight, or three gains."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from rdi.camera.photo import RawPhoto
from rdi.color import daylight_gains
from rdi.errors import LevelsError, UsageError
from rdi.gains import Gains, parse_gains
from rdi.metadata import ModelMetadata
from rdi.metadata import WhiteBalance as ModelWhiteBalance


class WhiteBalanceMode(StrEnum):
    """Where the gains come from."""

    CAMERA = "camera"  # as shot
    DAYLIGHT = "daylight"  # from the camera's colour matrix: D65 light comes out neutral
    GAINS = "gains"  # three numbers


@dataclass(frozen=True)
class WhiteBalance:
    """Which white balance a photo is restored with.

    mode:  where the gains come from
    gains: of red, green and blue, above 0, up to 64 times green's, for GAINS; their ratios count
    """

    mode: WhiteBalanceMode = WhiteBalanceMode.CAMERA
    gains: Gains | None = None

    def apply(self, photo: RawPhoto) -> RawPhoto:
        """The photo with this white balance; LevelsError where the file has nothing to compute daylight from."""
        if self.mode is WhiteBalanceMode.CAMERA:
            return photo
        if self.gains is not None:
            gains = np.array(self.gains) / self.gains[1]
        elif photo.camera_from_xyz is not None:
            gains = daylight_gains(photo.camera_from_xyz)
        else:
            raise LevelsError(
                "the photo names no colour matrix to compute daylight from; give gains, --white-balance R,G,B"
            )
        return photo.replace(white_balance=gains, white_balance_from=str(self.mode))

    def require_usable(self, model: ModelMetadata) -> None:
        """Refuse a choice that a model with a white balance of its own would not follow: UsageError."""
        if self.mode is not WhiteBalanceMode.CAMERA and model.white_balance is ModelWhiteBalance.BAKED:
            raise UsageError(
                f"the model {model.variant} has one white balance baked in; leave --white-balance out, or choose a "
                "model that takes it with --model"
            )


def parse_white_balance(text: str) -> WhiteBalance:
    """`camera`, `daylight` or `R,G,B` as on the command line; UsageError for anything else."""
    if text in (WhiteBalanceMode.CAMERA, WhiteBalanceMode.DAYLIGHT):
        return WhiteBalance(WhiteBalanceMode(text))
    return WhiteBalance(WhiteBalanceMode.GAINS, parse_gains(text, "camera, daylight"))
