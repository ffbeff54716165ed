"""NIQE gives what basicsr gives, and finds damage."""

import numpy as np
import pytest
import skimage.data

from rdi.metrics.grey import Grey, to_grey
from rdi.metrics.niqe import niqe

# calculate_niqe of basicsr 1.4.2 (with OpenCV 5.0.0) on scikit-image's photos, convert_to "gray" and "y".
BASICSR = {
    "astronaut": (3.061003468702085, 3.06460685312984),
    "coffee": (4.0593339897350145, 4.115241611108773),
    "chelsea": (2.5720881462835585, 2.6255364132341055),
    "rocket": (7.0367289078868005, 6.969130721865996),
}


@pytest.mark.parametrize("name", BASICSR)
def test_it_is_basicsrs(name):
    photo = getattr(skimage.data, name)()
    found = [niqe(to_grey(photo, conversion)) for conversion in (Grey.GREY, Grey.Y)]
    assert found == pytest.approx(BASICSR[name], abs=1e-3)


def test_noise_and_blur_raise_it():
    grey = to_grey(skimage.data.chelsea())
    noisy = np.clip(np.rint(grey + np.random.default_rng(0).normal(0, 20, grey.shape)), 0, 255)
    blurred = (grey[:-1, :-1] + grey[1:, :-1] + grey[:-1, 1:] + grey[1:, 1:]) // 4
    clean, by_noise, by_blur = (niqe(picture) or np.nan for picture in (grey, noisy, blurred))
    assert by_noise > clean + 1
    assert by_blur > clean + 0.2


def test_what_does_not_fill_a_block_is_left_out():
    grey = to_grey(skimage.data.chelsea())
    assert niqe(grey) == niqe(grey[:288, :384])


@pytest.mark.parametrize("shape", [(95, 400), (96, 191)])
def test_fewer_than_two_blocks_are_not_measured(shape):
    assert niqe(np.random.default_rng(0).integers(0, 256, shape).astype(np.float64)) is None


def test_a_picture_without_structure_is_not_measured():
    assert niqe(np.zeros((192, 192))) is None


def test_a_picture_that_is_partly_black_is_measured():
    grey = to_grey(skimage.data.astronaut())
    grey[:, :200] = 0
    assert np.isfinite(niqe(grey) or np.nan)
