"""From counts to light."""

import numpy as np
import pytest

from rdi.camera import Cfa
from rdi.levels import to_light
from rdi.model_kinds import BelowBlack
from rdi.simulate import Exposure, simulate


@pytest.mark.parametrize(("below_black", "least"), [(BelowBlack.KEPT, -np.inf), (BelowBlack.CUT, 0)])
def test_light_follows_the_contracts_formula_site_by_site(below_black, least):
    mosaic = np.array([[100, 612, 700], [600, 1024, 520], [16383, 17000, 0]], np.uint16)
    black, gains = np.array([500.0, 512, 520, 524]), np.array([2.0, 1, 1, 1.5])
    light = to_light(mosaic, Cfa.RGGB, black, 16383, 10, gains, below_black)
    for row, column in np.ndindex(3, 3):
        site = row % 2 * 2 + column % 2
        expected = max(float(mosaic[row, column]) - black[site], least) / (16383 - black[site]) * 10 * gains[site]
        assert light[row, column] == pytest.approx(expected, rel=1e-6)
    assert light.dtype == np.float32


def test_without_gains_white_is_the_amplification():
    light = to_light(np.full((6, 6), 4095, np.uint16), Cfa.XTRANS, np.full(36, 64.0), 4095, 7)
    assert (light == 7).all()


def test_the_mean_of_what_is_kept_is_right_and_of_what_is_cut_too_bright():
    photo = np.full((256, 256, 3), 40, np.uint8)  # 0.5 electrons a pixel, and noise of 1.3
    raw = simulate(photo, Exposure(iso=3200, ratio=300, white_balance=np.ones(3)))
    truth = simulate(photo, Exposure(iso=3200, ratio=1, white_balance=np.ones(3)))
    expected = to_light(truth.mosaic, truth.cfa, np.full(4, 512.0), 16383, 1).mean()
    kept, cut = (
        to_light(raw.mosaic, raw.cfa, np.full(4, 512.0), 16383, 300, None, below).mean()
        for below in (BelowBlack.KEPT, BelowBlack.CUT)
    )
    assert kept == pytest.approx(expected, rel=0.03)
    assert cut > 1.3 * expected
