"""The colour matrix that a photo is rendered with: the file's own, that of a camera in rdi's table, or nine numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rdi.camera.photo import RawPhoto
from rdi.camera.reading import NO_MATRIX
from rdi.color import srgb_from_camera
from rdi.errors import LevelsError, UsageError
from rdi.metadata import ModelMetadata, Rendering
from rdi.sensors.cameras import find_sensor

FILE = "file"


@dataclass(frozen=True, eq=False)
class ColorMatrix:
    """Which matrix a photo is rendered with.

    camera_from_xyz: (3, 3), CIE XYZ (D65) to camera RGB, as DNG's ColorMatrix2 and LibRaw's tables have it; None: the
                     file's own
    """

    camera_from_xyz: NDArray[np.float64] | None = None

    def apply(self, photo: RawPhoto) -> RawPhoto:
        """The photo with this matrix."""
        if self.camera_from_xyz is None:
            return photo
        return photo.replace(
            camera_from_xyz=self.camera_from_xyz,
            camera_to_srgb=srgb_from_camera(self.camera_from_xyz),
            warnings=tuple(warning for warning in photo.warnings if warning != NO_MATRIX),
        )

    def require_usable(self, model: ModelMetadata) -> None:
        """Refuse a choice that a model with colours of its own would not follow: UsageError."""
        if self.camera_from_xyz is not None and model.rendering is not Rendering.CAMERA:
            raise UsageError(
                f"a colour matrix is for models with rendering {Rendering.CAMERA}; {model.variant} has rendering "
                f"{model.rendering}, which has learnt its colours: leave it out"
            )


def parse_color_matrix(text: str) -> ColorMatrix:
    """`file`, a camera such as `Nikon D850`, or nine numbers row by row; UsageError for anything else.

    Numbers may be those of tables that have them times 10000.
    """
    if text == FILE:
        return ColorMatrix()
    parts = text.split(",")
    if len(parts) == 1:
        try:
            return ColorMatrix(np.array(find_sensor(text).camera_from_xyz))
        except UsageError as error:
            known = "file, nine numbers or a camera"
            raise UsageError(f"colour matrix {text!r} is unknown; give {known}; {error}") from error
    try:
        numbers = np.array([float(part) for part in parts])
        matrix = numbers.reshape(3, 3)
    except ValueError as error:
        raise UsageError(
            f"colour matrix {text!r} is no matrix; give nine numbers, XYZ to camera row by row, as DNG's ColorMatrix2"
        ) from error
    matrix = matrix / 1e4 if np.abs(matrix).max() > 100 else matrix
    try:
        srgb_from_camera(matrix)
    except LevelsError as error:
        raise UsageError(f"colour matrix {text!r} cannot be used: {error}; give XYZ to camera, row by row") from error
    return ColorMatrix(matrix)
