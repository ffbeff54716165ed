"""The user's own pairs: matched by name, split, turned alike, and refused where they do not fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from rdi.camera import Cfa
from rdi.camera.dng import write_dng
from rdi.errors import TrainingDataError
from rdi.orientation import upright
from rdi.pictures import load_picture
from rdi.simulate import Exposure, simulate
from rdi.training.cache.preparation import prepare
from rdi.training.own_pairs import read_own_pairs
from rdi.training.recorded_source import open_recorded
from rdi.training.settings import Places, TrainingSettings

SETTINGS = TrainingSettings(steps=12, batch=2, crop=192, workers=0)
BALANCE = np.array([2.0, 1.0, 1.5])


def scene(seed):
    """A picture with structure, (210, 260, 3) uint8."""
    coarse = np.random.default_rng(seed).integers(40, 200, (7, 9, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((260, 210), Image.Resampling.BICUBIC))


def take(path, seed, ratio, **tags):
    path.parent.mkdir(parents=True, exist_ok=True)
    photo = simulate(scene(seed), Exposure(800, ratio, BALANCE), seed=seed)
    write_dng(photo.replace(exposure_time=10 / ratio, **tags), path)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "pairs"


def names(folder, **options):
    data = read_own_pairs(folder, **options)
    return sorted((pair.dark.name, pair.bright.name) for pairs in data.splits.values() for pair in pairs)


def test_long_exposures_are_found_beside_the_dark_ones(folder):
    for seed, name in enumerate(("lamp", "bridge")):
        take(folder / f"{name}.ARW", seed, 50)
        take(folder / f"{name}_long.DNG", seed, 1)
    take(folder / "lamp_2.ARW", 0, 100)
    expected = [("bridge.ARW", "bridge_long.DNG"), ("lamp.ARW", "lamp_long.DNG"), ("lamp_2.ARW", "lamp_long.DNG")]
    assert names(folder) == expected
    source = open_recorded(Places(pairs=folder), SETTINGS)
    assert source.training_count + source.validation_count == 3
    store = [
        *(source.training[i] for i in range(source.training_count)),
        *(source.validating[i] for i in range(source.validation_count)),
    ]
    assert sorted(pair.ratio or 0 for pair in store) == pytest.approx([50, 50, 100])  # time x ISO of both files


@pytest.mark.parametrize(("dark", "bright"), [("dark", "bright"), ("short", "long")])
def test_two_folders_are_matched_by_name(folder, dark, bright):
    for seed, name in enumerate("ab"):
        take(folder / dark / f"{name}.ARW", seed, 50)
        (folder / bright).mkdir(exist_ok=True)
        Image.fromarray(scene(seed)).save(folder / bright / f"{name}.JPG")
    assert names(folder) == [("a.ARW", "a.JPG"), ("b.ARW", "b.JPG")]


def test_the_cameras_own_jpeg_is_no_reference(folder):
    for seed, name in enumerate("ab"):
        take(folder / f"{name}.ARW", seed, 50)
        Image.fromarray(scene(seed)).save(folder / f"{name}.JPG")
    with pytest.raises(TrainingDataError, match="holds no pair"):
        read_own_pairs(folder)
    for seed, name in enumerate("ab"):
        Image.fromarray(scene(seed)).save(folder / f"{name}_bright.jpg")
    assert names(folder) == [("a.ARW", "a_bright.jpg"), ("b.ARW", "b_bright.jpg")]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("cached", [False, True])
def test_upright_pictures_are_turned_as_the_sensor_lay(folder, tmp_path, orientation, cached):
    for seed, name in enumerate("ab"):
        take(folder / f"{name}.ARW", seed, 50, orientation=orientation)
        Image.fromarray(np.ascontiguousarray(upright(scene(seed), orientation))).save(folder / f"{name}.png")
    places = Places(pairs=folder)
    if cached:
        prepare(read_own_pairs(folder), tmp_path / "cache", workers=1)
        places = replace(places, cache=tmp_path / "cache")
    pair = open_recorded(places, SETTINGS).training[0]
    assert any(np.array_equal(pair.target, scene(seed).astype(np.uint16) * 257) for seed in (0, 1))
    assert pair.ratio is None
    assert 1 < pair.amplification(SETTINGS) < 300  # the amplifier's estimate: a picture does not say how it was exposed


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_kept(folder, suffix):
    import imagecodecs

    deep = np.random.default_rng(0).integers(0, 65536, (210, 260, 3)).astype(np.uint16)
    for seed, name in enumerate("ab"):
        take(folder / f"{name}.ARW", seed, 50)
        if suffix == "png":
            (folder / f"{name}.png").write_bytes(imagecodecs.png_encode(deep))
        else:
            tifffile.imwrite(folder / f"{name}.tif", deep, photometric="rgb", compression="deflate")
    assert np.array_equal(open_recorded(Places(pairs=folder), SETTINGS).training[0].target, deep)


def test_a_cut_off_margin_is_refused_with_both_sizes(folder, tmp_path):
    for seed, name in enumerate("ab"):
        take(folder / f"{name}.ARW", seed, 50)
        Image.fromarray(scene(seed)[4:-4, 4:-4]).save(folder / f"{name}.png")
    said = r"[ab]\.ARW: the bright picture has 252x202 pixels, the dark frame 260x210; .*cut off margins"
    with pytest.raises(TrainingDataError, match=said):
        open_recorded(Places(pairs=folder), SETTINGS).dataset()[0]
    with pytest.raises(TrainingDataError, match=said):
        prepare(read_own_pairs(folder), tmp_path / "cache", workers=1)


def test_a_bright_file_that_is_darker_is_refused(folder):
    for seed, name in enumerate("ab"):
        take(folder / f"{name}.ARW", seed, 2)
        take(folder / f"{name}_long.ARW", seed, 4)
    with pytest.raises(TrainingDataError, match=r"was exposed 0.5 times as much as .*must have more"):
        open_recorded(Places(pairs=folder), SETTINGS).dataset()[0]


def test_the_validation_list_and_scenes_keep_together(folder):
    for seed in range(6):
        take(folder / f"{seed}_long.ARW", seed, 1)
        for number in (1, 2):
            take(folder / f"{seed}_{number}.ARW", seed, 50)
    by_hash = read_own_pairs(folder).splits
    assert (len(by_hash["train"]), len(by_hash["val"])) == (10, 2)
    assert len({pair.bright for pair in by_hash["val"]}) == 1
    (folder / "VALIDATION.txt").write_text("3_1.ARW\n4_long.ARW\n")
    listed = read_own_pairs(folder).splits
    assert sorted(pair.dark.name for pair in listed["val"]) == ["3_1.ARW", "4_1.ARW", "4_2.ARW"]
    assert len(listed["train"]) == 9
    (folder / "VALIDATION.txt").write_text("3_1.ARW\n5_3.ARW\n")
    with pytest.raises(TrainingDataError, match=r"VALIDATION.txt names 5_3.ARW, which belongs to no pair"):
        read_own_pairs(folder)


def test_what_does_not_fit_is_named(folder, tmp_path):
    with pytest.raises(TrainingDataError, match="is not a folder"):
        read_own_pairs(folder)
    take(folder / "a.ARW", 0, 50)
    take(folder / "a_long.ARW", 0, 1)
    with pytest.raises(TrainingDataError, match="two scenes"):
        read_own_pairs(folder)
    take(folder / "b.ARW", 1, 50)
    take(folder / "b_long.ARW", 1, 1)
    take(folder / "c.ARW", 2, 50)
    with pytest.raises(TrainingDataError, match=r"c.ARW has no bright picture of its name \(of 1\)"):
        read_own_pairs(folder)
    assert len(read_own_pairs(folder, skip_missing=True).skipped) == 1
    (folder / "c.ARW").unlink()
    Image.fromarray(scene(0)).save(folder / "a.png")
    with pytest.raises(TrainingDataError, match=r"a.ARW has two bright pictures"):
        read_own_pairs(folder)
    (folder / "a.png").unlink()
    Path(folder / "b_long.ARW").write_bytes((folder / "b_long.ARW").read_bytes()[:-100])
    with pytest.raises(TrainingDataError, match=r"b.ARW: .*b_long.ARW is cut off"):
        read_own_pairs(folder)


def test_own_pairs_of_any_pattern_are_aligned_to_rggb(folder):
    for seed, cfa in enumerate((Cfa.BGGR, Cfa.GRBG)):
        photo = simulate(scene(seed), Exposure(100, 5, BALANCE), seed=seed).replace(cfa=cfa)
        folder.mkdir(exist_ok=True)
        write_dng(photo, folder / f"{seed}.ARW")
        Image.fromarray(scene(seed)).save(folder / f"{seed}.png")
    source = open_recorded(Places(pairs=folder), SETTINGS)
    assert source.cfa is Cfa.RGGB
    assert source.dataset()[0][0].shape == (1, 192, 192)
    assert load_picture(folder / "0.png").shape == (210, 260, 3)
