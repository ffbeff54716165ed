"""Caches whose manifests, entries or arrays say what cannot be: one line, and no file beyond the cache is opened."""

import json
import math
import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rdi.camera import Cfa, RawPhoto
from rdi.errors import TrainingDataError
from rdi.training.cache.decoding import write_array
from rdi.training.cache.entries import (
    MOSAICS,
    TARGETS,
    MosaicEntry,
    SourceFile,
    StoredArray,
    TargetEntry,
    array_name,
    describe_photo,
    entry_file,
    open_array,
    read_entry,
    write_entry,
)
from rdi.training.cache.manifest import (
    MANIFEST,
    DamagedManifestError,
    Manifest,
    PairEntry,
    _digest,
    read_manifest,
    write_manifest,
)
from rdi.training.cache.opening import open_cache

DARK, BRIGHT = "short/a.ARW", "long/a.ARW"


def require_one_line(error: Exception) -> None:
    assert "\n" not in str(error), str(error)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache of one pair, made without a raw file."""
    from rdi.amplifier import WeightedSums

    folder = tmp_path / "cache"
    for kind in (MOSAICS, TARGETS):
        (folder / kind).mkdir(parents=True)
    mosaic, target = np.full((8, 12), 600, np.uint16), np.full((8, 12, 3), 9, np.uint16)
    photo = RawPhoto(mosaic, Cfa.RGGB, np.array([512.0]), 16383.0, iso=100, exposure_time=0.1)
    arrays = [write_array(folder, array_name(MOSAICS, DARK), mosaic)]
    arrays.append(write_array(folder, array_name(TARGETS, BRIGHT), target))
    dark = MosaicEntry(SourceFile(DARK, 1, 1, "0"), arrays[0], describe_photo(photo), WeightedSums(1.0, 1.0))
    bright = TargetEntry(SourceFile(BRIGHT, 1, 1, "0"), arrays[1], False, None)
    write_entry(folder, MOSAICS, dark)
    pairs: dict[str, tuple[PairEntry, ...]] = {"train": (PairEntry(DARK, BRIGHT, 100.0, "line 1"),)}
    write_manifest(folder, Manifest("a test", True, pairs, {DARK: dark}, {BRIGHT: bright}))
    return folder


def rewritten(cache: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The manifest changed, with the hash that belongs to it."""
    values = json.loads((cache / MANIFEST).read_text())
    del values["sha256"]
    change(values)
    (cache / MANIFEST).write_text(json.dumps({**values, "sha256": _digest(values)}))
    return cache


def refusal(cache: Path) -> str:
    with pytest.raises(TrainingDataError) as caught:
        open_cache(cache)
    assert "\n" not in str(caught.value)
    assert str(cache) in str(caught.value)
    return str(caught.value)


def test_the_cache_is_one_that_opens(cache: Path) -> None:
    assert len(open_cache(cache).splits["train"]) == 1
    assert read_entry(cache, MOSAICS, DARK) == read_manifest(cache).mosaics[DARK]


def test_every_flip_and_cut_of_a_manifest_is_noticed(cache: Path) -> None:
    whole = (cache / MANIFEST).read_bytes()
    expected = read_manifest(cache)
    for place in range(len(whole)):
        mutant = bytearray(whole)
        mutant[place] ^= 1 << place % 8
        (cache / MANIFEST).write_bytes(mutant)
        try:
            assert read_manifest(cache) == expected  # white space, or another case of a digit's exponent
        except TrainingDataError as error:
            require_one_line(error)
    for size in range(0, len(whole) - 2, 7):
        (cache / MANIFEST).write_bytes(whole[:size])
        refusal(cache)


def photo_says(**changes: object) -> Callable[[dict[str, Any]], object]:
    return lambda values: values["mosaics"][DARK]["photo"].update(changes)


def array_says(**changes: object) -> Callable[[dict[str, Any]], object]:
    return lambda values: values["mosaics"][DARK]["array"].update(changes)


def pair_says(**changes: object) -> Callable[[dict[str, Any]], object]:
    return lambda values: values["splits"]["train"][0].update(changes)


@pytest.mark.parametrize(
    "change",
    [
        photo_says(white_level=None),
        photo_says(white_level=-1),
        photo_says(black_level=["x"] * 4),
        photo_says(black_level=[1, 2]),
        photo_says(white_balance=[0, 0, 0]),
        photo_says(white_balance=[1e300, 1, 1]),
        photo_says(camera_to_srgb=[[1e39, -1e39, 1], [0, 1, 0], [0, 0, 1]]),
        photo_says(cfa="RGBW"),
        photo_says(orientation=99),
        photo_says(phase=[]),
        photo_says(iso="fast"),
        lambda values: values["mosaics"][DARK]["photo"].clear(),
        lambda values: values["mosaics"][DARK].pop("sums"),
        lambda values: values["mosaics"].clear(),
        lambda values: values.update(mosaics=[]),
        lambda values: values.update(splits={"train": [3]}),
        lambda values: values.update(skipped=None),
        array_says(file="/etc/passwd"),
        array_says(file="../../secret.npy"),
        array_says(file=array_name(TARGETS, BRIGHT)),
        array_says(shape=[10**12, 10**12]),
        array_says(shape=[0, 12]),
        array_says(shape="x"),
        array_says(bytes=-5),
        array_says(bytes=10**400),
        pair_says(ratio="many"),
        pair_says(ratio=-1),
        pair_says(ratio=math.nan),
        pair_says(ratio=math.inf),
        pair_says(mosaic="short/other.ARW"),
        pair_says(target=3),
        pair_says(more=1),
    ],
)
def test_manifests_that_say_what_cannot_be_are_refused(change: Callable[[dict[str, Any]], object], cache: Path) -> None:
    assert "prepare" in refusal(rewritten(cache, change))


@pytest.mark.parametrize("content", [b"", b"[]", b"[" * 1_000_000, b"\xff", b'{"format": NaN}', b'{"format": 3}'])
def test_manifests_that_are_none_are_refused(content: bytes, cache: Path) -> None:
    (cache / MANIFEST).write_bytes(content)
    refusal(cache)


def test_a_manifest_that_is_a_pipe_is_no_manifest(cache: Path) -> None:
    (cache / MANIFEST).unlink()
    os.mkfifo(cache / MANIFEST)
    assert "is no cache" in refusal(cache)


@pytest.mark.parametrize("content", [b"", b"[]", b"[" * 1_000_000, b"\xff", b'{"format": 1, "source": 3}', b"1"])
def test_an_entry_that_is_none_counts_as_missing(content: bytes, cache: Path) -> None:
    entry_file(cache, MOSAICS, DARK).write_bytes(content)
    assert read_entry(cache, MOSAICS, DARK) is None


def test_an_entry_of_a_file_elsewhere_counts_as_missing(cache: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "secret.npy"
    array = read_manifest(cache).mosaics[DARK].array
    shutil.copy(cache / array.file, elsewhere)
    path = entry_file(cache, MOSAICS, DARK)
    path.write_text(path.read_text().replace(array.file, str(elsewhere)))
    assert read_entry(cache, MOSAICS, DARK) is None


def other_arrays() -> list[bytes]:
    import io
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.npy", b"")
    header = b"\x93NUMPY\x01\x00"
    lying = b"{'descr': '<u2', 'fortran_order': False, 'shape': (1000000000, 1000000000), }\n"
    return [
        b"",
        header,
        header + b"\xff\xff" + b"x" * 100,
        header + len(lying).to_bytes(2, "little") + lying,
        header + (3).to_bytes(2, "little") + b"{[\n",
        packed.getvalue(),
        pickle.dumps(print),
    ]


@pytest.mark.parametrize("content", other_arrays())
def test_arrays_that_are_none_are_refused_and_never_unpickled(content: bytes, cache: Path) -> None:
    name = array_name(MOSAICS, DARK)
    (cache / name).write_bytes(content)
    with pytest.raises(TrainingDataError, match="npy") as caught:
        open_array(cache, StoredArray(name, (8, 12), len(content), ""))
    assert "\n" not in str(caught.value)


def test_a_damaged_manifest_is_one_that_can_be_made_again(cache: Path) -> None:
    rewritten(cache, photo_says(white_level=-1))
    with pytest.raises(DamagedManifestError, match="white level"):
        read_manifest(cache)
    manifest = read_manifest(rewritten(cache, photo_says(white_level=16383.0)))
    assert replace(manifest, kind="x").mosaics[DARK].photo["white_level"] == 16383.0
