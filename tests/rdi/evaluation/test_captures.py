"""What is measured on: darkened photos, SID and own pairs."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rdi import protocol
from rdi.camera import read_photo
from rdi.camera.cfa import Cfa
from rdi.camera.dng import write_dng
from rdi.errors import TrainingDataError, UsageError
from rdi.evaluation.captures import DarkenedPhotos, RecordedCaptures, own_captures, sid_captures
from rdi.simulate import Exposure, Sensor, simulate
from rdi.training.choices import Camera
from rdi.training.pairs import Pair


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    generator = np.random.default_rng(0)
    for name in "ab":
        coarse = generator.integers(30, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((80, 60), Image.Resampling.BICUBIC).save(tmp_path / f"{name}.png")
    return sorted(tmp_path.iterdir())


def test_darkened_photos_are_the_protocols_captures(photos):
    source = DarkenedPhotos(photos, [300, 100])
    assert [(one.name, one.ratio) for one in source.listed] == [
        ("a.png", 300),
        ("a.png", 100),
        ("b.png", 300),
        ("b.png", 100),
    ]
    for ratio, places in ((300, (0, 2)), (100, (1, 3))):
        for place, capture in zip(places, protocol.captures(photos, ratio), strict=True):
            scene = source.open(place)
            assert np.array_equal(scene.photo.mosaic, capture.raw.mosaic)
            assert np.array_equal(scene.target, capture.target)
            assert scene.ratio == ratio


def test_a_photo_is_decoded_once_for_all_ratios(photos, monkeypatch):
    decoded = []

    def load(path, *_):
        decoded.append(path)
        return np.zeros((60, 80, 3), np.uint8)

    monkeypatch.setattr(protocol, "load_picture", load)
    source = DarkenedPhotos(photos, [100, 250, 300])
    for index in range(len(source.listed)):
        source.open(index)
    assert decoded == photos


def test_models_for_xtrans_get_xtrans_captures(photos):
    photo = DarkenedPhotos(photos, [100], cfa=Cfa.XTRANS).open(0).photo
    assert (photo.cfa, photo.black_level.size) == (Cfa.XTRANS, 36)


def test_an_iso_without_calibration_is_refused_at_once(photos):
    with pytest.raises(UsageError, match="ISO 10"):
        DarkenedPhotos(photos, [100], iso=10)


@pytest.mark.parametrize(("camera", "cfa"), [(Camera.SONY, Cfa.RGGB), (Camera.FUJI, Cfa.XTRANS)])
def test_sids_pairs_have_the_lists_ratio_and_the_long_exposure_as_target(sid_tree, camera, cfa):
    source = sid_captures(sid_tree, camera, "test")
    assert [one.ratio for one in source.listed] == [100, 250]
    scene = source.open(1)
    assert (scene.photo.cfa, scene.ratio) == (cfa, 250)
    assert scene.target.dtype == np.float32
    assert scene.target.shape == (*scene.photo.mosaic.shape, 3)
    assert 0.3 < scene.target.mean() < 0.8
    assert scene.photo.mosaic.max() < 2000


def test_three_scenes_of_sids_sony_part_are_misaligned(tmp_path):
    names = ["10034_00_0.1s.ARW", "10045_09_0.04s.ARW", "10172_00_0.1s.ARW", "10035_00_0.1s.ARW"]
    for name in names:
        (tmp_path / name).write_bytes(b"")
    pairs = [Pair(tmp_path / name, tmp_path / name, name, 100) for name in names]
    for data, expected in (("See-in-the-Dark (SID), Sony part", [True] * 3 + [False]), ("own pairs", [False] * 4)):
        assert [one.misaligned for one in RecordedCaptures(pairs, {"data": data}).listed] == expected


@pytest.fixture
def own(tmp_path: Path, photos) -> Path:
    """One pair whose dark frame was taken with the camera upright: its picture is as the scene was."""
    folder = tmp_path / "own"
    folder.mkdir()
    picture = np.asarray(Image.open(photos[0]))
    exposure = Exposure(3200, 100, np.array([2.0, 1, 1.5]))
    raw = simulate(np.rot90(picture), exposure, sensor=Sensor(), seed=1)
    write_dng(raw.replace(orientation=6), folder / "one.dng")
    Image.fromarray(picture).save(folder / "one.png")
    return folder


def test_a_single_own_pair_can_be_measured_on(own):
    """For training it would not do: nothing would be left to validate with."""
    source = own_captures(own)
    assert [(one.name, one.ratio) for one in source.listed] == [("one.dng", None)]
    assert source.open(0).ratio is None


def test_an_upright_picture_is_laid_as_the_sensor_lay(own):
    scene = own_captures(own).open(0)
    assert read_photo(own / "one.dng").orientation == 6
    assert scene.photo.orientation == 1
    picture = np.asarray(Image.open(own / "one.png")) / np.float32(255)
    assert np.allclose(scene.target, np.rot90(picture), atol=1e-5)


def test_pictures_of_another_size_are_refused_with_their_place(own):
    Image.new("RGB", (70, 60)).save(own / "one.png")
    with pytest.raises(TrainingDataError, match=r"one\.dng.*70"):
        own_captures(own).open(0)


def test_a_dark_file_without_a_bright_one_is_left_out_only_where_asked(own):
    write_dng(read_photo(own / "one.dng"), own / "two.dng")
    with pytest.raises(TrainingDataError, match=r"two\.dng has no bright picture"):
        own_captures(own)
    source = own_captures(own, skip_missing=True)
    assert len(source.listed) == 1
    assert "two.dng" in source.notes[0]
