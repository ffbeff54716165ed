"""From counts to light."""

import numpy as np
import pytest

from rdi.camera import Cfa
from rdi.levels import to_light


def test_light_follows_the_contracts_formula_site_by_site():
    mosaic = np.array([[100, 612, 700], [600, 1024, 520], [16383, 17000, 0]], np.uint16)
    black, gains = np.array([500.0, 512, 520, 524]), np.array([2.0, 1, 1, 1.5])
    light = to_light(mosaic, Cfa.RGGB, black, 16383, 10, gains)
    for row, column in np.ndindex(3, 3):
        site = row % 2 * 2 + column % 2
        expected = max(float(mosaic[row, column]) - black[site], 0) / (16383 - black[site]) * 10 * gains[site]
        assert light[row, column] == pytest.approx(expected, rel=1e-6)
    assert light.dtype == np.float32


def test_without_gains_white_is_the_amplification():
    light = to_light(np.full((6, 6), 4095, np.uint16), Cfa.XTRANS, np.full(36, 64.0), 4095, 7)
    assert (light == 7).all()
