"""Training on SID: lists, phases, alignment; on a miniature of the dataset made of simulated captures."""

from dataclasses import replace

import numpy as np
import pytest

from rdi.camera import Cfa, RawPhoto
from rdi.camera.dng import write_dng
from rdi.errors import TrainingDataError
from rdi.simulate import Exposure, Sensor, simulate
from rdi.training.settings import TrainingSettings
from rdi.training.sid import SidCrops, bayer_window, develop, read_pairs
from rdi.training.sources import SidSource

SETTINGS = TrainingSettings(steps=8, batch=2, crop=192, workers=0)
LINE = "./Sony/short/{scene}_00_0.1s.ARW ./Sony/long/{scene}_00_{long}s.ARW ISO200 F8\n"


def take(path, picture, ratio, cfa):
    exposure = Exposure(iso=100, ratio=ratio, white_balance=np.array([2.0, 1.0, 1.5]))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_dng(simulate(picture, exposure, sensor=Sensor(cfa=cfa)), path)


@pytest.fixture(scope="module")
def sid(tmp_path_factory):
    """Two training scenes (RGGB and GBRG) and one to validate; LibRaw reads DNG whatever the name."""
    folder = tmp_path_factory.mktemp("sid")
    rows, columns = np.mgrid[0:200, 0:260]
    for scene, cfa in [("00001", Cfa.RGGB), ("00002", Cfa.GBRG), ("20001", Cfa.RGGB)]:
        picture = np.stack([40 + rows // 2, 30 + columns // 2, 160 - rows // 2], axis=2).astype(np.uint8)
        take(folder / f"Sony/short/{scene}_00_0.1s.ARW", picture, 10, cfa)
        take(folder / f"Sony/long/{scene}_00_1s.ARW", picture, 1, cfa)
    (folder / "Sony_train_list.txt").write_text("".join(LINE.format(scene=s, long=1) for s in ("00001", "00002")))
    (folder / "Sony_val_list.txt").write_text(LINE.format(scene="20001", long=1))
    return folder


def test_the_lists_name_pairs_and_ratios(sid):
    pairs = read_pairs(sid, "train")
    assert [pair.ratio for pair in pairs] == [10, 10]
    assert pairs[1].short.name == "00002_00_0.1s.ARW"


def test_the_ratio_is_capped_at_300(sid, tmp_path):
    for name in ("Sony/short/00001_00_0.1s.ARW", "Sony/long/00001_00_100s.ARW"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "Sony_train_list.txt").write_text(LINE.format(scene="00001", long=100))
    assert read_pairs(tmp_path, "train")[0].ratio == 300


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (LINE.format(scene="99999", long=1), r"line 1: .*99999_00_0.1s.ARW is missing"),
        ("\nnothing here\n", "line 2: 'nothing here'"),
        ("", "names no pair"),
    ],
)
def test_lists_that_cannot_be_followed_are_refused(tmp_path, content, reason):
    (tmp_path / "Sony_train_list.txt").write_text(content)
    with pytest.raises(TrainingDataError, match=reason):
        read_pairs(tmp_path, "train")
    with pytest.raises(TrainingDataError, match=r"Sony_val_list\.txt is missing"):
        read_pairs(tmp_path, "val")


@pytest.mark.parametrize("cfa", [Cfa.RGGB, Cfa.BGGR, Cfa.GRBG, Cfa.GBRG])
def test_every_window_begins_on_red_also_when_mirrored(cfa):
    colours = cfa.tile(cfa.colours.ravel().astype(float), 41, 37)
    photo = RawPhoto(colours.astype(np.uint16), cfa, np.array([0.0]), 100)
    mirrored = set()
    for seed in range(40):
        rows, columns = bayer_window(photo, 32, np.random.default_rng(seed))
        window = photo.mosaic[rows[:, None], columns]
        assert window.shape == (32, 32)
        assert np.array_equal(window, Cfa.RGGB.tile(np.array([0.0, 1, 1, 2]), 32, 32))
        mirrored.add((rows[0] < rows[1], columns[0] < columns[1]))
    assert len(mirrored) == 4


@pytest.mark.parametrize("index", range(0, 16, 2))
def test_input_and_target_show_the_same_place_in_the_same_colours(sid, index):
    inputs, target = SidCrops(read_pairs(sid, "train"), SETTINGS)[index]
    assert inputs.shape == (1, 192, 192)
    assert target.shape == (3, 192, 192)
    x, picture = inputs[0].numpy(), target.numpy()
    for channel, (row, column) in enumerate([(0, 0), (0, 1), (1, 1)]):
        light, shown = x[row::2, column::2].ravel(), picture[channel, row::2, column::2].ravel()
        assert np.corrcoef(light, shown)[0, 1] > 0.5
    assert np.corrcoef(x[::2, ::2].ravel(), picture[2, ::2, ::2].ravel())[0, 1] < 0


def test_samples_repeat_and_neighbours_share_a_decoded_pair(sid):
    crops = SidCrops(read_pairs(sid, "train"), SETTINGS)
    assert len(crops) == 16
    assert all((a == b).all() for a, b in zip(crops[3], crops[3], strict=True))
    assert not (crops[3][0] == crops[4][0]).all()
    with pytest.raises(IndexError):
        crops[16]


def test_validation_frames_come_whole_with_their_true_ratio(sid):
    source = SidSource(sid, SETTINGS)
    assert (source.training_count, source.validation_count) == (2, 1)
    (capture,) = source.validation(5)
    assert capture.ratio == 10
    assert capture.target.shape == (*capture.raw.mosaic.shape, 3)
    assert np.allclose(capture.target * 65535, develop(sid / "Sony/long/20001_00_1s.ARW"), atol=0.01)


def test_the_target_has_the_cameras_white_balance(tmp_path):
    take(tmp_path / "grey.ARW", np.full((60, 80, 3), 128, np.uint8), 1, Cfa.RGGB)
    mean = develop(tmp_path / "grey.ARW").mean(axis=(0, 1))
    assert mean == pytest.approx(np.full(3, mean[1]), rel=0.02)


def test_frames_smaller_than_a_crop_are_refused(sid):
    crops = SidCrops(read_pairs(sid, "train"), replace(SETTINGS, crop=256))
    with pytest.raises(TrainingDataError, match="lower --crop"):
        crops[0]
