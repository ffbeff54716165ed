"""Pictures of a page keep to their budget, at full size where quality allows it."""

import io

import numpy as np
import pytest
from PIL import Image

from rdi.depth import to_8_bits
from rdi.page.pictures import BEST, LEAST, LEAST_AT_FULL_SIZE, encode_within, resize


def smooth(height: int, width: int) -> np.ndarray:
    ramp = np.linspace(0, 65535, width)[None, :, None] * np.linspace(0, 1, height)[:, None, None]
    return np.broadcast_to(ramp, (height, width, 3)).astype(np.uint16)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 65536, (height, width, 3), dtype=np.uint16)


def test_a_picture_that_fits_is_whole_and_at_its_best() -> None:
    found = encode_within(smooth(200, 300), 100_000)
    assert (found.width, found.height, found.quality, found.reduced) == (300, 200, BEST, False)
    decoded = np.asarray(Image.open(io.BytesIO(found.data))).astype(int)
    assert np.abs(decoded - np.rint(smooth(200, 300) / 257)).mean() < 1


def test_quality_goes_before_size() -> None:
    found = encode_within(noise(400, 600), 160_000)
    assert len(found.data) <= 160_000
    assert not found.reduced
    assert LEAST_AT_FULL_SIZE <= found.quality < BEST


@pytest.mark.parametrize("budget", [2_000, 10_000, 40_000])
def test_noise_is_made_smaller_until_it_fits_and_is_then_not_bad_as_well(budget: int) -> None:
    found = encode_within(noise(900, 1200), budget)
    assert len(found.data) <= budget
    assert found.reduced
    assert found.full == (1200, 900)
    assert found.quality >= LEAST
    assert found.width / found.height == pytest.approx(4 / 3, rel=0.05)


def test_a_budget_for_nothing_still_gives_a_picture() -> None:
    found = encode_within(noise(900, 1200), 10)
    assert max(found.width, found.height) <= 64


def test_tiny_and_narrow_pictures_survive() -> None:
    for shape in ((1, 1), (1, 5000), (5000, 2)):
        assert encode_within(noise(*shape), 300).data[:2] == b"\xff\xd8"


def test_the_longest_side_is_kept_to() -> None:
    assert encode_within(smooth(600, 900), 10**6, longest=300).width == 300


def test_resizing_keeps_the_mean_of_8_and_16_bits_and_of_views() -> None:
    picture = noise(301, 403)
    for scale in (0.9, 0.5, 0.13):
        small = resize(picture, scale)
        assert small.shape == (round(301 * scale), round(403 * scale), 3)
        assert small.mean() == pytest.approx(picture.mean() / 257, abs=1)
    eight = to_8_bits(picture)
    assert np.abs(resize(eight, 0.25).astype(int) - resize(picture, 0.25)).max() <= 2  # each is rounded, and sharpened
    turned = picture.transpose(1, 0, 2)[::-1]
    assert np.array_equal(resize(turned, 0.25), resize(np.ascontiguousarray(turned), 0.25))
