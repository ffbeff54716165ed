"""The simulated noise is the calibration's: mean, photon transfer, rows, heavy tails, ISO by ISO."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from rdi.errors import UsageError
from rdi.noise import CONVERSION_GAIN_SWITCH, ReadNoise, SensorNoise, calibration, noise_at
from rdi.simulate import Exposure, Sensor, expose

ISOS = (400, 3200, 12800)
CASES = list(itertools.product(ISOS, ReadNoise))
SENSOR = Sensor()
FULL_SCALE = SENSOR.white_level - SENSOR.black_level
QUANTISATION = 1 / 12  # variance of rounding to 1 DN


def read_sigma(noise: SensorNoise, kind: ReadNoise) -> float:
    return noise.gaussian_sigma if kind is ReadNoise.GAUSSIAN else noise.tukey_sigma


def flat_mosaic(level: float, iso: float, kind: ReadNoise, shape: tuple[int, int], seed: int) -> NDArray[np.float64]:
    """A grey card taken with the whole simulation: DN above black, levels rounded as the sensor does."""
    camera = np.full((*shape, 3), level / FULL_SCALE, dtype=np.float32)
    exposure = Exposure(iso, 1.0, np.ones(3))
    mosaic = expose(camera, SENSOR, exposure, kind, np.random.default_rng(seed))
    return mosaic.astype(np.float64) - SENSOR.black_level


@pytest.mark.parametrize(("iso", "kind"), CASES)
def test_the_mean_is_the_signal(iso: int, kind: ReadNoise) -> None:
    for level in (20, 300, 3000):
        assert flat_mosaic(level, iso, kind, (600, 600), seed=level).mean() == pytest.approx(level, rel=0.01)


@pytest.mark.parametrize(("iso", "kind"), CASES)
def test_variance_against_signal_is_a_line_with_the_calibrated_gain_and_read_noise(iso: int, kind: ReadNoise) -> None:
    noise = noise_at(iso)
    levels = np.array([0, 100, 400, 1500, 4000])
    # Row by row, so that the rows' common offset drops out; 490,000 pixels know a variance to 0.4 %.
    rows = [flat_mosaic(level, iso, kind, (700, 700), seed=9 + level) for level in levels]
    variances = [row.var(axis=1, ddof=1).mean() for row in rows]
    slope, intercept = np.polyfit(levels, variances, 1, w=1 / np.array(variances))
    assert slope == pytest.approx(noise.gain, rel=0.03)
    assert intercept == pytest.approx(read_sigma(noise, kind) ** 2 + QUANTISATION, rel=0.03)


@pytest.mark.parametrize(("iso", "kind"), CASES)
def test_rows_share_an_offset_of_the_calibrated_size(iso: int, kind: ReadNoise) -> None:
    noise = noise_at(iso)
    # 12,000 rows know a standard deviation to 0.65 %; what pixels leave in a row's mean is taken off.
    dark = flat_mosaic(0, iso, kind, (12_000, 600), seed=1)
    of_pixels = dark.var(axis=1, ddof=1).mean() / dark.shape[1]
    assert np.sqrt(dark.mean(axis=1).var() - of_pixels) == pytest.approx(noise.row_sigma, rel=0.03)


@pytest.mark.parametrize("iso", ISOS)
def test_columns_share_nothing(iso: int) -> None:
    dark = flat_mosaic(0, iso, ReadNoise.TUKEY_LAMBDA, (600, 2000), seed=2)
    within_rows = dark - dark.mean(axis=1, keepdims=True)
    assert within_rows.mean(axis=0).var() == pytest.approx(within_rows.var() / 600, rel=0.15)


@pytest.mark.parametrize("iso", ISOS)
def test_drawn_read_noise_has_the_distribution_of_its_fit(iso: int) -> None:
    noise = noise_at(iso)
    generator = np.random.default_rng(3)
    tukey = noise.draw_read_noise((40_000,), ReadNoise.TUKEY_LAMBDA, generator)
    gaussian = noise.draw_read_noise((40_000,), ReadNoise.GAUSSIAN, generator)
    assert stats.kstest(tukey, stats.tukeylambda(noise.tukey_lambda, scale=noise.tukey_scale).cdf).pvalue > 0.01
    assert stats.kstest(gaussian, stats.norm(scale=noise.gaussian_sigma).cdf).pvalue > 0.01


@pytest.mark.parametrize("row", calibration(), ids=lambda row: f"iso{row.iso:g}")
def test_the_closed_form_of_the_tukey_sigma_is_scipys(row: SensorNoise) -> None:
    assert row.tukey_sigma == pytest.approx(stats.tukeylambda(row.tukey_lambda, scale=row.tukey_scale).std(), rel=1e-6)


@pytest.mark.parametrize("row", calibration(), ids=lambda row: f"iso{row.iso:g}")
def test_both_fits_describe_the_same_noise(row: SensorNoise) -> None:
    assert row.tukey_sigma == pytest.approx(row.gaussian_sigma, rel=0.1)


@pytest.mark.parametrize("row", calibration(), ids=lambda row: f"iso{row.iso:g}")
def test_a_calibrated_iso_gets_its_own_figures(row: SensorNoise) -> None:
    found = noise_at(row.iso)
    assert found.gain == pytest.approx(row.gain, rel=1e-3)
    for name in ("gaussian_sigma", "tukey_lambda", "tukey_scale", "row_sigma"):
        assert getattr(found, name) == pytest.approx(getattr(row, name), rel=1e-9), name


@pytest.mark.parametrize("iso", [1601, 1700, 1800, 1900, 1999])
def test_nothing_is_interpolated_across_the_switch_of_conversion_gain(iso: int) -> None:
    low, high, found = noise_at(CONVERSION_GAIN_SWITCH), noise_at(2000), noise_at(iso)
    assert high.gaussian_sigma < 0.5 * low.gaussian_sigma
    for name in ("gaussian_sigma", "tukey_lambda", "tukey_scale", "row_sigma"):
        assert getattr(found, name) == getattr(low, name), name


def test_between_calibrated_isos_figures_lie_between_theirs() -> None:
    low, found, high = noise_at(3200), noise_at(3600), noise_at(4000)
    assert low.gaussian_sigma < found.gaussian_sigma < high.gaussian_sigma
    assert found.gain == pytest.approx(high.gain * 3600 / 4000)


@pytest.mark.parametrize("iso", [49, 25601, 0, -100, float("nan"), float("inf")])
def test_an_iso_outside_the_calibration_is_refused(iso: float) -> None:
    with pytest.raises(UsageError, match="give 50 to 25600"):
        noise_at(iso)


def test_the_same_generator_state_gives_the_same_noise() -> None:
    dark = [flat_mosaic(5, 800, ReadNoise.TUKEY_LAMBDA, (8, 8), seed) for seed in (4, 4, 5)]
    assert np.array_equal(dark[0], dark[1])
    assert not np.array_equal(dark[0], dark[2])
