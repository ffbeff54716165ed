"""Gamut mapping: unchanged within, inside from beyond, hues kept."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rdi.color import encode
from rdi.gamut import KNEE, compress_gamut

Floats = NDArray[np.float32]
FINITE = st.floats(-20, 20, width=32)


def way(linear: Floats) -> Floats:
    """How far a colour of the cube is on its way to the hull, 1 being on it; worked out by bisection."""
    intensity = linear.mean(axis=-1, keepdims=True)
    low, high = np.zeros(intensity.shape), np.full(intensity.shape, 1e6)
    for _ in range(80):
        middle = (low + high) / 2
        inside = (
            (intensity + middle * (linear - intensity) >= 0) & (intensity + middle * (linear - intensity) <= 1)
        ).all(axis=-1, keepdims=True)
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return np.asarray(1 / low[..., 0], dtype=np.float32)


def cube(count: int) -> Floats:
    return np.random.default_rng(0).random((count, 3)).astype(np.float32)


def lab(linear: Floats) -> NDArray[np.float64]:
    """CIELAB, D65."""
    from skimage.color import xyz2lab

    from rdi.color import XYZ_FROM_SRGB

    return np.asarray(xyz2lab(linear.astype(np.float64) @ XYZ_FROM_SRGB.T, illuminant="D65"))


def test_colours_up_to_the_knee_stay_as_they_are() -> None:
    colours = cube(20_000)
    within = colours[way(colours) < KNEE - 1e-3]
    assert len(within) > 5_000
    np.testing.assert_allclose(compress_gamut(within), within, atol=2e-6)


@given(st.tuples(FINITE, FINITE, FINITE))
def test_every_colour_of_an_intensity_within_the_cube_ends_strictly_inside(colour: tuple[float, float, float]) -> None:
    linear = np.array(colour, dtype=np.float32)
    intensity = float(linear.mean(dtype=np.float32))
    if not 1e-3 < intensity < 1 - 1e-3:
        return
    mapped = compress_gamut(linear)
    assert (mapped > 0).all()
    assert (mapped < 1).all()
    assert mapped.mean() == pytest.approx(intensity, abs=1e-4)


def test_more_saturated_stays_more_saturated() -> None:
    """Along rays from the axis, far beyond the hull: never back, without a step, and flatter beyond the knee."""
    direction = np.array([[0.9, -0.4, -0.5], [-0.6, 0.2, 0.4], [0.1, 0.5, -0.6]], dtype=np.float32)
    along = np.linspace(0, 10, 4001, dtype=np.float32)
    mapped = compress_gamut(np.float32(0.3) + along[:, None, None] * direction)
    saturation = np.linalg.norm(mapped - np.float32(0.3), axis=-1)
    steps = np.diff(saturation, axis=0)
    assert (steps > -1e-6).all()
    assert steps.max() <= np.diff(along).max() * np.linalg.norm(direction, axis=-1).max() * 1.001
    assert (np.diff(steps, axis=0) < 1e-5).all()  # no kink outwards: the slope never rises


def test_no_hue_of_srgb_turns_by_more_than_six_degrees() -> None:
    colours = cube(50_000)
    before, after = lab(colours), lab(compress_gamut(colours))
    seen = (np.hypot(before[:, 1], before[:, 2]) > 10) & (np.hypot(after[:, 1], after[:, 2]) > 5)
    angles = np.degrees(np.arctan2(after[seen, 2], after[seen, 1]) - np.arctan2(before[seen, 2], before[seen, 1]))
    assert np.abs((angles + 180) % 360 - 180).max() < 6


@pytest.mark.parametrize("lamp", [(2.4, 1.0, 1.5), (1.2, 1.0, 1.0), (0.2, 0.4, 14.0), (40.0, 1.0, 30.0)])
def test_a_lamp_brighter_than_white_is_neutral(lamp: tuple[float, float, float]) -> None:
    picture = encode(compress_gamut(np.array(lamp, dtype=np.float32)))
    assert np.hypot(*lab(picture)[1:]) < 3


def test_strength_0_leaves_everything_to_the_clip_and_half_is_in_between() -> None:
    beyond = np.array([[-0.2, 0.3, 0.9], [1.5, 0.2, 0.1]], dtype=np.float32)
    np.testing.assert_allclose(compress_gamut(beyond, 0), beyond, atol=1e-6)
    spreads = [np.ptp(compress_gamut(beyond, strength), axis=-1) for strength in (0, 0.5, 0.9, 1)]
    assert all((more >= less - 1e-6).all() for more, less in pairwise(spreads))
    assert (spreads[1] < spreads[0] - 0.01).all()


def test_black_and_noise_around_it_stay_finite() -> None:
    dark = np.random.default_rng(0).normal(0, 1e-3, (1000, 3)).astype(np.float32)
    mapped = compress_gamut(np.concatenate([dark, np.zeros((1, 3), np.float32), np.full((1, 3), -0.3, np.float32)]))
    assert np.isfinite(mapped).all()
    assert np.abs(mapped).max() < 0.31
