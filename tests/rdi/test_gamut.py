"""Gamut mapping: unchanged within, inside from beyond, hues kept."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rdi.camera.cfa import Cfa
from rdi.color import apply_matrix, tungsten_gains
from rdi.gamut import KNEE, compress_gamut
from rdi.sensors.cameras import sensors_of
from rdi.simulate import Sensor

Floats = NDArray[np.float32]
FINITE = st.floats(-20, 20, width=32)
# Linear sRGB of the primaries of wider gamuts (columns), white D65.
WIDER = {
    "P3": np.array([[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]]),
    "Rec.2020": np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]),
}


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


@given(st.tuples(FINITE, FINITE, FINITE), st.floats(1e-3, 1 - 1e-3))
def test_every_colour_of_an_intensity_within_the_cube_ends_inside(
    colour: tuple[float, float, float], intensity: float
) -> None:
    difference = np.array(colour, dtype=np.float32) - np.float32(np.mean(colour))
    mapped = compress_gamut(difference + np.float32(intensity))
    rounding = 1e-5  # of differences of up to 30
    assert (mapped > -rounding).all()
    assert (mapped < 1 + rounding).all()
    if 0.05 < intensity < 0.95 and np.abs(difference).max() < 5:
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


def turned(before: Floats, after: Floats) -> NDArray[np.float64]:
    """Degrees of CIELAB hue from one colour to the other, of those that have a hue before and after."""
    one, other = lab(before), lab(after)
    seen = (np.hypot(one[:, 1], one[:, 2]) > 10) & (np.hypot(other[:, 1], other[:, 2]) > 5)
    angles = np.degrees(np.arctan2(other[seen, 2], other[seen, 1]) - np.arctan2(one[seen, 2], one[seen, 1]))
    return np.asarray(np.abs((angles + 180) % 360 - 180))


def faces(count: int) -> Floats:
    """Colours on the cube's hull, its edges and corners among them."""
    colours = cube(count)
    colours[np.arange(count), np.arange(count) % 3] = np.arange(count) // 3 % 2
    corners = np.stack(np.meshgrid(*[[0.0, 0.5, 1.0]] * 3), axis=-1).reshape(-1, 3)
    return np.concatenate([colours, corners]).astype(np.float32)


def test_hues_of_srgb_turn_by_little() -> None:
    """What docs/colours.md says: at most 6.1 degrees on the hull, which pure red has."""
    colours = np.concatenate([cube(50_000), faces(30_000)])
    assert turned(colours, compress_gamut(colours)).max() < 6.1


@pytest.mark.parametrize(("gamut", "ours", "clipped"), [("P3", 4.5, 5.5), ("Rec.2020", 9.0, 15.0)])
def test_hues_beyond_srgb_turn_by_little_more(gamut: str, ours: float, clipped: float) -> None:
    """99 of 100 colours of wider gamuts by at most `ours` degrees; clipping turns 99 of 100 by `clipped` or more."""
    colours = (cube(50_000) @ WIDER[gamut].T).astype(np.float32)
    intensity = colours.mean(axis=-1)
    colours = colours[(intensity > 0.02) & (intensity < 0.98)]
    assert np.percentile(turned(colours, compress_gamut(colours)), 99) < ours
    assert np.percentile(turned(colours, np.clip(colours, 0, 1)), 99) > clipped


@pytest.mark.parametrize("lamp", [(2.4, 1.0, 1.5), (1.2, 1.0, 1.0), (0.2, 0.4, 14.0), (40.0, 1.0, 30.0)])
def test_a_lamp_brighter_than_white_is_neutral(lamp: tuple[float, float, float]) -> None:
    shown = np.clip(compress_gamut(np.array(lamp, dtype=np.float32)), 0, 1)
    assert np.hypot(*lab(shown)[1:]) < 3


@pytest.mark.parametrize("sensor", sensors_of(Cfa.RGGB), ids=lambda sensor: sensor.name)
def test_sites_that_are_all_saturated_are_neutral_on_every_camera(sensor: Sensor) -> None:
    """White-balanced, they are anything but grey; from an amplification of 1 on they come out white."""
    for gains in (sensor.daylight, tungsten_gains(np.array(sensor.camera_from_xyz))):
        for amplification in (1, 4, 100):
            linear = apply_matrix((gains * amplification).astype(np.float32)[None], sensor.srgb_from_camera)
            assert np.hypot(*lab(np.clip(compress_gamut(linear[0]), 0, 1))[1:]) < 3


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
