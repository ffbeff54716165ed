"""CIEDE2000 between linear sRGB colours."""

import numpy as np
import pytest

from rdi.metrics.colour_difference import ciede2000, to_lab

RED, GREEN, BLUE = np.eye(3)


def test_white_and_grey_are_neutral() -> None:
    np.testing.assert_allclose(to_lab(np.ones(3)), (100, 0, 0), atol=1e-9)
    lightness, a, b = to_lab(np.full(3, 0.184187))
    assert lightness == pytest.approx(50, abs=1e-3)
    assert abs(a) + abs(b) < 1e-9


@pytest.mark.parametrize(("one", "other", "expected"), [(RED, GREEN, 86.61), (RED, BLUE, 52.88), (GREEN, GREEN, 0.0)])
def test_primaries_differ_as_tables_say(one: np.ndarray, other: np.ndarray, expected: float) -> None:
    assert ciede2000(one, other) == pytest.approx(expected, abs=0.02)


def test_many_colours_are_compared_at_once() -> None:
    colours = np.random.default_rng(0).random((4, 5, 3))
    assert ciede2000(colours, colours[::-1]).shape == (4, 5)
