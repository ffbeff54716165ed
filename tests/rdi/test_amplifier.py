"""Eq. 5 from a histogram: the published values, the extremes, and frames that are read in other levels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdi.amplifier import (
    _BLOCK,
    HIGHEST,
    MConvention,
    bin_edges,
    bin_weights,
    count_raw_values,
    estimate_amplification,
    weights_of,
)
from rdi.camera import Cfa, RawPhoto


def photo_of(mosaic, black=512.0, white=16383.0, cfa=Cfa.RGGB):
    return RawPhoto(np.asarray(mosaic, np.uint16), cfa, np.atleast_1d(np.asarray(black, float)), white)


def estimate(photo, m=5.0, convention=MConvention.BEFORE_CLIP):
    return estimate_amplification(count_raw_values(photo), photo.black_level, photo.white_level, m, convention)


def by_masks(photo, m):
    """Eq. 5 as the paper writes it: one mask a bin."""
    period = photo.cfa.period
    black = np.tile(photo.black_level.reshape(period, period), np.array(photo.mosaic.shape) // period)
    x = (np.maximum(photo.mosaic - black, 0) / (photo.white_level - black)).astype(np.float32)
    edges, total, weighted = bin_edges(), 0.0, 0.0
    for k, weight in enumerate(bin_weights().astype(float)):
        inside = x[(x >= edges[k]) & (x < edges[k + 1])]
        total += weight * inside.size
        weighted += weight * inside.sum(dtype=np.float64)
    return min(max(m * 0.01 * total / weighted, 1.0), 300.0)


@pytest.mark.real_data
def test_estimates_equal_the_published_code(shared):
    reference = np.load(shared / "reference" / "amplifier_parity.npz")
    cases = sorted({name.split("_")[0] for name in reference.files})
    assert len(cases) == 10
    for case in cases:
        photo = photo_of(reference[f"{case}_raw"])
        for m in (1, 5):
            assert estimate(photo, m) == pytest.approx(float(reference[f"{case}_m{m}"]), rel=1e-6)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.5, 1.0, 5.0]))
def test_the_histogram_gives_what_a_mask_for_each_bin_gives(seed, m):
    generator = np.random.default_rng(seed)
    black = generator.integers(0, 600, 4).astype(float)
    mosaic = generator.gamma(0.5, generator.uniform(5, 5000), (8, 12)) + generator.integers(0, 700)
    mosaic[0, 0] = 700  # never quite black
    photo = photo_of(mosaic.clip(0, 16383), black=black)
    assert estimate(photo, m) == pytest.approx(by_masks(photo, m), rel=1e-6)


def test_a_black_frame_gets_the_most_and_a_white_one_nothing():
    assert estimate(photo_of(np.full((4, 4), 512))) == 300
    assert estimate(photo_of(np.zeros((4, 4)))) == 300
    assert estimate(photo_of(np.full((4, 4), 16383))) == 1
    assert estimate(photo_of(np.full((4, 4), 16600))) == 1


def test_m_enters_before_or_after_the_clip():
    dark = photo_of(np.full((4, 4), 514))
    assert estimate(dark, 5.0) == HIGHEST
    alone = estimate(dark, 1.0)
    assert 1 < alone < HIGHEST
    assert estimate(dark, 8.0, MConvention.AFTER_CLIP) == pytest.approx(8 * alone)
    assert estimate(photo_of(np.full((4, 4), 512)), 8.0, MConvention.AFTER_CLIP) == 8 * HIGHEST


@given(st.integers(0, 2000), st.integers(2, 4))
def test_an_offset_of_black_and_a_scale_of_white_change_nothing(offset, scale):
    x = np.random.default_rng(3).integers(0, 3000, (6, 8))
    plain = estimate(photo_of(x, black=0, white=3000))
    assert estimate(photo_of(x + offset, black=offset, white=3000 + offset)) == pytest.approx(plain, rel=1e-9)
    assert estimate(photo_of(x * scale, black=0, white=3000 * scale)) == pytest.approx(plain, rel=1e-6)


def test_each_site_is_read_with_its_own_black_level():
    signal = np.random.default_rng(4).integers(1, 20, (6, 8))
    black = np.array([128.0, 128.0, 128.0, 127.0])
    shifted = signal + Cfa.RGGB.tile(black, 6, 8).astype(int)
    even = estimate(photo_of(signal + 128, black=128, white=4095))
    assert estimate(photo_of(shifted, black=black, white=4095)) == pytest.approx(even, rel=1e-4)
    assert estimate(photo_of(shifted, black=128, white=4095)) != pytest.approx(even, rel=1e-4)


def test_a_value_at_white_has_no_weight_whatever_the_levels():
    for black, white in [(512, 16383), (0, 65535), (64, 1023), (128, 4095), (800, 15360)]:
        photo = photo_of(np.full((2, 2), white), black=black, white=white)
        assert estimate(photo) == 1


def test_weights_fall_from_one_to_a_hundred_thousandth():
    weights = weights_of(np.array([0.0, 1e-5, 0.5, 0.99999, 1.0, 4.0], np.float32))
    assert weights[0] == weights[1] == 1
    assert weights[3] == pytest.approx(1e-5, rel=1e-5)
    assert weights[4] == weights[5] == 0
    assert (np.diff(weights) <= 0).all()


def test_xtrans_frames_are_counted_site_by_site():
    photo = photo_of(np.arange(72).reshape(6, 12) + 600, cfa=Cfa.XTRANS)
    histogram = count_raw_values(photo)
    assert histogram.counts.shape == (36, 65_536)
    assert histogram.pixels == 72
    assert estimate(photo) == pytest.approx(by_masks(photo, 5.0), rel=1e-6)


@pytest.mark.parametrize("cfa", list(Cfa))
def test_a_frame_of_several_blocks_is_counted_like_one(cfa):
    """A block that is no multiple of the pattern's period would shift the sites of those below it."""
    period = cfa.period
    mosaic = np.random.default_rng(6).integers(0, 50, (3 * _BLOCK + 5, 24)).astype(np.uint16)
    mosaic += (
        (np.arange(cfa.sites) * 100)
        .astype(np.uint16)
        .reshape(period, period)[np.arange(len(mosaic))[:, None] % period, np.arange(24) % period]
    )
    photo = photo_of(mosaic, black=np.arange(cfa.sites) * 100.0, cfa=cfa)
    counts = count_raw_values(photo).counts
    for site, (row, column) in enumerate(np.ndindex(period, period)):
        pixels = mosaic[row::period, column::period].ravel()
        assert np.array_equal(counts[site], np.bincount(pixels, minlength=65_536))
