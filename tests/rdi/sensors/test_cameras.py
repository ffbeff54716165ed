"""The table of cameras: against LibRaw's own, and against what any sensible camera does."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rawpy

from rdi.camera import Cfa, RawPhoto, read_photo
from rdi.errors import UsageError
from rdi.sensors.cameras import all_sensors, find_sensor, sensors_of
from rdi.simulate import CALIBRATED_PITCH, Sensor, to_camera

COLOR_MATRIX, ILLUMINANT, UNIQUE_NAME = 50721, 50778, 50708
every_sensor = pytest.mark.parametrize("sensor", all_sensors(), ids=lambda sensor: sensor.name)


@every_sensor
def test_libraws_table_has_the_same_matrix(sensor: Sensor, write_variant: Callable[..., Path]) -> None:
    """A DNG without a matrix makes LibRaw look the camera up by make and model."""
    photo = RawPhoto(
        np.full((32, 32), 600, dtype=np.uint16),
        Cfa.RGGB,
        np.array([512.0]),
        16383,
        make=sensor.make,
        model=sensor.model,
    )
    path = write_variant(photo, {COLOR_MATRIX: None, ILLUMINANT: None, UNIQUE_NAME: None})
    with rawpy.imread(str(path)) as raw:
        assert raw.rgb_xyz_matrix[:3] == pytest.approx(np.array(sensor.camera_from_xyz), abs=1e-6)


@pytest.mark.real_data
def test_a_real_file_has_the_matrix_and_levels_of_the_table(real_arw: Path) -> None:
    sensor, photo = find_sensor("ILCE-7RM3"), read_photo(real_arw)
    assert photo.camera_from_xyz == pytest.approx(np.array(sensor.camera_from_xyz), abs=1e-6)
    assert (photo.black_level.tolist(), photo.white_level) == ([sensor.black_level] * 4, sensor.white_level)


@pytest.mark.real_data
def test_the_size_of_a_pixel_predicts_the_noise_of_a_real_file(real_arw: Path) -> None:
    """Variance against mean over flat patches of the ARW: its slope is the gain, in DN per electron."""
    green = read_photo(real_arw).mosaic[0::2, 1::2].astype(np.float64) - 512
    patches = green[: green.shape[0] // 8 * 8, : green.shape[1] // 8 * 8]
    patches = patches.reshape(patches.shape[0] // 8, 8, -1, 8).swapaxes(1, 2).reshape(-1, 8, 8)
    means, variances = patches.mean((1, 2)), (np.diff(patches, axis=2) ** 2).mean((1, 2)) / 2
    bright, dark = (np.percentile(variances[(means > low) & (means < high)], 40) for low, high in ((160, 320), (-5, 5)))
    mean = means[(means > 160) & (means < 320)].mean()
    measured = (bright - dark) / mean
    predicted, uncorrected = (sensor.noise_at(3200).gain for sensor in (find_sensor("ILCE-7RM3"), Sensor()))
    assert measured == pytest.approx(predicted, rel=0.3)
    assert measured > 2 * uncorrected


def test_the_table_has_fifty_cameras_of_many_makers_and_both_patterns() -> None:
    sensors = all_sensors()
    assert len(sensors) == len({sensor.name for sensor in sensors}) == 50
    assert len({sensor.make for sensor in sensors}) >= 6
    assert {sensor.name for sensor in sensors} >= {"Sony ILCE-7SM2", "Canon EOS 30D", "Nikon D850", "Sony ILCE-7RM3"}
    assert {sensor.cfa for sensor in sensors_of(Cfa.XTRANS)} == {Cfa.XTRANS}
    assert (len(sensors_of(Cfa.XTRANS)), len(sensors_of(Cfa.RGGB))) == (4, 46)  # docs/captures.md says so


@every_sensor
def test_a_camera_is_sane(sensor: Sensor) -> None:
    """Levels, daylight gains within what cameras have, white stays white, colours are told apart."""
    assert 0 <= sensor.black_level < 0.2 * sensor.white_level < sensor.white_level <= 65535
    red, green, blue = sensor.daylight
    assert green == 1
    assert 1.7 < red < 3.3
    assert 1.05 < blue < 1.8
    white = to_camera(np.full((2, 2, 3), 255, dtype=np.uint8), sensor)
    assert white == pytest.approx(np.ones((2, 2, 3)), abs=1e-5)
    assert (np.diag(sensor.camera_from_srgb) > 0.3).all()
    assert np.abs(sensor.srgb_from_camera).max() < 2.6
    assert 1 < sensor.pixel_pitch < 10
    assert 800 <= sensor.highest_iso <= 204_800


def test_the_camera_whose_noise_is_calibrated_is_the_default_one() -> None:
    assert find_sensor("Sony ILCE-7SM2") == Sensor()
    assert Sensor().noise_at(3200).gain == pytest.approx(3.06, abs=0.01)


def test_smaller_pixels_and_fewer_bits_change_the_noise_as_they_must() -> None:
    whole = Sensor().noise_at(1600)
    half = replace(Sensor(), pixel_pitch=CALIBRATED_PITCH / 2).noise_at(1600)
    assert half.gain == pytest.approx(4 * whole.gain)
    assert half.gaussian_sigma / half.gain == pytest.approx(whole.gaussian_sigma / whole.gain)
    coarse = replace(Sensor(), black_level=0, white_level=15871 // 4, read_factor=2).noise_at(1600)
    assert coarse.gain == pytest.approx(whole.gain / 4, rel=1e-3)
    assert coarse.tukey_sigma == pytest.approx(whole.tukey_sigma / 2, rel=1e-3)


@pytest.mark.parametrize("name", ["Nikon D850", "nikon d850", "d850", "NIKON-D850"])
def test_a_camera_is_found_however_it_is_written(name: str) -> None:
    assert find_sensor(name).name == "Nikon D850"


@pytest.mark.parametrize(
    ("name", "said"),
    [("Nikon D85", "Nikon D850"), ("ILCE-7S2", "ILCE-7SM2"), ("5D", "EOS 5D Mark"), ("?", "--list-sen")],
)
def test_an_unknown_camera_is_answered_with_those_like_it(name: str, said: str) -> None:
    with pytest.raises(UsageError, match="not in the table of 50 cameras") as caught:
        find_sensor(name)
    assert said in str(caught.value)
