"""The light's colour, on captures whose light is known."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
from hypothesis import given
from hypothesis import strategies as st

from rdi.camera import Cfa, RawPhoto
from rdi.color import A7S2_CAMERA_FROM_XYZ, daylight_gains, tungsten_gains
from rdi.illuminant import OFF_LINE, block_light, estimate_gains, keep_plausible
from rdi.protocol import WHITE_BALANCES
from rdi.simulate import Exposure, Sensor, simulate

TUNGSTEN, DAYLIGHT = tungsten_gains(A7S2_CAMERA_FROM_XYZ), daylight_gains(A7S2_CAMERA_FROM_XYZ)
PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")


def capture(name: str, gains: tuple[float, ...], ratio: float = 100, cfa: Cfa = Cfa.RGGB) -> RawPhoto:
    picture = getattr(skimage.data, name)()
    return simulate(picture, Exposure(3200, ratio, np.array(gains)), sensor=Sensor(cfa=cfa), seed=3)


def degrees(gains: np.ndarray | None, truth: tuple[float, ...]) -> float:
    """The angle between two lights."""
    assert gains is not None
    one, other = 1 / gains, 1 / np.array(truth)
    return float(np.degrees(np.arccos(one @ other / np.linalg.norm(one) / np.linalg.norm(other))))


@pytest.mark.parametrize("cfa", [Cfa.RGGB, Cfa.GBRG, Cfa.XTRANS])
@pytest.mark.parametrize("ratio", [30, 300])
def test_the_light_is_found_within_a_few_degrees(cfa: Cfa, ratio: float) -> None:
    pairs = [(capture(name, light, ratio, cfa), light) for name in PHOTOS for light in WHITE_BALANCES]
    found = np.array([degrees(estimate_gains(photo), light) for photo, light in pairs])
    daylight = np.array([degrees(DAYLIGHT, light) for _, light in pairs])
    assert found.mean() < 4 < 7 < daylight.mean()
    assert found.max() < 7


@pytest.mark.real_data
def test_the_light_is_found_on_the_validation_photos_as_the_documents_say(shared: Path) -> None:
    from rdi.pictures import load_picture

    folder = shared / "photos"
    found = []
    for index, name in enumerate((folder / "VALIDATION.txt").read_text().split()):
        light = WHITE_BALANCES[index % 3]
        photo = simulate(load_picture(folder / name), Exposure(3200, 100, np.array(light)), seed=index)
        found.append(degrees(estimate_gains(photo), light))
    assert np.mean(found) < 2.2


def test_hot_pixels_do_not_colour_the_light() -> None:
    photo = capture("coffee", WHITE_BALANCES[0])
    hot = photo.replace(mosaic=photo.mosaic.copy())
    where = np.random.default_rng(1).random(photo.mosaic.shape) < 0.002
    hot.mosaic[where & (np.indices(where.shape)[1] % 2 == 0)] = 9000  # red and green sites only
    before = estimate_gains(photo)
    assert before is not None
    assert degrees(estimate_gains(hot), tuple(before)) < 0.2


def test_what_the_sensor_saturated_in_does_not_count() -> None:
    photo = capture("coffee", WHITE_BALANCES[1])
    lit = photo.replace(mosaic=photo.mosaic.copy())
    lit.mosaic[:90, :90] = 16383
    hidden = photo.replace(mosaic=photo.mosaic.copy())
    hidden.mosaic[:90, :90] = 512
    assert degrees(estimate_gains(lit), tuple(np.asarray(estimate_gains(hidden)))) < 0.1


def test_the_brightness_of_the_scene_does_not_count() -> None:
    photo = capture("astronaut", WHITE_BALANCES[2], ratio=30)
    signal = photo.mosaic.astype(np.int64) - 512
    brighter = photo.replace(mosaic=np.clip(512 + 3 * signal, 0, 16000).astype(np.uint16))
    assert degrees(estimate_gains(brighter), tuple(np.asarray(estimate_gains(photo)))) < 0.1


@pytest.mark.parametrize(("value", "noise"), [(512, 4), (512, 0), (16383, 0), (400, 0)])
def test_a_frame_that_tells_nothing_gives_none(value: int, noise: float) -> None:
    values = np.random.default_rng(0).normal(value, noise, (180, 270))
    mosaic = np.clip(np.rint(values), 0, 16383).astype(np.uint16)
    photo = RawPhoto(mosaic, Cfa.RGGB, np.array([512.0]), 16383.0, camera_from_xyz=A7S2_CAMERA_FROM_XYZ)
    assert estimate_gains(photo) is None


@pytest.mark.parametrize("cfa", [Cfa.BGGR, Cfa.XTRANS])
def test_a_frame_smaller_than_a_block_gives_none(cfa: Cfa) -> None:
    mosaic = np.full((17, 40), 700, dtype=np.uint16)
    assert estimate_gains(RawPhoto(mosaic, cfa, np.array([512.0]), 16383.0, camera_from_xyz=np.eye(3))) is None


@given(st.sampled_from(list(Cfa)), st.integers(0, 5), st.integers(0, 5))
def test_a_block_has_the_light_of_its_colours_in_every_phase(cfa: Cfa, row: int, column: int) -> None:
    phase = (row, column) if cfa is Cfa.XTRANS else (0, 0)
    black = np.arange(cfa.sites, dtype=np.float64) + 500
    rows, columns = np.indices((37, 40))
    colours = cfa.colours[(rows + phase[0]) % cfa.period, (columns + phase[1]) % cfa.period]
    mosaic = cfa.tile(black, 37, 40) + np.array([100, 200, 300])[colours]
    photo = RawPhoto(mosaic.astype(np.uint16), cfa, black, 16500.0, phase=phase)
    light = block_light(photo)
    assert light.shape == (4, 3)
    assert np.allclose(light, np.array([100, 200, 300]) / 16000, rtol=4e-3)


@given(st.tuples(st.floats(0.05, 20), st.floats(0.05, 20)))
def test_gains_are_kept_near_the_line_from_tungsten_to_daylight(wanted: tuple[float, float]) -> None:
    gains = np.array([wanted[0], 1.0, wanted[1]])
    kept = keep_plausible(gains, TUNGSTEN, DAYLIGHT)
    line = np.log(TUNGSTEN) + np.linspace(0, 1, 2001)[:, None] * (np.log(DAYLIGHT) - np.log(TUNGSTEN))
    distances = np.linalg.norm(line - np.log(gains), axis=1)
    assert np.linalg.norm(line - np.log(kept), axis=1).min() <= OFF_LINE + 1e-3
    if distances.min() <= OFF_LINE - 1e-3:
        assert np.allclose(kept, gains)
    assert kept[1] == 1


@pytest.mark.real_data
def test_a_stage_in_blue_light_stays_blue(real_arw: Path) -> None:
    from rdi.camera import read_photo

    gains = estimate_gains(read_photo(real_arw))
    assert gains is not None
    assert gains[2] > 1.1  # grey-world alone says 0.45
