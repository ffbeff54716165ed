"""Simulated captures: geometry, colour, exposure, levels."""

import numpy as np
import pytest
from numpy.typing import NDArray

from rdi import color
from rdi.camera import Cfa
from rdi.errors import LevelsError, UsageError
from rdi.noise import ReadNoise
from rdi.sensors.cameras import find_sensor
from rdi.simulate import Exposure, Sensor, expose, mosaic_of, render_clean, simulate, to_camera

ONES = np.ones(3)


def colourful(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("cfa", list(Cfa))
@pytest.mark.parametrize("shape", [(6, 6), (7, 13), (32, 48)])
def test_each_pixel_of_the_mosaic_is_its_sites_colour(cfa: Cfa, shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(1).random((*shape, 3), dtype=np.float32)
    mosaic = mosaic_of(picture, cfa)
    for row, column in np.ndindex(shape):
        site = cfa.colours[row % cfa.period, column % cfa.period]
        assert mosaic[row, column] == picture[row, column, site]


def test_a_clean_capture_renders_to_the_photo_it_came_from() -> None:
    """Colours that the camera's matrix keeps within [0, 1] come back as they were."""
    photo = np.random.default_rng(2).integers(60, 180, (20, 30, 3), dtype=np.uint8)
    sensor = Sensor()
    assert np.abs(render_clean(to_camera(photo, sensor), sensor) - photo / 255).max() < 0.5 / 255


def test_white_stays_white_in_the_camera() -> None:
    assert to_camera(np.full((2, 2, 3), 255, dtype=np.uint8), Sensor()) == pytest.approx(np.ones((2, 2, 3)), abs=1e-6)


@pytest.mark.parametrize("cfa", list(Cfa))
def test_the_exposed_light_is_photo_over_balance_and_ratio(cfa: Cfa) -> None:
    """A grey card at ISO 50, where noise is least: the mean of each colour is what the formula says."""
    balance = np.array([2.0, 1.0, 1.6])
    sensor = Sensor(cfa=cfa)
    camera = np.full((240, 240, 3), 0.5, dtype=np.float32)
    exposure = Exposure(50, 10.0, balance)
    mosaic = expose(camera, sensor, exposure, ReadNoise.GAUSSIAN, np.random.default_rng(0)).astype(np.float64)
    sites = cfa.tile(cfa.colours.ravel().astype(np.float64), 240, 240)
    for colour in range(3):
        expected = 512 + 0.5 / balance[colour] / 10 * 15871
        assert mosaic[sites == colour].mean() == pytest.approx(expected, abs=0.2)


def test_a_capture_clips_at_the_sensors_white() -> None:
    photo = simulate(np.full((40, 40, 3), 255, dtype=np.uint8), Exposure(12800, 1.0, np.array([1.0, 1.0, 1.0])))
    assert photo.mosaic.max() == 16383
    assert np.mean(photo.mosaic == 16383) > 0.3


def test_a_capture_of_black_stays_around_black_and_keeps_the_noise_below_it() -> None:
    photo = simulate(np.zeros((200, 200, 3), dtype=np.uint8), Exposure(3200, 100.0, ONES))
    assert photo.mosaic.mean() == pytest.approx(512, abs=0.2)
    assert np.mean(photo.mosaic < 512) == pytest.approx(0.45, abs=0.06)


def test_a_capture_knows_its_camera_and_exposure() -> None:
    balance = np.array([2.1, 1.0, 1.6])
    photo = simulate(colourful(30, 40), Exposure(1600, 50.0, balance), sensor=Sensor(cfa=Cfa.BGGR))
    assert (photo.cfa, photo.iso, photo.white_level) == (Cfa.BGGR, 1600, 16383)
    assert photo.white_balance.tolist() == balance.tolist()
    assert photo.camera_to_srgb == pytest.approx(color.srgb_from_camera(color.A7S2_CAMERA_FROM_XYZ))
    assert photo.exposure_time is None


def test_a_capture_has_its_cameras_levels_and_colours() -> None:
    sensor = find_sensor("Nikon D850")
    photo = simulate(np.full((80, 80, 3), 255, dtype=np.uint8), Exposure(100, 2.0, ONES), sensor=sensor)
    assert (photo.camera, photo.white_level, photo.black_level[0]) == ("Nikon D850", 15520, 400)
    assert photo.camera_to_srgb == pytest.approx(sensor.srgb_from_camera)
    assert photo.mosaic.mean() == pytest.approx(400 + (15520 - 400) / 2, rel=0.01)


def test_the_seed_decides_the_noise() -> None:
    first, again, other = (simulate(colourful(24, 24), Exposure(3200, 30.0, ONES), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.mosaic, again.mosaic)
    assert not np.array_equal(first.mosaic, other.mosaic)


@pytest.mark.parametrize("ratio", [0.5, 0, -3, 10_001, float("nan"), float("inf")])
def test_a_ratio_out_of_range_is_refused(ratio: float) -> None:
    with pytest.raises(UsageError, match="give 1 to 10000"):
        Exposure(3200, ratio, ONES)


@pytest.mark.parametrize("iso", [10, 51200])
def test_an_iso_out_of_range_is_refused(iso: float) -> None:
    with pytest.raises(UsageError, match="give 50 to 25600"):
        simulate(colourful(24, 24), Exposure(iso, 10, ONES))


def test_a_balance_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(LevelsError, match="white balance"):
        simulate(colourful(24, 24), Exposure(3200, 10, np.array([100.0, 1.0, 1.0])))


def test_highlights_shine_and_the_rest_stays_as_it_was():
    photo = np.array([[[255, 255, 255], [150, 150, 150], [255, 200, 120], [40, 90, 10]]], np.uint8)
    plain, shining = to_camera(photo, Sensor()), to_camera(photo, Sensor(), highlights=20)
    assert shining[0, 0] == pytest.approx(20 * plain[0, 0])
    assert np.array_equal(shining[0, [1, 3]], plain[0, [1, 3]])
    ratio = shining[0, 2] / plain[0, 2]
    assert ratio == pytest.approx(ratio[0], rel=1e-5)  # of the same colour
    assert 1 < ratio[0] < 20
    assert np.array_equal(to_camera(photo, Sensor(), np.ones(3)), plain)
