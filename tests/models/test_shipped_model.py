"""The model that ships, on the demo's sample and on a real dark photo."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rdi.camera import Cfa, RawPhoto, read_photo
from rdi.checkpoint import load_checkpoint, weights_digest
from rdi.metadata import WhiteBalance
from rdi.models import shipped_model, shipped_sample
from rdi.runtime import Exposure, ExposureMode, Restored, Restorer, read_metadata

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
