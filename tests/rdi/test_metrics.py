"""PSNR and SSIM by their definitions."""

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from rdi.metrics import psnr, ssim


@pytest.fixture
def pair():
    generator = np.random.default_rng(0)
    target = generator.random((40, 50, 3), dtype=np.float32)
    return (target + 0.1 * generator.standard_normal(target.shape)).clip(0, 1).astype(np.float32), target


def test_psnr_is_scikit_images(pair):
    assert psnr(*pair) == pytest.approx(peak_signal_noise_ratio(pair[1], pair[0], data_range=1), abs=1e-3)


def test_equal_pictures_have_no_error(pair):
    assert psnr(pair[1], pair[1]) == float("inf")
    assert ssim(pair[1], pair[1]) == pytest.approx(1)


def test_noise_lowers_both(pair):
    more = (pair[1] + 2 * (pair[0] - pair[1])).clip(0, 1)
    assert psnr(more, pair[1]) < psnr(*pair)
    assert ssim(more, pair[1]) < ssim(*pair) < 1
