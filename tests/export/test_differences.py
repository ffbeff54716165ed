"""Differences of two pictures: figures that numpy's plain formulas give too, and a picture of where."""

from itertools import pairwise

import numpy as np
import pytest

from rdi.export.differences import STEPS, difference_picture, measure_differences, steps_text


def pair(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    first = generator.integers(0, 65536, (300, 40, 3)).astype(np.uint16)
    second = np.clip(first.astype(int) + generator.integers(-3, 6, first.shape), 0, 65535).astype(np.uint16)
    second[7, 5] = 65535 - first[7, 5]
    return first, second


def test_the_figures_are_those_of_the_plain_formulas() -> None:
    first, second = pair()
    signed = (first.astype(float) - second) / 65535
    for channel, found in enumerate(measure_differences(first, second)):
        plane = np.abs(signed[:, :, channel])
        assert found.largest == pytest.approx(plane.max())
        assert found.mean == pytest.approx(plane.mean())
        assert found.rms == pytest.approx(np.sqrt(np.square(plane).mean()))
        assert found.bias == pytest.approx(signed[:, :, channel].mean())
        assert found.differing == pytest.approx((plane > 0).mean())
        assert (plane <= found.p999 + 1e-12).mean() >= 0.999
        assert (plane <= found.p999 - 0.5 / 65535).mean() < 0.999
        steps = np.rint(plane * 65535)
        inside = [((steps >= low) & (steps < high)).mean() for low, high in pairwise(STEPS)]
        assert found.histogram == pytest.approx(inside)
        assert sum(found.histogram) == pytest.approx(1)


def test_equal_pictures_differ_by_nothing() -> None:
    first, _ = pair()
    assert all(one.largest == one.rms == one.bias == one.differing == 0 for one in measure_differences(first, first))
    picture, factor = difference_picture(first, first)
    assert factor == 1
    assert not picture.any()


def test_the_picture_shows_where_they_differ_and_by_what_share_of_the_largest() -> None:
    first = np.zeros((600, 4, 3), dtype=np.uint16)
    second = first.copy()
    second[599, 1, 0], second[2, 3, 2] = 4, 2
    picture, factor = difference_picture(first, second)
    assert factor == 65535 / 4
    assert {tuple(map(int, at)) for at in np.argwhere(picture)} == {(599, 1, 0), (2, 3, 2)}
    assert (picture[599, 1, 0], picture[2, 3, 2]) == (255, 128)


def test_the_bars_are_named_by_what_they_hold() -> None:
    assert [steps_text(index) for index in (0, 1, 2, 3, 16)] == ["0", "1", "2-3", "4-7", "32768-65535"]
