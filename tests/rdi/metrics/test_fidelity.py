"""PSNR and SSIM are scikit-image's, on float values and on 8-bit ones."""

import tracemalloc

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from rdi.metrics import psnr, ssim
from rdi.metrics.fidelity import to_bytes


@pytest.fixture
def pair():
    generator = np.random.default_rng(0)
    target = generator.random((340, 50, 3), dtype=np.float32)
    return (target + 0.1 * generator.standard_normal(target.shape)).clip(0, 1).astype(np.float32), target


def test_psnr_is_scikit_images(pair):
    assert psnr(*pair) == pytest.approx(peak_signal_noise_ratio(pair[1], pair[0], data_range=1), abs=1e-3)


def test_ssim_is_scikit_images_on_double_precision(pair):
    exact = structural_similarity(*(picture.astype(np.float64) for picture in pair), channel_axis=2, data_range=1)
    assert ssim(*pair) == pytest.approx(exact, abs=1e-4)


@pytest.mark.parametrize("shape", [(7, 7), (8, 300), (38, 9), (39, 9), (101, 64)])
@pytest.mark.parametrize("noise", [0.0, 0.01, 0.3])
def test_ssim_is_scikit_images_for_any_size_and_noise(shape, noise):
    """Sizes of one window, of a whole number of bands and of a row more."""
    generator = np.random.default_rng(3)
    target = generator.random((*shape, 3), dtype=np.float32) ** 3
    picture = np.clip(target + noise * generator.standard_normal(target.shape), 0, 1).astype(np.float32)
    exact = structural_similarity(
        *(side.astype(np.float64) for side in (picture, target)), channel_axis=2, data_range=1
    )
    assert ssim(picture, target) == pytest.approx(exact, abs=1e-9)


def test_ssim_takes_less_memory_than_a_picture():
    picture = np.random.default_rng(0).random((1200, 400, 3), dtype=np.float32)
    tracemalloc.start()
    ssim(picture, picture)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < picture.nbytes


def test_on_bytes_both_are_scikit_images(pair):
    picture, target = map(to_bytes, pair)
    assert psnr(picture, target) == pytest.approx(peak_signal_noise_ratio(target, picture), abs=1e-3)
    assert ssim(picture, target) == pytest.approx(structural_similarity(picture, target, channel_axis=2), abs=1e-4)
    assert psnr(picture, target) == pytest.approx(psnr(*pair), abs=0.01)


def test_bytes_are_rounded_not_cut_off():
    assert to_bytes(np.array([-0.1, 0.0, 0.9 / 255, 254.6 / 255, 1.2], np.float32)).tolist() == [0, 0, 1, 255, 255]


def test_equal_pictures_have_no_error(pair):
    assert psnr(pair[1], pair[1]) == float("inf")
    assert ssim(pair[1], pair[1]) == pytest.approx(1)


def test_noise_lowers_both(pair):
    more = (pair[1] + 2 * (pair[0] - pair[1])).clip(0, 1)
    assert psnr(more, pair[1]) < psnr(*pair)
    assert ssim(more, pair[1]) < ssim(*pair) < 1
