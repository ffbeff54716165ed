import os
from pathlib import Path

import numpy as np
import pytest

from rdi.camera import Cfa, RawPhoto
from rdi.camera.dng import write_dng
from rdi.camera.rendering import develop
from rdi.color import encode
from rdi.errors import InputError, OutputError
from rdi.levels import to_light
from rdi.model_kinds import Curve


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


@pytest.mark.parametrize("curve", Curve)
def test_the_tone_curve_is_the_one_asked_for(tmp_path: Path, curve: Curve) -> None:
    photo = grey_card(0.01, (1.0, 1.0, 1.0))
    write_dng(photo, tmp_path / "grey.dng")
    light = to_light(photo.mosaic, photo.cfa, photo.black_level, photo.white_level, 1.0, photo.gains)
    picture = develop(tmp_path / "grey.dng", 1.0, photo.white_balance, curve=curve)
    assert picture.mean() == pytest.approx(encode(light, curve).mean() * 65535, rel=0.02)


@pytest.mark.parametrize(("factor", "level"), [(1e7, 65535), (1e-6, 0)])
def test_a_brightness_beyond_all_measure_is_white_or_black(tmp_path: Path, factor: float, level: int) -> None:
    photo = grey_card(0.5, (2.4, 1.0, 1.6))
    write_dng(photo, tmp_path / "grey.dng")
    picture = develop(tmp_path / "grey.dng", factor, photo.white_balance)
    assert np.abs(picture.astype(int) - level).max() < 100


def test_a_saturated_photo_keeps_its_white_level(tmp_path: Path) -> None:
    """LibRaw would take the brightest pixel for white where it lies above three quarters of it."""
    photo = grey_card(0.4, (1.0, 1.0, 1.0))
    photo.mosaic[:4] = 13_500
    write_dng(photo, tmp_path / "bright.dng")
    picture = develop(tmp_path / "bright.dng", 1.0, photo.white_balance)
    expected = float(encode(np.array([0.4], dtype=np.float32))[0]) * 65535
    assert picture[20].mean() == pytest.approx(expected, rel=0.01)


def test_a_file_that_libraw_cannot_render_is_an_error_not_a_crash(tmp_path: Path) -> None:
    """LibRaw has no way to render X-Trans frames smaller than its tiles."""
    grey = grey_card(0.01, (2.0, 1.0, 1.5))
    write_dng(grey.replace(cfa=Cfa.XTRANS, black_level=np.array([512.0])), tmp_path / "fuji.dng")
    with pytest.raises(InputError, match=r"no rendering of .*fuji\.dng .*leave the comparison out"):
        develop(tmp_path / "fuji.dng", 1.0, grey.white_balance)


def test_an_xtrans_photo_is_rendered_as_bright_too(tmp_path: Path) -> None:
    cfa, balance = Cfa.XTRANS, np.array([2.0, 1.0, 1.5])
    counts = 512 + cfa.tile(cfa.per_site(0.05 / balance), 540, 600) * 15871
    write_dng(RawPhoto(np.rint(counts).astype(np.uint16), cfa, np.array([512.0]), 16383.0, balance), tmp_path / "f.dng")
    expected = float(encode(np.array([0.4], dtype=np.float32))[0]) * 255
    assert develop(tmp_path / "f.dng", 8.0, balance, bits=8).mean() == pytest.approx(expected, rel=0.01)


def test_a_name_that_is_no_unicode_is_rendered_like_any_other(tmp_path: Path) -> None:
    photo = grey_card(0.1, (2.0, 1.0, 1.5))
    path = tmp_path / os.fsdecode(b"caf\xe9.dng")
    try:
        write_dng(photo, path)
    except OutputError:
        pytest.skip("this file system takes unicode names only")
    assert develop(path, 1.0, photo.white_balance).shape == (40, 60, 3)
