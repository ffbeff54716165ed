from typing import Any

import numpy as np
import pytest

from rdi.camera import Cfa, photo_from_array
from rdi.camera.photo import DEFAULT_GAINS
from rdi.color import A7S2_CAMERA_FROM_XYZ
from rdi.errors import LevelsError, UnsupportedMosaicError
from rdi.sensors.cameras import find_sensor

COUNTS = np.arange(600, 616, dtype=np.uint16).reshape(4, 4)


def test_levels_may_be_plain_numbers_and_the_pattern_a_word() -> None:
    colours: dict[str, Any] = {"white_balance": (2, 1, 1.5), "camera_from_xyz": A7S2_CAMERA_FROM_XYZ}
    photo = photo_from_array(COUNTS, "bggr", black_level=512, white_level=16383, **colours)
    assert photo.cfa is Cfa.BGGR
    assert photo.mosaic is COUNTS
    assert photo.black_level.tolist() == [512] * 4
    assert photo.white_level == 16383.0
    assert photo.gains.tolist() == [1.5, 1, 1, 2]
    assert photo.warnings == ()


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64, ">u2"])
def test_counts_of_any_integer_type_are_taken(dtype: str) -> None:
    counts = (COUNTS - 600).astype(dtype)
    photo = photo_from_array(counts, Cfa.RGGB, black_level=[0, 0, 0, 1], white_level=255)
    assert photo.mosaic.dtype == np.uint16
    assert np.array_equal(photo.mosaic, COUNTS - 600)


def test_a_missing_white_balance_is_a_default_and_a_warning() -> None:
    photo = photo_from_array(COUNTS, "RGGB", black_level=512, white_level=16383)
    assert np.array_equal(photo.white_balance, DEFAULT_GAINS)
    assert "A7S II" in photo.warnings[0]


@pytest.mark.parametrize(
    ("mosaic", "cfa", "said"),
    [
        (COUNTS / 16383, "RGGB", "not float64; give it before it is scaled"),
        (COUNTS.astype(np.int32) - 700, "RGGB", "between -100 and -85"),
        (COUNTS.astype(np.int32) + 65_000, "RGGB", "must fit into 0 to 65535"),
        (COUNTS.ravel(), "RGGB", "one .height, width. array"),
        (COUNTS[:1], "RGGB", "smallest that can be restored"),
        (COUNTS, "RGBW", "'RGBW' is unknown; give one of RGGB, BGGR, GRBG, GBRG, XTRANS"),
    ],
)
def test_what_is_no_mosaic_is_refused(mosaic: np.ndarray, cfa: str, said: str) -> None:
    with pytest.raises(UnsupportedMosaicError, match=said):
        photo_from_array(mosaic, cfa, black_level=0, white_level=16383)


def test_levels_that_make_no_sense_are_refused() -> None:
    with pytest.raises(LevelsError, match="not above black level"):
        photo_from_array(COUNTS, "RGGB", black_level=512, white_level=500)
    with pytest.raises(LevelsError, match="2 black levels"):
        photo_from_array(COUNTS, "RGGB", black_level=[1, 2], white_level=500)


def test_a_colour_matrix_may_be_given_and_its_absence_is_said() -> None:
    levels: dict[str, Any] = {"black_level": 512, "white_level": 16383, "white_balance": (2, 1, 1.5)}
    matrix = find_sensor("Nikon D850").camera_from_xyz
    photo = photo_from_array(COUNTS, "RGGB", **levels, camera_from_xyz=matrix)
    np.testing.assert_allclose(photo.camera_to_srgb, find_sensor("Nikon D850").srgb_from_camera)
    assert photo.camera_from_xyz is not None
    assert not photo.warnings
    assert photo_from_array(COUNTS, "RGGB", **levels).warnings == (
        "no colour matrix was given; a Sony A7S II's stands in",
    )
    with pytest.raises(LevelsError, match=r"shape \(9,\)"):
        photo_from_array(COUNTS, "RGGB", **levels, camera_from_xyz=np.arange(9))
    with pytest.raises(LevelsError, match="cannot be inverted"):
        photo_from_array(COUNTS, "RGGB", **levels, camera_from_xyz=np.ones((3, 3)))
