from pathlib import Path

import numpy as np
import pytest

from rdi.camera import Cfa, RawPhoto, read_photo
from rdi.camera.dng import write_dng
from rdi.color import encode
from rdi.errors import InputError
from rdi.levels import to_light
from rdi.runtime import Restorer
from rdi.runtime.rendering import develop, save_comparison


def grey_card(light: float, gains: tuple[float, float, float], orientation: int = 1) -> RawPhoto:
    """A neutral frame of this light: what the sensor counts is lower where the gain is higher."""
    cfa, balance = Cfa.RGGB, np.array(gains)
    counts = 512 + cfa.tile(cfa.per_site(light / balance), 40, 60) * 15871
    return RawPhoto(
        np.rint(counts).astype(np.uint16), cfa, np.array([512.0]), 16383.0, balance, orientation=orientation
    )


@pytest.mark.parametrize("gains", [(2.4, 1.0, 1.6), (0.8, 1.0, 3.0), (1.0, 1.0, 1.0)])
@pytest.mark.parametrize("factor", [1.0, 7.3, 30.0])
def test_libraws_rendering_is_as_bright_as_the_amplification_says(
    tmp_path: Path, gains: tuple[float, float, float], factor: float
) -> None:
    photo = grey_card(0.5 / factor, gains)
    write_dng(photo, tmp_path / "grey.dng")
    light = to_light(photo.mosaic, photo.cfa, photo.black_level, photo.white_level, factor, photo.gains)
    expected = encode(light).mean() * 65535
    picture = develop(tmp_path / "grey.dng", factor, photo.white_balance)
    assert picture.mean() == pytest.approx(expected, rel=0.01)
    assert picture.std() < 0.01 * expected


def test_a_saturated_photo_keeps_its_white_level(tmp_path: Path) -> None:
    """LibRaw would take the brightest pixel for white where it lies above three quarters of it."""
    photo = grey_card(0.4, (1.0, 1.0, 1.0))
    photo.mosaic[:4] = 13_500
    write_dng(photo, tmp_path / "bright.dng")
    picture = develop(tmp_path / "bright.dng", 1.0, photo.white_balance)
    expected = float(encode(np.array([0.4], dtype=np.float32))[0]) * 65535
    assert picture[20].mean() == pytest.approx(expected, rel=0.01)


def test_a_photo_without_a_file_cannot_be_compared(tiny_model: Path, tmp_path: Path, dark_photo: RawPhoto) -> None:
    with pytest.raises(InputError, match="no file"):
        save_comparison(dark_photo, Restorer(tiny_model).restore(dark_photo), tmp_path / "a.jpg")


def test_another_size_in_libraws_rendering_is_an_error_not_a_crash(tiny_model: Path, tmp_path: Path) -> None:
    write_dng(grey_card(0.01, (2.0, 1.0, 1.5)), tmp_path / "a.dng")
    photo = read_photo(tmp_path / "a.dng")
    smaller = photo.replace(mosaic=photo.mosaic[:30])
    with pytest.raises(InputError, match=r"60x40 .* 60x30 restored; leave --compare-with-camera out"):
        save_comparison(photo, Restorer(tiny_model).restore(smaller), tmp_path / "b.jpg")
