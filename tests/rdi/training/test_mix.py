"""Several sources in one run: shares, order, pattern, and what is said of them."""

import shutil
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rdi.camera import Cfa
from rdi.errors import UsageError
from rdi.training.cache.preparation import prepare
from rdi.training.cache.stored import StoredPairs
from rdi.training.choices import Camera
from rdi.training.decoded import DecodedPairs
from rdi.training.mix import MixedCrops, MixedSource, shares_of
from rdi.training.sample import Sample, Samples
from rdi.training.settings import Places, TrainingSettings
from rdi.training.sid import read_sid
from rdi.training.sources import PhotoSource, open_source

SETTINGS = TrainingSettings(steps=6, batch=4, crop=192, workers=0)


class Numbered(Samples):
    """Sample i is i times a factor."""

    def __init__(self, factor: int) -> None:
        self.factor = factor

    def __len__(self) -> int:
        return 1000

    def __getitem__(self, index: int):
        return Sample(torch.tensor(index * self.factor), torch.tensor(index))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for number in range(4):
        pixels = np.random.default_rng(number).integers(0, 256, (200, 220, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def own_pairs(sid_tree, tmp_path):
    folder = tmp_path / "pairs"
    folder.mkdir()
    for scene, bright in enumerate(sorted((sid_tree / "Sony" / "long").iterdir())[:2]):
        dark = next((sid_tree / "Sony" / "short").glob(f"{bright.name[:5]}*"))
        shutil.copy(dark, folder / f"{scene}.ARW")
        shutil.copy(bright, folder / f"{scene}_long.ARW")
    return folder


@given(st.lists(st.floats(0.05, 1), min_size=2, max_size=4), st.integers(1, 900))
def test_of_any_number_of_samples_each_source_has_its_share(weights, count):
    names = "abcd"[: len(weights)]
    shares = shares_of(names, dict(zip(names, weights, strict=True)))
    mixed = MixedCrops({name: Numbered(1) for name in names}, shares)
    drawn = Counter(mixed.source_of(index)[0] for index in range(count))
    for name in names:
        assert drawn[name] == pytest.approx(shares[name] * count, abs=len(names) + 1)


def test_each_source_gives_its_samples_in_its_own_order():
    mixed = MixedCrops(
        {"one": Numbered(1), "two": Numbered(-1), "three": Numbered(1)}, {"one": 0.5, "two": 0.3, "three": 0.2}
    )
    seen: dict[str, list[int]] = {"one": [], "two": [], "three": []}
    for index in range(500):
        seen[mixed.source_of(index)[0]].append(mixed.source_of(index)[1])
    for numbers in seen.values():
        assert numbers == list(range(len(numbers)))
    two = next(index for index in range(3, 20) if mixed.source_of(index)[0] == "two")
    assert mixed[two][0] == -mixed[two][1]
    with pytest.raises(IndexError):
        mixed[1000]


def test_shares_are_equal_unless_they_are_given_and_add_up_to_one():
    assert shares_of(["photos", "sid"], {}) == {"photos": 0.5, "sid": 0.5}
    assert shares_of(["photos", "sid"], {"sid": 3, "photos": 1}) == {"photos": 0.25, "sid": 0.75}


@pytest.mark.parametrize(
    ("mix", "said"),
    [
        ({"photos": 1, "cache": 1}, "--mix names cache, which this run does not have; give shares of --photos, --sid"),
        ({"photos": 1}, "--mix has no share of sid"),
        ({"photos": 1, "sid": 0}, "not above 0"),
        ({"photos": 1, "sid": float("nan")}, "not above 0"),
    ],
)
def test_shares_that_do_not_fit_are_refused(mix, said):
    with pytest.raises(UsageError, match=said):
        shares_of(["photos", "sid"], mix)


def test_photos_and_sid_train_together(photos, sid_tree):
    source = open_source(Places(photos=photos, sid=sid_tree), replace(SETTINGS, mix={"photos": 0.25, "sid": 0.75}))
    dataset: Any = source.dataset()
    assert len(dataset) == 24
    assert source.cfa is Cfa.RGGB
    said = [dataset.describe(index) for index in range(8)]
    assert Counter(line.split(":")[0] for line in said) == {"sid": 6, "photos": 2}
    for inputs, target, *_ in (dataset[index] for index in range(4)):
        assert inputs.shape == (1, 192, 192)
        assert target.shape == (3, 192, 192)
    alone: Any = PhotoSource(photos, SETTINGS).dataset()
    first = next(index for index in range(8) if said[index].startswith("photos"))
    assert torch.equal(dataset[first][0], alone[0][0])
    assert source.training_count == 3 + 4
    assert source.notes[0] == "a mix of sid 75%, photos 25%"
    described = source.describe()
    assert described["sources"]["photos"]["share"] == 0.25
    assert described["sources"]["sid"]["pairs"] == 4


def test_validation_takes_frames_of_each_source_and_names_it(photos, sid_tree):
    source: Any = open_source(Places(photos=photos, sid=sid_tree), SETTINGS)
    frames = list(source.validation(2))
    assert [frame.source for frame in frames] == ["sid", "photos"]
    rows, alone = list(source.amplified("val")), list(source.sources["sid"].amplified("val"))
    assert rows == alone != []
    assert frames[1].name.startswith("photos-")


def test_photos_take_the_pattern_of_what_is_recorded(photos, sid_tree):
    fuji = open_source(Places(photos=photos, sid=sid_tree), replace(SETTINGS, camera=Camera.FUJI))
    assert fuji.cfa is Cfa.XTRANS
    assert {frame.raw.cfa for frame in fuji.validation(2)} == {Cfa.XTRANS}
    with pytest.raises(UsageError, match=r"--sensor Fujifilm X-T3 has a mosaic of XTRANS, but"):
        open_source(Places(photos=photos, sid=sid_tree), replace(SETTINGS, sensor="X-T3"))


def test_sources_of_different_patterns_are_refused(photos):
    bayer, xtrans = (PhotoSource(photos, SETTINGS, cfa) for cfa in (Cfa.RGGB, Cfa.XTRANS))
    with pytest.raises(UsageError, match="one network reads one pattern, but --a gives RGGB, --b gives XTRANS"):
        MixedSource({"a": bayer, "b": xtrans}, {})


def test_a_cache_serves_its_own_folder_and_is_a_source_beside_others(photos, sid_tree, own_pairs, tmp_path):
    prepare(read_sid(sid_tree), tmp_path / "cache")
    both: Any = open_source(Places(sid=sid_tree, pairs=own_pairs, cache=tmp_path / "cache"), SETTINGS)
    assert list(both.sources) == ["sid", "pairs"]
    assert isinstance(both.sources["sid"].training, StoredPairs)
    assert isinstance(both.sources["pairs"].training, DecodedPairs)
    three: Any = open_source(Places(photos=photos, pairs=own_pairs, cache=tmp_path / "cache"), SETTINGS)
    assert list(three.sources) == ["pairs", "cache", "photos"]
    assert isinstance(three.sources["cache"].training, StoredPairs)
    assert {three.dataset()[index][0].shape for index in range(3)} == {(1, 192, 192)}


def test_the_same_data_have_the_same_name_from_files_and_cache(sid_tree, tmp_path):
    prepare(read_sid(sid_tree), tmp_path / "cache")
    files, cache = (
        open_source(places, SETTINGS).describe() for places in (Places(sid=sid_tree), Places(cache=tmp_path / "cache"))
    )
    assert files == cache


def test_mixes_that_make_no_sense_are_refused(photos):
    with pytest.raises(UsageError, match="--mix names sid"):
        open_source(Places(photos=photos), replace(SETTINGS, mix={"photos": 1, "sid": 1}))
    with pytest.raises(UsageError, match="nothing to train on"):
        open_source(Places(), SETTINGS)
    assert isinstance(open_source(Places(photos=photos), replace(SETTINGS, mix={"photos": 2})), PhotoSource)


def test_photos_that_are_left_out_are_counted(photos):
    source = PhotoSource(photos, replace(SETTINGS, leave_out=("[01].png", "nothing-*")))
    source.dataset()
    assert source.training_count == PhotoSource(photos, SETTINGS).training_count - 1
    assert "--leave-out [01].png,nothing-*: 1 photo(s)" in source.notes  # the other is held out


def test_large_photos_are_halved_for_validation(tmp_path):
    for number in range(2):
        Image.new("RGB", (3001, 2001), (90, 60, 30)).save(tmp_path / f"{number}.jpg")
    (frame,) = PhotoSource(tmp_path, SETTINGS).validation(1)
    assert frame.raw.mosaic.shape == frame.target.shape[:2] == (1001, 1501)
