"""Crops keep the model's CFA phase and stay aligned with their target, however they are turned."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdi.camera import Cfa
from rdi.errors import TrainingDataError
from rdi.training.windows import Window, draw_window, window_corners

TURNS = list(product([False, True], repeat=3))


@st.composite
def frames(draw):
    """A pattern with its phase, a frame's shape, and a side that fits into it."""
    cfa = draw(st.sampled_from(list(Cfa)))
    phase = (draw(st.integers(0, 5)), draw(st.integers(0, 5))) if cfa is Cfa.XTRANS else (0, 0)
    side = draw(st.integers(6, 24))
    room = 2 * cfa.period - 1
    return cfa, phase, (side + room + draw(st.integers(0, 9)), side + room + draw(st.integers(0, 9))), side


def colours_of(cfa, phase, shape):
    """Which colour each pixel of a frame counts."""
    cell = np.roll(cfa.colours, (-phase[0], -phase[1]), axis=(0, 1))
    return np.tile(cell, (shape[0] // cfa.period + 1, shape[1] // cfa.period + 1))[: shape[0], : shape[1]]


@given(frames(), st.integers(0, 2**32))
def test_every_crop_has_the_models_phase(frame, seed):
    cfa, phase, shape, side = frame
    target = Cfa.XTRANS if cfa is Cfa.XTRANS else Cfa.RGGB
    window = draw_window(shape, side, cfa, phase, target, np.random.default_rng(seed))
    crop = window.cut(colours_of(cfa, phase, shape))
    assert crop.shape == (side, side)
    assert np.array_equal(crop, colours_of(target, (0, 0), (side, side)))


@given(frames(), st.integers(0, 2**32))
def test_mosaic_target_and_site_values_are_cut_alike(frame, seed):
    """Each pixel of a frame carries its own number, in the mosaic as in the target, and its site's in the pattern."""
    cfa, phase, shape, side = frame
    target = Cfa.XTRANS if cfa is Cfa.XTRANS else Cfa.RGGB
    window = draw_window(shape, side, cfa, phase, target, np.random.default_rng(seed))
    numbers = np.arange(shape[0] * shape[1]).reshape(shape)
    pixels = window.cut(np.stack([numbers, numbers, numbers], axis=2))
    assert np.array_equal(pixels[..., 1], window.cut(numbers))
    assert sorted(window.cut(numbers).ravel()) == sorted(
        numbers[window.top : window.top + side, window.left : window.left + side].ravel()
    )
    period = cfa.period
    sites = np.tile(np.arange(period**2).reshape(period, period), (shape[0], shape[1]))[: shape[0], : shape[1]]
    assert np.array_equal(window.cut(sites)[:period, :period].ravel(), window.site_values(np.arange(period**2)))


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("cfa", list(Cfa))
def test_every_turn_has_its_corners(cfa, turn):
    target = Cfa.XTRANS if cfa is Cfa.XTRANS else Cfa.RGGB
    assert len(window_corners(cfa, (0, 0), target, 512 % cfa.period, *turn)) == (2 if cfa is Cfa.XTRANS else 1)


def test_all_turns_and_all_places_are_drawn():
    drawn = [draw_window((14, 13), 10, Cfa.GRBG, (0, 0), Cfa.RGGB, np.random.default_rng(seed)) for seed in range(400)]
    assert {(w.mirror_rows, w.mirror_columns, w.transpose) for w in drawn} == set(TURNS)
    plain = {(w.top, w.left) for w in drawn if not (w.mirror_rows or w.mirror_columns or w.transpose)}
    assert plain == set(product((0, 2, 4), (1, 3)))


def test_a_mirrored_crop_begins_one_pixel_later():
    assert window_corners(Cfa.RGGB, (0, 0), Cfa.RGGB, 0, False, True, False) == ((0, 1),)


def test_a_frame_without_room_is_refused():
    with pytest.raises(TrainingDataError, match=r"20x31 pixels holds no crop of 32.*lower --crop"):
        draw_window((31, 20), 32, Cfa.RGGB, (0, 0), Cfa.RGGB, np.random.default_rng(0))


def test_bayer_is_not_cut_like_xtrans():
    with pytest.raises(ValueError, match="RGGB cannot be cut like XTRANS"):
        window_corners(Cfa.RGGB, (0, 0), Cfa.XTRANS, 0, False, False, False)


def test_a_window_says_where_it_lies():
    said = Window(96, 0, 512, mirror_columns=True, transpose=True).describe()
    assert said == "rows 96-607, columns 0-511, mirrored columns, transposed"
