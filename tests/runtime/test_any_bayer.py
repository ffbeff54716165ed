"""Any Bayer camera: whatever its levels, phase and size, the same scene becomes the same picture."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st

from rdi.camera import Cfa, RawPhoto, align
from rdi.camera.photo import MARGIN
from rdi.errors import UnsupportedMosaicError
from rdi.illuminant import estimate_gains
from rdi.metadata import ModelMetadata
from rdi.models import shipped_model
from rdi.runtime import Exposure, ExposureMode, Restorer
from rdi.runtime.exposure import choose_amplification
from rdi.simulate import Exposure as Capture
from rdi.simulate import simulate

PHASES = {(0, 0): Cfa.RGGB, (0, 1): Cfa.GRBG, (1, 0): Cfa.GBRG, (1, 1): Cfa.BGGR}
BALANCE = np.array([2.4, 1.0, 1.6])
SIXTY = Exposure(ExposureMode.NUMBER, 60.0)
SIZES = st.tuples(st.integers(2, 40), st.integers(2, 40))


@cache
def tiny(model: Path) -> Restorer:
    """One restorer for all examples: its sessions are what takes the time."""
    return Restorer(model, threads=1)


def photo_of(
    mosaic: np.ndarray, black: np.ndarray | float = 512.0, white: float = 16383.0, cfa: Cfa = Cfa.RGGB
) -> RawPhoto:
    return RawPhoto(mosaic.astype(np.uint16), cfa, np.atleast_1d(np.asarray(black, dtype=float)), white, BALANCE)


def scene(seed: int, size: tuple[int, int], light: float = 60) -> np.ndarray:
    """A dark frame, above black; a few values below it."""
    return np.random.default_rng(seed).poisson(light, size) - 3


def cut(photo: RawPhoto, row: int, column: int) -> RawPhoto:
    """The same scene by a camera whose frame begins (row, column) later."""
    black = np.roll(photo.black_level.reshape(2, 2), (-row, -column), axis=(0, 1)).ravel()
    return photo.replace(mosaic=photo.mosaic[row:, column:], cfa=PHASES[row, column], black_level=black)


def require_same(model: Path, one: RawPhoto, other: RawPhoto) -> None:
    """The same picture, byte by byte, and the same choice of exposure but for the last digits of its sums."""
    first, second = (tiny(model).restore(photo, SIXTY).image for photo in (one, other))
    assert np.array_equal(first, second)
    chosen = [choose_amplification(photo, ModelMetadata(), Exposure()).value for photo in (one, other)]
    assert chosen[0] == pytest.approx(chosen[1], rel=1e-9)


@given(st.integers(0, 99), st.tuples(st.integers(8, 50), st.integers(8, 50)), st.sampled_from(list(PHASES)))
@settings(max_examples=40)
def test_the_phases_of_a_scene_give_the_same_picture_up_to_the_border(
    tiny_model: Path, seed: int, size: tuple[int, int], start: tuple[int, int]
) -> None:
    black = np.array([508.0, 512.0, 514.0, 520.0])
    whole = photo_of(512 + scene(seed, size), black)
    expected = tiny(tiny_model).restore(whole, SIXTY).image[start[0] :, start[1] :]
    picture = tiny(tiny_model).restore(cut(whole, *start), SIXTY).image
    assert picture.shape == expected.shape
    inside = np.s_[start[0] : size[0] // 2 * 2 - start[0], start[1] : size[1] // 2 * 2 - start[1]]
    assert np.array_equal(picture[inside], expected[inside])


def test_the_phases_of_a_scene_give_the_same_picture_with_the_shipped_network() -> None:
    whole = simulate(skimage.data.astronaut()[:320, :320], Capture(3200, 100, BALANCE))
    restorer = Restorer(shipped_model())
    expected = restorer.restore(whole, SIXTY).image.astype(int)
    for start in PHASES:
        picture = restorer.restore(cut(whole, *start), SIXTY).image
        difference = np.abs(picture - expected[start[0] :, start[1] :]) / 65535
        assert difference.mean() < 0.002, start  # another phase's colours: 0.28
        assert difference[64:-64, 64:-64].max() < 0.01, start


@given(st.integers(0, 99), SIZES, st.integers(-500, 40_000))
@settings(max_examples=40)
def test_an_offset_of_black_changes_nothing(tiny_model: Path, seed: int, size: tuple[int, int], offset: int) -> None:
    mosaic, black = 512 + scene(seed, size), np.array([512.0, 508.0, 511.5, 512.0])
    moved = photo_of(mosaic + offset, black + offset, 16383.0 + offset)
    require_same(tiny_model, photo_of(mosaic, black), moved)


@given(st.integers(0, 99), SIZES, st.sampled_from([2, 4]))
@settings(max_examples=40)
def test_a_scale_of_all_levels_changes_nothing(tiny_model: Path, seed: int, size: tuple[int, int], scale: int) -> None:
    """12, 13 and 14 bits of the same scene."""
    mosaic = 512 + scene(seed, size)
    require_same(tiny_model, photo_of(mosaic), photo_of(mosaic * scale, 512.0 * scale, 16383.0 * scale))


@given(st.integers(0, 99), SIZES)
@settings(max_examples=30)
def test_a_black_level_for_each_site_is_its_own_sites(tiny_model: Path, seed: int, size: tuple[int, int]) -> None:
    """128, 128, 128, 127 occurs in real files; a wrong site would tint the shadows."""
    black = np.array([128.0, 128.0, 128.0, 127.0])
    light = np.maximum(scene(seed, size, 5), 0)
    sites = photo_of(light + Cfa.RGGB.tile(black, *size), black, 4000.0)
    even = photo_of(light + 128, 128.0, 4000.0)
    one, other = (tiny(tiny_model).restore(photo, SIXTY).image.astype(int) for photo in (sites, even))
    assert np.abs(one - other).max() <= 65535 * 5e-4  # white - black differs by one in 3872


@given(st.integers(0, 99), SIZES)
@settings(max_examples=30)
def test_values_below_black_count_as_black(tiny_model: Path, seed: int, size: tuple[int, int]) -> None:
    mosaic = 512 + scene(seed, size, 3)
    require_same(tiny_model, photo_of(mosaic), photo_of(np.maximum(mosaic, 512)))


@given(st.integers(0, 99), st.integers(16383, 65535), st.floats(0, 0.5))
@settings(max_examples=30)
def test_values_above_white_are_white_however_far(tiny_model: Path, seed: int, value: int, share: float) -> None:
    mosaic = 512 + scene(seed, (30, 40))
    lit = np.random.default_rng(seed).random(mosaic.shape) < share
    require_same(tiny_model, *(photo_of(np.where(lit, white, mosaic)) for white in (16383, value)))


@given(st.integers(0, 99), st.integers(1000, 16383))
@settings(max_examples=20)
def test_hot_pixels_change_neither_the_exposure_nor_other_pixels(tiny_model: Path, seed: int, value: int) -> None:
    mosaic = 512 + scene(seed, (200, 300))
    hot = np.random.default_rng(seed).random(mosaic.shape) < 5e-4
    clean = tiny(tiny_model).restore(photo_of(mosaic))
    restored = tiny(tiny_model).restore(photo_of(np.where(hot, value, mosaic)))
    assert restored.amplification.value == pytest.approx(clean.amplification.value, rel=0.01)
    cells = np.kron(hot.reshape(100, 2, 150, 2).any(axis=(1, 3)), np.ones((2, 2))).astype(bool)
    difference = np.abs(restored.image.astype(int) - clean.image)[~cells]
    assert difference.max() <= 0.01 * 65535


@given(st.tuples(st.integers(2, 70), st.integers(2, 70)), st.sampled_from(list(PHASES.values())))
@settings(max_examples=40)
def test_any_size_from_one_cell_up_is_restored_whole(tiny_model: Path, size: tuple[int, int], cfa: Cfa) -> None:
    restored = tiny(tiny_model).restore(photo_of(512 + scene(1, size), cfa=cfa))
    assert restored.image.shape == (*size, 3)
    assert restored.image.any()


@pytest.mark.parametrize("size", [(1, 2), (2, 1), (1, 5000), (0, 0), (0, 64)])
def test_less_than_one_cell_is_refused_by_name(size: tuple[int, int]) -> None:
    with pytest.raises(UnsupportedMosaicError, match="2x2 is the smallest that can be restored"):
        photo_of(np.zeros(size))


@pytest.mark.parametrize("cfa", [Cfa.BGGR, Cfa.XTRANS])
def test_two_hundred_megapixels_reach_the_session(cfa: Cfa) -> None:
    """All that is done before the network and grows with the frame; the mosaic itself repeats one row."""
    height, width = 12_241, 16_363
    row = (512 + np.random.default_rng(0).poisson(40, width)).astype(np.uint16)
    photo = RawPhoto(np.broadcast_to(row, (height, width)), cfa, np.array([512.0]), 16383.0, camera_from_xyz=np.eye(3))
    target = Cfa.XTRANS if cfa is Cfa.XTRANS else Cfa.RGGB
    chosen = choose_amplification(photo, ModelMetadata(cfa=target), Exposure())
    assert 1 < chosen.value < 300
    assert estimate_gains(photo) is not None
    frame = align(photo, target, 32, MARGIN)
    assert (frame.height, frame.width) == (height, width)
    assert [size % 32 for size in frame.mosaic.shape] == [0, 0]
    assert np.array_equal(frame.mosaic[frame.top + height - 1, frame.left : frame.left + width], row)
