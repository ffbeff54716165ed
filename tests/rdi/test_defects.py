"""Greens that count differently, and warm pixels."""

import numpy as np
import pytest

from rdi.camera.cfa import Cfa
from rdi.defects import WARM_PIXELS, WARMTH, Defects


@pytest.mark.parametrize("cfa", [Cfa.RGGB, Cfa.BGGR, Cfa.GRBG, Cfa.GBRG])
def test_only_the_greens_beside_blue_count_more(cfa):
    signal = np.full((8, 10), 100, np.float32)
    Defects(green_imbalance=0.02).disturb(signal, cfa, 15871, np.random.default_rng(0))
    colours = np.tile(cfa.colours, (4, 5))
    beside_blue = (colours == 1) & (colours == 2).any(axis=1, keepdims=True)
    assert signal[beside_blue] == pytest.approx(102)
    assert (signal[~beside_blue] == 100).all()


def test_warm_pixels_are_as_many_and_as_warm_as_said():
    signal = np.zeros((1000, 1000), np.float32)
    Defects(warm_pixels=2e-4).disturb(signal, Cfa.XTRANS, 10_000, np.random.default_rng(0))
    warm = signal[signal > 0]
    assert 150 < warm.size < 250
    assert warm.min() >= 10_000 * WARMTH[0] * 0.999
    assert warm.max() <= 10_000 * WARMTH[1] * 1.001


def test_a_sensor_without_defects_leaves_the_light_as_it_is():
    signal = np.random.default_rng(1).random((6, 6), dtype=np.float32)
    before = signal.copy()
    Defects().disturb(signal, Cfa.RGGB, 15871, np.random.default_rng(0))
    assert np.array_equal(signal, before)


def test_half_of_the_sensors_have_warm_pixels_and_greens_differ_either_way():
    generator = np.random.default_rng(0)
    drawn = [Defects.draw(generator) for _ in range(500)]
    shares = [defects.warm_pixels for defects in drawn if defects.warm_pixels]
    assert 200 < len(shares) < 300
    assert WARM_PIXELS[0] <= min(shares) < max(shares) <= WARM_PIXELS[1]
    imbalances = np.array([defects.green_imbalance for defects in drawn])
    assert abs(imbalances.mean()) < 0.001
    assert imbalances.std() == pytest.approx(0.007, rel=0.1)
    assert "apart" in str(drawn[0])
