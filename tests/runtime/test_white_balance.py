import numpy as np
import pytest

from rdi.camera import RawPhoto
from rdi.color import A7S2_CAMERA_FROM_XYZ, daylight_gains
from rdi.errors import LevelsError, UsageError
from rdi.metadata import ModelMetadata, WhiteBalance
from rdi.runtime.white_balance import parse_white_balance


def test_the_cameras_balance_leaves_the_photo_as_it_is(dark_photo: RawPhoto) -> None:
    assert parse_white_balance("camera").apply(dark_photo) is dark_photo


def test_three_gains_are_scaled_to_green(dark_photo: RawPhoto) -> None:
    assert parse_white_balance("4, 2,3").apply(dark_photo).white_balance.tolist() == [2.0, 1.0, 1.5]


def test_daylight_comes_from_the_cameras_matrix(dark_photo: RawPhoto) -> None:
    photo = dark_photo.replace(camera_from_xyz=A7S2_CAMERA_FROM_XYZ, white_balance=np.array([1.5, 1.0, 3.0]))
    balanced = parse_white_balance("daylight").apply(photo)
    assert np.allclose(balanced.white_balance, daylight_gains(A7S2_CAMERA_FROM_XYZ))


def test_daylight_without_a_matrix_is_refused(dark_photo: RawPhoto) -> None:
    with pytest.raises(LevelsError, match="R,G,B"):
        parse_white_balance("daylight").apply(dark_photo)


@pytest.mark.parametrize("text", ["sunny", "1,2", "1,2,3,4", "1,0,1", "-1,1,1", "nan,1,1", "a,b,c", ""])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="white balance"):
        parse_white_balance(text)


def test_a_model_with_its_own_balance_takes_no_other() -> None:
    baked = ModelMetadata(white_balance=WhiteBalance.BAKED)
    parse_white_balance("camera").require_usable(baked)
    parse_white_balance("2,1,2").require_usable(ModelMetadata())
    with pytest.raises(UsageError, match="baked in"):
        parse_white_balance("2,1,2").require_usable(baked)
