"""Resizing as MATLAB does it."""

import numpy as np
import pytest

from rdi.metrics.bicubic import resize


def test_a_constant_stays_one():
    assert resize(np.full((7, 10), 3.0), (14, 5)) == pytest.approx(np.full((14, 5), 3.0))


def test_the_same_size_is_the_same_picture():
    picture = np.random.default_rng(0).random((6, 9))
    assert np.array_equal(resize(picture, (6, 9)), picture)


def test_a_ramp_that_is_enlarged_stays_a_ramp_inside():
    ramp = np.tile(np.arange(12.0), (4, 1))
    assert np.diff(resize(ramp, (4, 24))[0, 6:-6]) == pytest.approx(0.5)


def test_half_of_a_line_is_what_matlab_says():
    """imresize of MATLAB: the kernel is twice as wide, 8 pixels, and mirrored at the border."""
    line = np.zeros((1, 8))
    line[0, 3] = 1
    shares = np.array(
        [-0.03515625, 0.43359375, 0.11328125, -0.01171875]
    )  # Keys' kernel at 1.25, .25, .75, 1.75, halved
    assert resize(line, (1, 4))[0] == pytest.approx(shares, abs=1e-12)
