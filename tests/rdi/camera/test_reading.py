"""`read_photo`: the fields of real and made-up files, their defaults, and what is refused."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL.TiffImagePlugin import IFDRational

from rdi.camera import Cfa, RawPhoto, read_photo, reading
from rdi.camera.containers import Container
from rdi.camera.dng import encode_dng
from rdi.camera.photo import DEFAULT_CAMERA_TO_SRGB, DEFAULT_GAINS
from rdi.camera.reading import _black_levels
from rdi.color import A7S2_CAMERA_FROM_XYZ, daylight_gains
from rdi.errors import InputError, LevelsError, NotARawPhotoError, RdiError, TruncatedPhotoError, UnsupportedMosaicError

BYTE, ASCII, SHORT, LONG, RATIONAL, SRATIONAL = 1, 2, 3, 4, 5, 10
ACTIVE_AREA = 50829
WriteVariant = Callable[..., Path]


@pytest.mark.real_data
def test_every_field_of_the_real_arw_is_right(real_arw: Path) -> None:
    photo = read_photo(real_arw)
    assert photo.mosaic.shape == (3464, 5184)
    assert (photo.mosaic.min(), photo.mosaic.max()) == (262, 16628)
    assert photo.cfa is Cfa.RGGB
    assert photo.black_level.tolist() == [512.0] * 4
    assert photo.white_level == 16383
    assert photo.white_balance == pytest.approx([2528 / 1024, 1, 1564 / 1024], abs=1e-9)
    assert photo.camera_from_xyz == pytest.approx(
        np.array([[0.664, -0.1847, -0.0503], [-0.5238, 1.301, 0.2474], [-0.0993, 0.1673, 0.6527]]), abs=1e-9
    )
    assert photo.camera_to_srgb.sum(axis=1) == pytest.approx([1, 1, 1])
    assert (photo.iso, photo.exposure_time, photo.orientation) == (3200, 1 / 640, 1)
    assert (photo.make, photo.model) == ("SONY", "ILCE-7RM3")
    assert photo.warnings == ()
    assert np.mean(np.abs(photo.mosaic.astype(int) - 512) < 64) == pytest.approx(0.31, abs=0.01)


@pytest.mark.real_data
def test_the_real_arws_stage_light_is_blue(real_arw: Path) -> None:
    """Whoever loses the phase or mixes up the colours sees an orange stage."""
    photo = read_photo(real_arw)
    sites = [photo.mosaic[row::2, column::2].mean() - 512 for row, column in np.ndindex(2, 2)]
    red, green, _, blue = np.array(sites) * photo.gains
    assert blue > 1.5 * green > 1.5 * red


@pytest.mark.real_data
@pytest.mark.parametrize("size", [100, 5_000, 100_000, 3_000_000, 9_000_000, 18_000_000, 18_649_855])
def test_the_real_arw_cut_short_is_refused(size: int, real_arw: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.ARW"
    with real_arw.open("rb") as file:
        cut.write_bytes(file.read(size))
    with pytest.raises(TruncatedPhotoError, match="cut off"):
        read_photo(cut)


@pytest.mark.parametrize("cfa", list(Cfa))
@pytest.mark.parametrize(("top", "left"), [(0, 1), (1, 0), (3, 5), (8, 7), (2, 4)])
def test_odd_margins_keep_each_sites_colour_and_level(
    cfa: Cfa, top: int, left: int, write_variant: WriteVariant
) -> None:
    """LibRaw moves the visible frame's corner to even numbers; rawpy's `raw_pattern` begins at the masked border."""
    levels = np.arange(cfa.sites, dtype=np.float64) + 10
    # Each pixel says its own row and column, so that the frame's corner can be seen in the result.
    mosaic = (np.arange(60)[:, None] * 100 + np.arange(72)).astype(np.uint16)
    photo = RawPhoto(mosaic, cfa, levels, 65535.0, white_balance=np.array([2.0, 1.0, 1.5]))
    back = read_photo(write_variant(photo, {ACTIVE_AREA: (LONG, (top, left, 54, 66))}))
    corner = (int(back.mosaic[0, 0]) // 100 - top, int(back.mosaic[0, 0]) % 100 - left)
    assert corner in ((0, 0), (top % 2, left % 2))
    for read, written in ((back.black_level, levels), (back.gains, photo.gains)):
        cell = np.roll(written.reshape(cfa.period, cfa.period), (-corner[0], -corner[1]), axis=(0, 1))
        assert read == pytest.approx(cell.ravel(), abs=1e-5)


def test_fractions_of_black_levels_are_kept(small_photo: RawPhoto, write_variant: WriteVariant) -> None:
    fields = {50713: (SHORT, (1, 2)), 50714: (RATIONAL, (IFDRational(255, 4), IFDRational(64)))}
    assert read_photo(write_variant(small_photo, fields)).black_level.tolist() == [63.75, 64, 63.75, 64]


def test_a_file_without_black_level_has_zero(small_photo: RawPhoto, write_variant: WriteVariant) -> None:
    assert read_photo(write_variant(small_photo, {50713: None, 50714: None})).black_level.tolist() == [0.0] * 4


def test_a_black_level_below_zero_is_refused_as_nonsense(small_photo: RawPhoto, write_variant: WriteVariant) -> None:
    """DNG has no negative black level, but deltas that can make it one."""
    deltas = (IFDRational(-100, 1),) * small_photo.width
    with pytest.raises(LevelsError, match=r"variant\.dng: black level .*-87.* must lie within 0 and 65535; give"):
        read_photo(write_variant(small_photo, {50715: (SRATIONAL, deltas)}))


@pytest.mark.parametrize("neutral", [None, (RATIONAL, (IFDRational(0, 1), IFDRational(1), IFDRational(1)))])
def test_without_white_balance_the_cameras_daylight_stands_in(
    small_photo: RawPhoto, neutral: Any, write_variant: WriteVariant
) -> None:
    matrix = A7S2_CAMERA_FROM_XYZ + 0.01
    back = read_photo(write_variant(small_photo.replace(camera_from_xyz=matrix), {50728: neutral}))
    assert back.white_balance == pytest.approx(daylight_gains(matrix), abs=1e-4)
    assert any("white balance" in warning for warning in back.warnings)


@pytest.mark.parametrize("matrix", [None, (SRATIONAL, (IFDRational(0, 1),) * 9), (SRATIONAL, (IFDRational(1, 1),) * 9)])
def test_without_a_usable_matrix_the_a7s2s_stands_in(
    small_photo: RawPhoto, matrix: Any, write_variant: WriteVariant
) -> None:
    back = read_photo(write_variant(small_photo, {50721: matrix}))
    assert back.camera_to_srgb == pytest.approx(DEFAULT_CAMERA_TO_SRGB)
    assert back.camera_from_xyz is None
    assert any("colour matrix" in warning for warning in back.warnings)


def test_without_matrix_and_balance_both_defaults_are_named(small_photo: RawPhoto, write_variant: WriteVariant) -> None:
    back = read_photo(write_variant(small_photo, {50721: None, 50728: None}))
    assert back.white_balance == pytest.approx(DEFAULT_GAINS)
    assert len(back.warnings) == 2


def test_what_cannot_be_checked_is_a_warning(
    small_photo: RawPhoto, write_variant: WriteVariant, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_variant(small_photo, {})
    assert read_photo(path).warnings == ()
    monkeypatch.setattr(reading, "check_container", lambda _: Container(is_dng=True, checked=False, size=5000))
    (warning,) = read_photo(path).warnings
    assert "completeness cannot be checked" in warning


def test_a_name_that_is_no_unicode_is_read_like_any_other(small_photo: RawPhoto, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"lat\xff.dng")
    try:
        path.write_bytes(encode_dng(small_photo))
    except OSError:
        pytest.skip("this file system takes no such name")
    assert np.array_equal(read_photo(path).mosaic, small_photo.mosaic)
    path.write_bytes(b"hello, I am a text" * 20)
    with pytest.raises(NotARawPhotoError, match="no raw photo that LibRaw can read"):
        read_photo(path)


def test_without_exif_nothing_is_made_up(small_photo: RawPhoto, write_variant: WriteVariant) -> None:
    back = read_photo(write_variant(small_photo, {34665: None, 271: None, 272: None, 305: None}))
    assert (back.iso, back.exposure_time, back.make, back.model, back.exif) == (None, None, "", "", b"")


def test_a_white_level_below_black_is_an_error_that_names_the_file(
    small_photo: RawPhoto, write_variant: WriteVariant
) -> None:
    path = write_variant(small_photo, {50717: (LONG, 5)})
    with pytest.raises(LevelsError, match=r"variant\.dng: white level 5 is not above black level"):
        read_photo(path)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({262: (SHORT, 34892), 277: (SHORT, 3), 258: (SHORT, (16, 16, 16))}, "a linear .* DNG"),
        ({262: (SHORT, 34892)}, "a monochrome DNG"),
        ({33422: (BYTE, bytes(4))}, "monochrome"),
        ({33422: (BYTE, bytes((0, 1, 1, 0)))}, "neither Bayer's nor X-Trans"),
        ({33422: (BYTE, bytes((0, 1, 3, 2))), 50710: (BYTE, bytes((0, 1, 3, 2)))}, "other than red, green and blue"),
        ({33422: (BYTE, bytes((0, 5, 5, 2))), 50710: (BYTE, bytes((0, 5, 2)))}, "other than red, green and blue"),
        (
            {33421: (SHORT, (4, 4)), 33422: (BYTE, bytes((0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 2, 2, 1, 1, 2, 2)))},
            "neither Bayer's nor X-Trans",
        ),
        ({339: (SHORT, 3), 258: (SHORT, 32)}, "floating-point"),
    ],
)
def test_what_is_no_mosaic_is_named(fields: Any, said: str, small_photo: RawPhoto, write_variant: WriteVariant) -> None:
    strip = np.zeros(40 * 56, dtype="<u2").tobytes()
    with pytest.raises(UnsupportedMosaicError, match=said):
        read_photo(write_variant(small_photo, fields, strip))


@pytest.mark.parametrize("content", [b"hello, I am a text\n" * 20, bytes(5000), b"\x89HDF" + bytes(1000)])
def test_what_libraw_does_not_know_is_no_raw_photo(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "notes.ARW"
    path.write_bytes(content)
    with pytest.raises(NotARawPhotoError, match=r"notes\.ARW is no raw photo that LibRaw can read"):
        read_photo(path)


def test_a_frame_beyond_libraws_limit_is_refused_with_its_reason(
    small_photo: RawPhoto, write_variant: WriteVariant
) -> None:
    with pytest.raises(InputError, match="too big"):
        read_photo(write_variant(small_photo, {256: (LONG, 60000), 257: (LONG, 60000)}))


@settings(max_examples=150, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 700), value=st.binary(min_size=1, max_size=4))
def test_a_damaged_dng_gives_a_photo_or_one_of_our_errors(
    position: int, value: bytes, small_photo: RawPhoto, tmp_path: Path
) -> None:
    data = bytearray(encode_dng(small_photo))
    data[position : position + len(value)] = value
    path = tmp_path / "damaged.dng"
    path.write_bytes(bytes(data))
    try:
        outcome = str(read_photo(path).path)
    except RdiError as error:
        outcome = str(error)
    assert "damaged.dng" in outcome


def test_importing_the_photo_loads_neither_libraw_nor_pillow() -> None:
    code = "import sys; from rdi.camera import RawPhoto; sys.exit('rawpy' in sys.modules or 'PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_levels_by_colour_are_spread_over_the_sites_of_the_visible_frame() -> None:
    """LibRaw numbers both greens apart, red 0, green 1, blue 2, the other green 3; files other than DNG go this way."""
    raw: Any = SimpleNamespace(black_level_per_channel=[10, 11, 12, 13])
    numbers = np.array([[1, 0], [2, 3]])  # GRBG
    assert _black_levels(raw, Container(), numbers).tolist() == [11, 10, 12, 13]
