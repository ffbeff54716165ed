"""How colours that sRGB cannot show get into a picture: for models that give camera RGB."""

from collections.abc import Mapping
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rdi.camera.photo import RawPhoto
from rdi.errors import UsageError
from rdi.metadata import ModelMetadata, Rendering


class Gamut(StrEnum):
    """What becomes of a colour beyond sRGB."""

    COMPRESS = "compress"  # less saturated, of the same hue: `rdi.gamut`
    CLIP = "clip"  # each channel for itself, as LibRaw does: for comparison

    @property
    def compression(self) -> float:
        """As the graph is given it."""
        return 1.0 if self is Gamut.COMPRESS else 0.0

    def require_usable(self, model: ModelMetadata) -> None:
        """UsageError for another gamut than the default with a model that has no choice."""
        if self is not Gamut.COMPRESS and model.rendering is not Rendering.CAMERA:
            raise UsageError(
                f"gamut {self} is for models with rendering {Rendering.CAMERA}; {model.variant} has rendering "
                f"{model.rendering}, whose pictures leave nothing to choose: leave it out"
            )


def parse_gamut(text: str) -> Gamut:
    """The gamut of this name; raises UsageError, which lists the known ones."""
    try:
        return Gamut(text.lower())
    except ValueError as error:
        raise UsageError(f"gamut {text!r} is unknown; give {' or '.join(Gamut)}") from error


def rendering_inputs(model: ModelMetadata, photo: RawPhoto, gamut: Gamut) -> Mapping[str, NDArray[np.float32]]:
    """The graph's inputs that say how camera RGB becomes a picture; none for a model that gives the picture."""
    if model.rendering is not Rendering.CAMERA:
        return {}
    return {
        "camera_to_srgb": photo.camera_to_srgb.astype(np.float32),
        "gamut_compression": np.array(gamut.compression, dtype=np.float32),
    }
