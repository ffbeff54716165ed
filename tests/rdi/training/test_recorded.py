"""Crops of recorded pairs: aligned, in the model's phase, repeatable; on miniatures of both parts of SID."""

import importlib
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from torch.utils.data import DataLoader

from rdi.amplifier import count_raw_values, estimate_amplification
from rdi.camera import Cfa, RawPhoto, read_photo
from rdi.checkpoint import load_checkpoint
from rdi.errors import TrainingDataError
from rdi.metadata import Companding, Rendering, WhiteBalance
from rdi.training import recorded_source
from rdi.training.cache.preparation import prepare
from rdi.training.choices import Amplification, Camera
from rdi.training.configuration import Configuration
from rdi.training.decoded import DecodedPairs
from rdi.training.loop import Observer
from rdi.training.recorded import PairCrops, RecordedPair
from rdi.training.recorded_source import open_recorded
from rdi.training.session import new_session
from rdi.training.settings import Places, TrainingSettings
from rdi.training.sid import read_sid
from rdi.training.sources import open_source
from rdi.training.targets import develop

SETTINGS = TrainingSettings(steps=12, batch=2, crop=192, workers=0, companding=Companding.NONE)


class Numbered:
    """A store of one frame in which each pixel carries its own number, in the mosaic as in the target."""

    crops_in_a_row = 1
    damaged = ()
    names = ("numbered",)

    def __init__(self, cfa, phase, black):
        shape = (211, 230)
        numbers = np.arange(shape[0] * shape[1], dtype=np.uint16).reshape(shape)
        sites = np.tile(np.arange(cfa.sites).reshape(cfa.period, -1), (106, 115))[: shape[0], : shape[1]]
        mosaic = 1000 + 100 * sites if black else numbers
        levels = (1000 + 100 * np.arange(cfa.sites)).astype(float) if black else np.zeros(1)
        self.photo = RawPhoto(mosaic.astype(np.uint16), cfa, levels, 65535.0, np.ones(3), phase=phase)
        self.target = np.stack([numbers] * 3, axis=2)
        self.cfa = Cfa.XTRANS if cfa is Cfa.XTRANS else Cfa.RGGB

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return RecordedPair(self.photo, self.target, 1.0, "here")


PATTERNS = [(cfa, (0, 0)) for cfa in Cfa if cfa is not Cfa.XTRANS] + [(Cfa.XTRANS, (0, 0)), (Cfa.XTRANS, (4, 1))]


@pytest.mark.parametrize(("cfa", "phase"), PATTERNS)
def test_mosaic_and_target_are_the_same_pixels(cfa, phase):
    crops = PairCrops(Numbered(cfa, phase, black=False), SETTINGS)
    for index in range(len(crops)):
        inputs, target, *_ = crops[index]
        assert inputs.shape == (1, 192, 192)
        assert target.shape == (3, 192, 192)
        assert np.array_equal(*(np.rint(tensor.numpy() * 65535) for tensor in (inputs[0], target[1])))


@pytest.mark.parametrize(("cfa", "phase"), PATTERNS)
def test_each_site_keeps_its_black_level_however_a_crop_is_turned(cfa, phase):
    """A frame that is black at every one of its sites stays black."""
    crops = PairCrops(Numbered(cfa, phase, black=True), SETTINGS)
    assert all(not crops[index][0].any() for index in range(len(crops)))


@pytest.mark.parametrize("camera", list(Camera))
def test_input_and_target_show_the_same_colours_at_the_same_place(sid_tree, camera):
    source = open_recorded(Places(sid=sid_tree), replace(SETTINGS, camera=camera))
    crops = source.dataset()
    assert source.cfa is (Cfa.XTRANS if camera is Camera.FUJI else Cfa.RGGB)
    sites = source.cfa.colours
    for index in (0, 9, 17):
        x, picture = (tensor.numpy() for tensor in crops[index][:2])
        period = source.cfa.period
        for row, column in ((0, 0), (0, 2), (1, 1), (2, 0)):
            row, column = row % period, column % period
            light = x[0, row::period, column::period].ravel()
            likeness = [np.corrcoef(light, picture[c, row::period, column::period].ravel())[0, 1] for c in range(3)]
            assert np.argmax(likeness) == sites[row, column]
            assert max(likeness) > 0.25


def test_samples_repeat_and_come_from_all_pairs_alike(sid_tree):
    crops = open_recorded(Places(sid=sid_tree), replace(SETTINGS, steps=32)).dataset()
    assert len(crops) == 64
    assert all((a == b).all() for a, b in zip(crops[3], crops[3], strict=True))
    assert not (crops[3][0] == crops[4][0]).all()
    places = [crops.describe(index).partition(": ")[0] for index in range(0, 64, 8)]
    assert sorted(places[:4]) == sorted(places[4:]) == sorted(set(places))
    with pytest.raises(IndexError):
        crops[64]


@pytest.mark.parametrize("workers", [0, 2])
def test_samples_do_not_depend_on_who_asks(sid_tree, workers):
    crops = open_recorded(Places(sid=sid_tree), SETTINGS).dataset()
    loaded = [inputs for inputs, *_ in DataLoader(crops, batch_size=6, num_workers=workers)]
    backwards = [open_recorded(Places(sid=sid_tree), SETTINGS).dataset()[index][0] for index in reversed(range(24))]
    assert all((a == b).all() for a, b in zip((x for batch in loaded for x in batch), backwards[::-1], strict=True))


def test_a_sample_says_where_it_comes_from(sid_tree):
    said = open_recorded(Places(sid=sid_tree), SETTINGS).dataset().describe(0)
    assert "Sony_train_list.txt, line" in said
    assert all(word in said for word in ("s.ARW", "rows", "columns", "amplification", "ISO 800", "Sony ILCE-7SM2"))


@pytest.mark.parametrize("balance", list(WhiteBalance))
def test_the_amplification_is_the_ratio_or_the_estimate_over_the_whole_frame(sid_tree, balance):
    pairs = DecodedPairs(read_sid(sid_tree).splits["train"], Cfa.RGGB)
    photo = pairs[1].photo
    estimate = estimate_amplification(count_raw_values(photo), photo.black_level, photo.white_level, 2.0)
    estimated = replace(
        SETTINGS, amplification=Amplification.ESTIMATED, m=2.0, white_balance=balance, rendering=Rendering.PAPER
    )
    assert pairs[1].amplification(estimated) == estimate
    assert pairs[1].amplification(SETTINGS) == 250
    whole, part = PairCrops(pairs, replace(estimated, amplification=Amplification.GT)), PairCrops(pairs, estimated)
    ratio = pairs[int(np.random.default_rng((0, 0, 0)).permutation(4)[0])]
    expected = ratio.amplification(estimated) / ratio.amplification(SETTINGS)
    assert np.allclose(part[0][0], whole[0][0] * expected, rtol=1e-5)


def test_validation_frames_come_whole_and_amplified_as_asked(sid_tree):
    source = open_source(Places(sid=sid_tree), SETTINGS)
    assert (source.training_count, source.validation_count) == (4, 2)
    first, second = source.validation(5)
    assert (first.ratio, second.ratio) == (100, 250)
    assert first.target.shape == (*first.raw.mosaic.shape, 3)
    picture = develop(sid_tree / "Sony/long/20001_00_10s.ARW").picture
    assert np.allclose(first.target * 65535, picture, atol=0.01)
    assert len(list(source.validation(1))) == 1


def test_the_target_has_the_cameras_white_balance(sid_tree):
    """The scene's picture again, but for noise and LibRaw's demosaicing."""
    from rdi.pictures import load_picture

    scene = load_picture(sid_tree / "pictures-RGGB/0.png").astype(float) * 257
    picture = develop(sid_tree / "Sony/long/00001_00_10s.ARW").picture
    assert np.abs(picture.mean(axis=(0, 1)) / scene.mean(axis=(0, 1)) - 1).max() < 0.02


def test_frames_smaller_than_a_crop_are_refused_by_name(sid_tree):
    crops = open_recorded(Places(sid=sid_tree), replace(SETTINGS, crop=256)).dataset()
    with pytest.raises(TrainingDataError, match=r"line \d: .*ARW.*260x210 pixels.*lower --crop"):
        crops[0]


def test_bayer_and_xtrans_do_not_mix(sid_tree):
    store = DecodedPairs(read_sid(sid_tree).splits["train"], Cfa.XTRANS)
    with pytest.raises(TrainingDataError, match="is RGGB, but the others are X-Trans"):
        PairCrops(store, SETTINGS)[0]


@pytest.mark.parametrize("skip", [False, True])
def test_damage_that_only_decoding_finds_is_named_or_passed_over(sid_copy, skip, caplog):
    settings = replace(SETTINGS, steps=24, skip_missing=skip)  # 48 samples, 8 in a row of each pair: each is met
    source = open_recorded(Places(sid=sid_copy), settings)
    crops = source.dataset()
    assert source.notes == []
    path = sid_copy / "Sony/short/00002_00_0.04s.ARW"
    path.write_bytes(path.read_bytes()[:200])  # after it was looked at
    samples = range(0, 48, 8)
    if skip:
        again = [crops[index] for index in samples]
        assert all((crops[i][0] == again[k][0]).all() for k, i in enumerate(samples))
    lines = [crops.describe(i) for i in samples] if skip else []
    assert not any("0.04s" in line and "00002" in line for line in lines)
    if skip:
        assert len(caplog.messages) == 1  # and not each time it is met
        assert source.training.damaged[0].endswith("Sony_train_list.txt, line 4")
        assert source.notes == [f"1 pair(s) left out that cannot be decoded, for example: {source.training.damaged[0]}"]
    else:
        with pytest.raises(TrainingDataError, match=r"line 4: .*00002_00_0.04s.ARW"):
            crops.store[3]


CRASHING = """
import os
from rdi.camera.reading import read_photo

def read(path):
    if "00001_00_" in path.name:
        os.abort()
    return read_photo(path)
"""


def test_a_file_that_crashes_libraw_is_passed_over_when_the_pattern_is_looked_for(sid_tree, tmp_path, monkeypatch):
    (tmp_path / "crashing_reader.py").write_text(CRASHING)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(recorded_source, "read_photo", importlib.import_module("crashing_reader").read)
    pairs = read_sid(sid_tree).splits["train"]
    assert "00001_00_" in pairs[0].dark.name
    assert "00001_00_" not in pairs[-1].dark.name
    assert open_recorded(Places(sid=sid_tree), SETTINGS).training.cfa is Cfa.RGGB


def test_damage_that_a_worker_finds_is_counted_too(sid_copy):
    source = open_recorded(Places(sid=sid_copy), replace(SETTINGS, steps=16, skip_missing=True))
    path = sid_copy / "Sony/short/00002_00_0.04s.ARW"
    path.write_bytes(path.read_bytes()[:200])
    assert len(list(DataLoader(source.dataset(), batch_size=8, num_workers=2))) == 4
    assert source.notes[0].startswith("1 pair(s) left out")


def test_without_transposing_the_turns_are_the_published_four(sid_tree):
    crops = open_recorded(Places(sid=sid_tree), replace(SETTINGS, steps=40, transpose=False)).dataset()
    assert not any("transposed" in crops.describe(i) for i in range(80))
    assert sum("mirrored" in crops.describe(i) for i in range(80)) > 40


def test_the_turns_of_a_run_are_all_eight(sid_tree):
    crops = open_recorded(Places(sid=sid_tree), replace(SETTINGS, steps=40)).dataset()
    said = {crops.describe(i).split("columns ", 1)[1].split(", amplification")[0].split(", ", 1)[-1] for i in range(80)}
    turned = {s if not s[0].isdigit() else "" for s in said}
    assert len(turned) == len(list(product((0, 1), repeat=3)))


@pytest.mark.parametrize("cached", [False, True])
def test_a_crop_brings_its_cameras_matrix_and_a_target_that_was_clipped(sid_tree, tmp_path, cached):
    settings = replace(SETTINGS, rendering=Rendering.CAMERA)
    places = Places(sid=sid_tree)
    if cached:
        prepare(read_sid(sid_tree), tmp_path / "cache", workers=1)
        places = Places(cache=tmp_path / "cache")
    sample = open_recorded(places, settings).dataset()[0]
    expected = read_photo(sid_tree / "Sony/short/00001_00_0.04s.ARW").camera_to_srgb
    assert np.allclose(sample.camera_to_srgb, expected, atol=1e-5)
    assert not np.allclose(sample.camera_to_srgb, np.eye(3), atol=0.1)
    assert float(sample.gamut_compression) == 0


def test_a_network_for_camera_rgb_learns_from_pairs_and_photos_together(sid_tree, training_photos, tmp_path):
    settings = replace(SETTINGS, steps=2, rendering=Rendering.CAMERA, validate_every=2, validation_frames=1)
    places = Places(sid=sid_tree, photos=training_photos, out=tmp_path / "run")
    path = new_session(Configuration(settings, places)).train(Observer())
    assert path is not None
    assert load_checkpoint(path).metadata.rendering is Rendering.CAMERA
