"""Lights: the black body's colour, and the balances that are drawn from it."""

import numpy as np
import pytest

from rdi.color import A7S2_CAMERA_FROM_XYZ, ILLUMINANT_A, daylight_gains, tungsten_gains
from rdi.lights import SPREAD, black_body, draw_white_balance
from rdi.sensors.cameras import all_sensors


@pytest.mark.parametrize(
    ("kelvin", "x", "y"),  # the Planckian locus of CIE 1931, from Planck's law and the colour-matching functions
    [
        (2000, 0.5267, 0.4133),
        (3000, 0.4369, 0.4041),
        (5000, 0.3451, 0.3516),
        (6500, 0.3135, 0.3237),
        (10000, 0.2807, 0.2884),
    ],
)
def test_a_black_body_has_its_chromaticity(kelvin: float, x: float, y: float) -> None:
    white = black_body(kelvin)
    assert white[1] == 1
    assert (white / white.sum())[:2] == pytest.approx([x, y], abs=0.001)


def test_tungsten_is_a_black_body_of_2856_kelvin() -> None:
    assert black_body(2856) == pytest.approx(ILLUMINANT_A, abs=0.006)


def test_drawn_balances_follow_the_cameras_own_matrix_from_bulb_to_shade() -> None:
    generator = np.random.default_rng(0)
    drawn = np.log([draw_white_balance(A7S2_CAMERA_FROM_XYZ, generator) for _ in range(2000)])
    assert (drawn[:, 1] == 0).all()
    assert np.corrcoef(drawn[:, 0], drawn[:, 2])[0, 1] < -0.5
    daylight, tungsten = np.log(daylight_gains(A7S2_CAMERA_FROM_XYZ)), np.log(tungsten_gains(A7S2_CAMERA_FROM_XYZ))
    # Bulb and shade lie beyond tungsten and daylight; the spread goes beyond the shade.
    assert drawn[:, 0].min() < tungsten[0] < daylight[0] < drawn[:, 0].max() < daylight[0] + SPREAD + 0.15
    assert drawn[:, 2].min() < daylight[2] < tungsten[2] < drawn[:, 2].max()


@pytest.mark.parametrize("sensor", all_sensors(), ids=lambda sensor: sensor.name)
def test_every_camera_of_the_table_sees_every_light(sensor) -> None:
    generator = np.random.default_rng(1)
    drawn = [draw_white_balance(np.array(sensor.camera_from_xyz), generator) for _ in range(50)]
    assert np.min(drawn) > 0.5
    assert np.max(drawn) < 8
