"""`RawPhoto`: what it refuses and what it derives."""

from typing import Any

import numpy as np
import pytest

from rdi.camera import Cfa, RawPhoto
from rdi.errors import LevelsError, UnsupportedMosaicError

MOSAIC = np.zeros((6, 8), dtype=np.uint16)


def photo(**changes: Any) -> RawPhoto:
    fields: dict[str, Any] = {
        "mosaic": MOSAIC,
        "cfa": Cfa.RGGB,
        "black_level": np.array([512.0]),
        "white_level": 16383.0,
    }
    return RawPhoto(**(fields | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"white_level": 512.0},
        {"white_level": 100.0},
        {"white_level": float("nan")},
        {"white_level": 65536.0},
        {"black_level": np.array([-1.0])},
        {"black_level": np.array([np.inf])},
        {"black_level": np.array([512.0, 512.0])},
        {"black_level": np.array([0.0, 0.0, 0.0, 20000.0])},
        {"white_balance": np.array([0.0, 1.0, 1.0])},
        {"white_balance": np.array([-2.0, 1.0, 1.0])},
        {"white_balance": np.array([np.nan, 1.0, 1.0])},
        {"white_balance": np.array([65.0, 1.0, 1.0])},
        {"white_balance": np.array([2.0, 1.0])},
        {"camera_to_srgb": np.full((3, 3), np.nan)},
        {"camera_to_srgb": np.eye(4)},
        {"camera_to_srgb": np.eye(3) * 1.1},
        {"camera_to_srgb": np.full((3, 3), 1 / 3)},
        {"orientation": 0},
        {"orientation": 9},
    ],
)
def test_levels_gains_and_matrices_that_make_no_sense_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(LevelsError):
        photo(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"mosaic": MOSAIC.astype(np.float32)},
        {"mosaic": np.zeros((6, 8, 3), dtype=np.uint16)},
        {"mosaic": MOSAIC[:1]},
        {"mosaic": MOSAIC[:, :5], "cfa": Cfa.XTRANS},
    ],
)
def test_a_mosaic_of_another_kind_or_too_small_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedMosaicError):
        photo(**changes)


def test_an_override_is_checked_as_well() -> None:
    with pytest.raises(LevelsError, match="white level 100 is not above black level 512"):
        photo().replace(white_level=100.0)


@pytest.mark.parametrize("cfa", list(Cfa))
def test_one_black_level_stands_for_all_sites(cfa: Cfa) -> None:
    assert photo(cfa=cfa).black_level.tolist() == [512.0] * cfa.sites


def test_gains_stand_in_the_order_of_the_sites() -> None:
    assert photo(cfa=Cfa.GBRG, white_balance=[2.0, 1.0, 1.5]).gains.tolist() == [1.0, 1.5, 2.0, 1.0]


def test_gains_of_xtrans_begin_at_the_frames_phase() -> None:
    shifted = photo(cfa=Cfa.XTRANS, phase=(2, 1), white_balance=[2.0, 1.0, 1.5])
    first_row = Cfa.XTRANS.colours[2, [1, 2, 3, 4, 5, 0]]
    assert shifted.gains[:6].tolist() == np.array([2.0, 1.0, 1.5])[first_row].tolist()


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("SONY", "ILCE-7RM3", "SONY ILCE-7RM3"),
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("", "Phone", "Phone"),
        ("Acme", "", "Acme"),
        ("", "", "unknown camera"),
    ],
)
def test_the_cameras_name_says_the_make_once(make: str, model: str, camera: str) -> None:
    assert photo(make=make, model=model).camera == camera
