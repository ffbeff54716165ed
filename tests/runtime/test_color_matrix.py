"""Which colour matrix a photo is rendered with."""

import numpy as np
import pytest

from rdi.camera.arrays import photo_from_array
from rdi.camera.reading import NO_MATRIX
from rdi.color import A7S2_CAMERA_FROM_XYZ, srgb_from_camera
from rdi.errors import UsageError
from rdi.metadata import ModelMetadata, Rendering
from rdi.runtime.color_matrix import ColorMatrix, parse_color_matrix
from rdi.sensors.cameras import find_sensor

PHOTO = photo_from_array(
    np.full((8, 8), 600), "RGGB", black_level=512, white_level=16383, white_balance=[2, 1, 1.5]
).replace(warnings=(NO_MATRIX, "another"))
NUMBERS = "0.5838,-0.1430,-0.0246,-0.3497,1.1477,0.2297,-0.0748,0.1885,0.5778"


def test_the_files_own_is_left_alone() -> None:
    assert parse_color_matrix("file").apply(PHOTO) is PHOTO


def test_a_camera_of_the_table_lends_its_matrix() -> None:
    sensor = find_sensor("Nikon D850")
    photo = parse_color_matrix("nikon d850").apply(PHOTO)
    np.testing.assert_allclose(photo.camera_to_srgb, sensor.srgb_from_camera)
    assert photo.camera_from_xyz is not None
    assert photo.camera_from_xyz.tolist() == [[*row] for row in sensor.camera_from_xyz]
    assert photo.warnings == ("another",)


@pytest.mark.parametrize("text", [NUMBERS, "5838,-1430,-246,-3497,11477,2297,-748,1885,5778"])
def test_nine_numbers_are_a_matrix_as_makers_and_tables_write_it(text: str) -> None:
    photo = parse_color_matrix(text).apply(PHOTO)
    np.testing.assert_allclose(photo.camera_to_srgb, srgb_from_camera(A7S2_CAMERA_FROM_XYZ))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Nikon D851", "file, nine numbers or a camera.*Nikon D850"),
        ("1,0,0,0,1", "nine numbers"),
        ("1,0,0,0,1,0,0,0,x", "nine numbers"),
        ("1,1,1,1,1,1,1,1,1", "cannot be inverted"),
        ("nan,0,0,0,1,0,0,0,1", "cannot be inverted"),
        ("", "file, nine numbers or a camera"),
    ],
)
def test_what_is_no_matrix_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        parse_color_matrix(text)


def test_a_model_that_has_learnt_its_colours_refuses_it() -> None:
    chosen = parse_color_matrix(NUMBERS)
    chosen.require_usable(ModelMetadata(rendering=Rendering.CAMERA))
    ColorMatrix().require_usable(ModelMetadata())
    with pytest.raises(UsageError, match="has learnt its colours"):
        chosen.require_usable(ModelMetadata())
