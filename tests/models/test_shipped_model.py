"""The model that ships, on the demo's sample and on a real dark photo."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rdi.camera import Cfa, RawPhoto, read_photo
from rdi.checkpoint import load_checkpoint, weights_digest
from rdi.cli.eval_models import open_models
from rdi.color import decode
from rdi.evaluation.colours import CAMERAS, measure_colours
from rdi.metadata import Rendering, WhiteBalance
from rdi.metrics.colour_difference import to_lab
from rdi.models import SHIPPED, shipped_model, shipped_sample
from rdi.runtime import Exposure, ExposureMode, Restored, Restorer, read_metadata
from rdi.runtime.gamut import Gamut
from rdi.runtime.model import open_model
from rdi.runtime.strip_file import open_strip_file
from rdi.sensors.cameras import find_sensor
from rdi.training.configuration import configure
from rdi.training.setting_fields import Group
from rdi.training.settings import TrainingSettings

Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def restorer() -> Restorer:
    return Restorer()


@pytest.fixture(scope="module")
def concert(real_arw: Path, restorer: Restorer) -> Restored:
    return restorer.restore(read_photo(real_arw))


def test_model_and_weights_belong_together_and_describe_themselves() -> None:
    metadata = read_metadata(shipped_model())
    assert metadata.weights_sha256 == weights_digest(
        load_checkpoint(shipped_model().with_suffix(".safetensors")).network
    )
    assert metadata.white_balance is WhiteBalance.INPUT
    assert metadata.training["steps_done"] > 1000
    assert metadata.parity
    assert "202141026548" in metadata.patent_notice


def test_the_sample_comes_out_bright_and_in_its_colours(restorer: Restorer) -> None:
    """A white cup with a red saucer on brown wood."""
    picture = restorer.restore(read_photo(shipped_sample()), Exposure(ExposureMode.RATIO, 100)).image / 65535
    cup, saucer = picture[90:130, 180:190].mean((0, 1)), picture[300:340, 150:200].mean((0, 1))
    assert cup.min() > 0.45
    assert np.ptp(cup) < 0.2
    assert saucer[0] > 2 * saucer[2]


def test_a_frame_full_of_light_is_white(restorer: Restorer) -> None:
    photo = RawPhoto(np.full((96, 128), 16383, np.uint16), Cfa.RGGB, np.array([512.0]), 16383.0)
    assert (restorer.restore(photo, Exposure(ExposureMode.NUMBER, 10)).image / 65535).mean((0, 1)).min() > 0.97


def test_the_four_phases_of_a_scene_give_the_same_picture(restorer: Restorer) -> None:
    """One scene, read from each of its four first pixels: another phase each time, the same picture inside."""
    rgb = read_photo(shipped_sample())
    pictures = []
    for row, column, cfa in [(0, 0, Cfa.RGGB), (0, 1, Cfa.GRBG), (1, 0, Cfa.GBRG), (1, 1, Cfa.BGGR)]:
        photo = rgb.replace(mosaic=rgb.mosaic[row:, column:], cfa=cfa)
        image = restorer.restore(photo, Exposure(ExposureMode.NUMBER, 100)).image.astype(np.float32) / 65535
        pictures.append(image[64 - row : 320 - row, 64 - column : 512 - column])
    for picture in pictures[1:]:
        assert np.abs(picture - pictures[0]).mean() < 0.005


@pytest.mark.real_data
def test_stage_light_stays_blue_and_is_not_burnt_out(concert: Restored) -> None:
    height, width = concert.image.shape[:2]
    assert (height, width) == (3464, 5184)
    stage = concert.image[height // 8 : height // 3, width // 2 : 3 * width // 4] / 65535
    red, green, blue = stage.mean((0, 1))
    assert blue > 0.3
    assert blue > 2 * max(red, green)
    assert (stage.min(axis=2) > 0.98).mean() < 0.01


@pytest.mark.real_data
def test_the_frames_rim_looks_like_its_inside(concert: Restored) -> None:
    """Row 0 against row 24, and so on: a dark or bright rim would differ from what is 24 pixels further in."""
    blue = concert.image[..., 2].astype(np.float32) / 65535
    for outer, inner in [
        (blue[0], blue[24]),
        (blue[-1], blue[-25]),
        (blue[:, 0], blue[:, 24]),
        (blue[:, -1], blue[:, -25]),
    ]:
        assert float(outer.mean()) == pytest.approx(float(inner.mean()), abs=0.03)


@pytest.mark.real_data
def test_dark_areas_carry_no_grid(concert: Restored) -> None:
    """The head of a spectator, all black: folded at the network's 8 pixels, nothing stands out."""
    head = concert.image[1700:2084, 0:384].astype(np.float32) / 65535 * 255
    folded = head.reshape(48, 8, 48, 8, 3).mean((0, 2))
    assert np.ptp(folded, axis=(0, 1)).max() < 4


@pytest.mark.real_data
def test_blue_light_stays_blue_and_keeps_its_tones(concert: Restored) -> None:
    """The stage light has a CIELAB hue of -60 degrees in the camera's preview; LibRaw has 95 % of pixels at a zero."""
    picture = np.rint(concert.image / 257)
    assert (picture == 0).any(axis=-1).mean() < 0.15
    assert stage_hue(picture) == pytest.approx(-60, abs=12)


def stage_hue(picture: Floats) -> float:
    """Of the mean colour of the stage light, in degrees; picture: (H, W, 3) code values of 255."""
    height, width = picture.shape[:2]
    stage = picture[height // 8 : height // 3, width // 2 : width * 3 // 4]
    mean = stage.mean(axis=(0, 1), dtype=np.float64) / 255
    _, a, b = to_lab(decode(mean.astype(np.float32)).astype(np.float64))
    return float(np.degrees(np.arctan2(b, a)))


def test_colours_are_right_on_seven_cameras() -> None:
    """A ColorChecker at ISO 3200, a hundredth of its light: CIEDE2000 of 3 is about what a glance misses."""
    models = open_models([shipped_model()], None, "cpu", Gamut.COMPRESS)
    table = measure_colours(models, [find_sensor(name) for name in CAMERAS], 3200, 100, lambda _: None)
    rows = [row for row in table.rows if row.rendering == shipped_model().name]
    assert len(rows) == len(CAMERAS)
    assert max(row.mean for row in rows) < 3.0
    assert max(row.greys for row in rows) < 3.0


def test_the_recipe_is_what_the_model_was_trained_with() -> None:
    """But for what changes no weight: threads, processes, when it saved and validated."""
    recipe = configure(file=shipped_model().with_name("recipe.toml")).settings.to_dict()
    said = read_metadata(shipped_model()).training["settings"]
    decisive = [
        item.name
        for item in fields(TrainingSettings)
        if item.metadata["group"] in (Group.DATA, Group.SIMULATION, Group.OPTIMISATION, Group.LOSS)
        and item.name not in ("workers", "prefetch")
        and item.name in said  # some settings are younger than a model
    ]
    assert {name: said[name] for name in decisive} == {name: recipe[name] for name in decisive}


def test_both_models_ship_whole_and_go_by_their_names() -> None:
    kinds = {"rdi": Rendering.CAMERA, "rdi-srgb": Rendering.PAPER}
    assert tuple(kinds) == SHIPPED
    for name, rendering in kinds.items():
        model = open_model(name)
        assert model.path == shipped_model(name)
        assert model.metadata.rendering is rendering
        assert open_strip_file(model).graphs
        weights = load_checkpoint(shipped_model(name).with_suffix(".safetensors"))
        assert model.metadata.weights_sha256 == weights_digest(weights.network)
