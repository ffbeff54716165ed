"""The cache: what it keeps, how it goes on, and what it notices."""

import importlib
import json
import os
import shutil
from dataclasses import replace
from itertools import starmap
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rdi.camera import read_photo
from rdi.errors import OutputError, TrainingDataError, UsageError
from rdi.locks import writer_lock
from rdi.training.amplification_table import write_amplifications
from rdi.training.cache import preparation, space
from rdi.training.cache.entries import describe_photo
from rdi.training.cache.manifest import MANIFEST, read_manifest
from rdi.training.cache.opening import open_cache
from rdi.training.cache.preparation import PreparationObserver, check_cache, prepare
from rdi.training.cache.stored import StoredPairs
from rdi.training.choices import Camera
from rdi.training.decoded import DecodedPairs
from rdi.training.recorded import PairCrops
from rdi.training.recorded_source import open_recorded
from rdi.training.settings import Places, TrainingSettings
from rdi.training.sid import read_sid

SETTINGS = TrainingSettings(steps=12, batch=2, crop=192, workers=0)


@pytest.fixture(scope="module")
def whole(sid_tree, tmp_path_factory):
    """A cache of the miniature's Sony part; not to be changed."""
    cache = tmp_path_factory.mktemp("cache") / "sony"
    prepare(read_sid(sid_tree), cache, workers=2)
    return cache


@pytest.fixture
def cache(whole, tmp_path):
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(whole, tmp_path / "cache"))


def training_pairs(cache):
    manifest = open_cache(cache)
    return StoredPairs(cache, manifest, manifest.splits["train"])


def arrays(cache):
    return {path.name: path.read_bytes() for path in sorted(cache.glob("*/*.npy"))}


def watch():
    """An observer, and what it was told."""
    told: list[tuple[str, int]] = []
    return PreparationObserver(on_stage=lambda *stage: told.append(stage)), told


def test_the_cache_holds_what_the_files_hold(sid_tree, whole):
    manifest = open_cache(whole, read_sid(sid_tree))
    stored = StoredPairs(whole, manifest, manifest.splits["train"])
    decoded = DecodedPairs(read_sid(sid_tree).splits["train"], manifest.cfa)
    assert len(stored) == len(decoded) == 4
    for one, other in ((stored[index], decoded[index]) for index in range(4)):
        assert np.array_equal(one.photo.mosaic, other.photo.mosaic)
        assert np.array_equal(one.target, other.target)
        assert describe_photo(one.photo) == describe_photo(other.photo)
        assert (one.ratio, one.place, one.counted_sums) == (other.ratio, other.place, other.counted_sums)


def test_crops_of_the_cache_are_crops_of_the_files(sid_tree, whole):
    stored = training_pairs(whole)
    decoded = DecodedPairs(read_sid(sid_tree).splits["train"], stored.cfa)
    decoded.crops_in_a_row = 1
    one, other = PairCrops(stored, SETTINGS), PairCrops(decoded, SETTINGS)
    for index in range(6):
        assert all((a == b).all() for a, b in zip(one[index], other[index], strict=True))
        assert one.describe(index).split(", ")[2:] == other.describe(index).split(", ")[2:]


def test_a_batch_of_the_cache_comes_from_different_frames(whole):
    crops = open_recorded(Places(cache=whole), SETTINGS).dataset()
    for first in range(0, 24, 4):
        assert len({crops.describe(index).partition(", rows")[0] for index in range(first, first + 4)}) == 4


def test_arrays_are_mapped_and_not_read(whole):
    pair = training_pairs(whole)[0]
    assert not pair.photo.mosaic.flags.owndata
    assert not pair.photo.mosaic.flags.writeable


def test_xtrans_goes_through_the_cache(sid_tree, tmp_path):
    settings = replace(SETTINGS, camera=Camera.FUJI)
    prepare(read_sid(sid_tree, Camera.FUJI), tmp_path / "fuji", workers=2)
    source = open_recorded(Places(cache=tmp_path / "fuji", sid=sid_tree), settings)
    files = open_recorded(Places(sid=sid_tree), settings)
    assert source.cfa is files.cfa
    assert next(iter(source.validation(1))).ratio == 100
    assert source.dataset()[5][0].shape == (1, 192, 192)


def test_a_long_exposure_that_two_short_ones_share_is_decoded_once(whole, sid_tree, tmp_path):
    manifest = read_manifest(whole)
    assert (len(manifest.mosaics), len(manifest.targets)) == (6, 3)
    observer, told = watch()
    done = prepare(read_sid(sid_tree), tmp_path / "new", workers=1, observer=observer)
    assert told == [("looking at files", 9), ("decoding", 9)]
    assert (done.decoded, done.kept) == (9, 0)
    assert arrays(tmp_path / "new") == arrays(whole)


def test_a_second_preparation_finds_all_there_and_changes_nothing(sid_tree, cache):
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()}
    observer, told = watch()
    done = prepare(read_sid(sid_tree), cache, workers=1, observer=observer)
    assert (done.decoded, done.kept, told) == (0, 9, [])
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()} == before


def test_only_what_changed_is_decoded_again(sid_copy, tmp_path):
    cache, changed = tmp_path / "cache", sid_copy / "Sony/short/00001_00_0.1s.ARW"
    prepare(read_sid(sid_copy), cache, workers=1)
    shutil.copy(sid_copy / "Sony/short/00002_00_0.1s.ARW", changed)
    touched = sid_copy / "Sony/short/00001_00_0.04s.ARW"
    os.utime(touched, ns=(1, 1))
    with pytest.raises(TrainingDataError, match=r"00001_00_0.*has changed since .* was made; run `rdi prepare`"):
        open_cache(cache, read_sid(sid_copy))
    kept = {path.name: path.stat().st_ino for path in cache.glob("*/*.npy")}
    assert prepare(read_sid(sid_copy), cache, workers=1).kept == 7
    written = [path.name for path in cache.glob("*/*.npy") if path.stat().st_ino != kept[path.name]]
    assert [name.rpartition("-")[0] for name in written] == ["00001_00_0.1s"]  # the touched one was only hashed
    stored = training_pairs(cache)
    assert np.array_equal(stored[0].photo.mosaic, read_photo(changed).mosaic)


def test_a_damaged_file_does_not_stop_the_others_and_the_cache_is_not_finished(sid_copy, tmp_path):
    data, cache = read_sid(sid_copy), tmp_path / "cache"
    path = sid_copy / "Sony/short/00002_00_0.1s.ARW"
    path.write_bytes(path.read_bytes().replace(b"\x01\x04\0\0", b"\x09\x04\0\0", 1)[:-10])
    with pytest.raises(TrainingDataError, match=r"1 of 9 files cannot be used, for example .*line 3: .*--skip-missing"):
        prepare(data, cache, workers=1)
    done = prepare(data, cache, workers=1, skip_missing=True)
    assert (done.decoded, len(done.manifest.skipped)) == (8, 1)
    assert "line 3" in done.manifest.skipped[0]
    assert len(done.manifest.splits["train"]) == 3
    assert len(open_recorded(Places(cache=cache), SETTINGS).training) == 3
    assert open_cache(cache, read_sid(sid_copy, skip_missing=True)).complete


CRASHING = """
import os
from rdi.training.cache.decoding import store_mosaic

def store(path, name, cache):
    if "00002_00_0.1s" in name:
        os.abort()
    return store_mosaic(path, name, cache)
"""


def test_a_crash_of_libraw_costs_its_file_alone(sid_tree, tmp_path, monkeypatch):
    (tmp_path / "crashing_decoder.py").write_text(CRASHING)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(preparation, "store_mosaic", importlib.import_module("crashing_decoder").store)
    with pytest.raises(TrainingDataError, match=r"line 3: .*00002_00_0.1s.ARW is damaged: LibRaw crashed \(SIGABRT\)"):
        prepare(read_sid(sid_tree), tmp_path / "cache", workers=2)
    monkeypatch.undo()
    with pytest.raises(TrainingDataError, match="is not finished"):
        open_cache(tmp_path / "cache")
    assert prepare(read_sid(sid_tree), tmp_path / "cache", workers=2).decoded == 1


def damage_size(cache):
    path = min(cache.glob("mosaics/*.npy"))
    path.write_bytes(path.read_bytes()[:-2])


def damage_content(cache):
    path = min(cache.glob("targets/*.npy"))
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(bytes(content))


def test_an_array_that_is_missing_or_cut_off_is_noticed_and_made_again(sid_tree, cache, whole):
    damage_size(cache)
    with pytest.raises(TrainingDataError, match=r"npy of the cache is damaged: 109,.* bytes instead of 109,"):
        open_cache(cache)
    min(cache.glob("mosaics/*.npy")).unlink()
    with pytest.raises(TrainingDataError, match="of the cache is missing"):
        open_cache(cache)
    assert prepare(read_sid(sid_tree), cache, workers=1).decoded == 1
    assert arrays(cache) == arrays(whole)


def test_a_changed_array_is_found_by_its_hash(sid_tree, cache, whole):
    assert check_cache(cache, workers=2).complete
    damage_content(cache)
    with pytest.raises(TrainingDataError, match=r"1 of 9 arrays are damaged: .*was changed after it was written"):
        check_cache(cache, workers=2)
    assert prepare(read_sid(sid_tree), cache, workers=2).decoded == 0
    assert prepare(read_sid(sid_tree), cache, workers=2, check=True).decoded == 1
    assert arrays(cache) == arrays(whole)


@pytest.mark.parametrize(
    "change", [lambda text: text[:-30], lambda text: text.replace('"ratio": 250.0', '"ratio": 25.0')]
)
def test_a_changed_manifest_is_noticed_and_put_together_again(sid_tree, cache, change):
    text = (cache / MANIFEST).read_text()
    (cache / MANIFEST).write_text(change(text))
    with pytest.raises(TrainingDataError, match=r"manifest.json is damaged .*prepare it again"):
        open_cache(cache)
    assert prepare(read_sid(sid_tree), cache, workers=1).decoded == 0
    assert (cache / MANIFEST).read_text() == text


def test_caches_of_other_formats_other_data_and_other_folders_are_refused(sid_tree, cache, tmp_path):
    with pytest.raises(TrainingDataError, match="is no cache: it holds no manifest"):
        open_cache(tmp_path)
    fuji = read_sid(sid_tree, Camera.FUJI)
    with pytest.raises(TrainingDataError, match=r"was made of .*Sony part, not of .*Fuji part"):
        open_cache(cache, fuji)
    with pytest.raises(OutputError, match=r"is the cache of .*Sony part, not of .*Fuji part"):
        prepare(fuji, cache)
    values = json.loads((cache / MANIFEST).read_text())
    (cache / MANIFEST).write_text(json.dumps({**values, "format": "rdi-cache-9"}))
    with pytest.raises(TrainingDataError, match="update rdi"):
        open_cache(cache)
    other = tmp_path / "other"
    other.mkdir()
    (other / "holiday.jpg").touch()
    with pytest.raises(OutputError, match=r"holds other things \(holiday.jpg\)"):
        prepare(read_sid(sid_tree), other)


def test_a_cache_of_other_lists_is_noticed(sid_copy, cache):
    lines = (sid_copy / "Sony_train_list.txt").read_text().splitlines(keepends=True)
    (sid_copy / "Sony_train_list.txt").write_text("".join(lines[1:]))
    with pytest.raises(TrainingDataError, match=r"holds other pairs than .* names for train"):
        open_cache(cache, read_sid(sid_copy))


def test_a_cache_that_cannot_be_trained_on_is_refused(sid_tree, cache, tmp_path):
    with pytest.raises(UsageError, match=r"--camera fuji does not fit: .* was made of .* Sony part"):
        open_recorded(Places(cache=cache), TrainingSettings(camera=Camera.FUJI))
    prepare(read_sid(sid_tree, splits=["train"]), tmp_path / "half", workers=1)
    with pytest.raises(TrainingDataError, match=r"holds no pairs of val; run .* with --splits train,val"):
        open_recorded(Places(cache=tmp_path / "half"), TrainingSettings())


def test_two_writers_are_kept_apart_and_training_is_not(sid_tree, cache):
    with writer_lock(cache, "in use"):
        with pytest.raises(OutputError, match="another `rdi prepare` is writing"):
            prepare(read_sid(sid_tree), cache)
        assert open_recorded(Places(cache=cache), SETTINGS).dataset()[0][0].shape == (1, 192, 192)
    assert prepare(read_sid(sid_tree), cache).kept == 9


def test_a_disk_that_is_too_small_is_noticed_before_anything_is_decoded(sid_tree, tmp_path, monkeypatch):
    free = space.SPARE + 1_000_000
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    with pytest.raises(OutputError, match=rf"needs 68\.\d MB more .*and only 68\.1 MB are free .*{free:,} bytes"):
        prepare(read_sid(sid_tree), tmp_path / "cache", workers=1)
    assert arrays(tmp_path / "cache") == {}
    monkeypatch.undo()
    assert prepare(read_sid(sid_tree), tmp_path / "cache", workers=1).decoded == 9


def test_the_tables_of_amplifications_have_base_gt_and_estimate(whole):
    head, *rows = (line.split(",") for line in (whole / "train_amplification.csv").read_text().split())
    assert head == ["image", "base", "gt", "estimated"]
    assert [row[0].rpartition("/")[2] for row in rows][:2] == ["00001_00_0.1s.ARW", "00001_00_0.04s.ARW"]
    for base, gt, estimated in (tuple(map(float, row[1:])) for row in rows):
        assert gt in (100, 250)
        assert estimated == pytest.approx(min(5 * base, 300), rel=1e-4)


def test_the_same_table_comes_from_cache_and_files_for_any_m(sid_tree, whole, tmp_path):
    for number, places in enumerate((Places(cache=whole), Places(sid=sid_tree))):
        source = open_recorded(places, replace(SETTINGS, m=2.0))
        write_amplifications(source.amplified("train"), 2.0, tmp_path / f"{number}.csv")
        write_amplifications(source.amplified("val"), 2.0, tmp_path / f"{number}-val.csv")
    one, other = ((tmp_path / f"{n}.csv").read_text().split() for n in (0, 1))
    assert [row.split(",")[1:] for row in one] == [row.split(",")[1:] for row in other]
    assert len((tmp_path / "0-val.csv").read_text().split()) == 3
    published = (whole / "train_amplification.csv").read_text().split()
    assert all(starmap(lambda a, b: a.split(",")[:3] == b.split(",")[:3], zip(one, published, strict=True)))
    assert one[1] != published[1]
