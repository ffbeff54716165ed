import numpy as np
import pytest

from rdi.camera import RawPhoto
from rdi.color import A7S2_CAMERA_FROM_XYZ, daylight_gains
from rdi.errors import LevelsError, UsageError
from rdi.metadata import ModelMetadata, WhiteBalance
from rdi.runtime.white_balance import parse_white_balance
from rdi.simulate import Exposure, simulate


def test_the_cameras_balance_leaves_the_photo_as_it_is(dark_photo: RawPhoto) -> None:
    assert parse_white_balance("camera").apply(dark_photo) is dark_photo


def test_three_gains_are_scaled_to_green(dark_photo: RawPhoto) -> None:
    assert parse_white_balance("4, 2,3").apply(dark_photo).white_balance.tolist() == [2.0, 1.0, 1.5]


def test_daylight_comes_from_the_cameras_matrix(dark_photo: RawPhoto) -> None:
    photo = dark_photo.replace(camera_from_xyz=A7S2_CAMERA_FROM_XYZ, white_balance=np.array([1.5, 1.0, 3.0]))
    balanced = parse_white_balance("daylight").apply(photo)
    assert np.allclose(balanced.white_balance, daylight_gains(A7S2_CAMERA_FROM_XYZ))


@pytest.mark.parametrize("mode", ["daylight", "auto"])
def test_what_needs_a_matrix_is_refused_without_one(dark_photo: RawPhoto, mode: str) -> None:
    with pytest.raises(LevelsError, match=f"{mode} with; give three gains, such as 2.1,1,1.6"):
        parse_white_balance(mode).apply(dark_photo)


def test_auto_takes_the_light_of_the_photo() -> None:
    light = np.array([1.6, 1.0, 2.2])
    photo = simulate(np.full((90, 90, 3), 180, dtype=np.uint8), Exposure(3200, 50, light))
    balanced = parse_white_balance("auto").apply(photo.replace(white_balance=np.array([2.8, 1.0, 1.4])))
    assert np.abs(balanced.white_balance / light - 1).max() < 0.1
    assert (balanced.white_balance_from, balanced.warnings) == ("auto", ())


def test_auto_without_light_keeps_the_cameras_and_says_so(dark_photo: RawPhoto) -> None:
    black = dark_photo.replace(mosaic=np.full_like(dark_photo.mosaic, 512), camera_from_xyz=A7S2_CAMERA_FROM_XYZ)
    kept = parse_white_balance("auto").apply(black)
    assert np.array_equal(kept.white_balance, black.white_balance)
    assert kept.white_balance_from == "camera"
    assert "the camera's white balance is used" in kept.warnings[0]


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
