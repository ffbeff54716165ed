"""The measurements of the data path and of memory, in small."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rdi.errors import TrainingDataError
from rdi.training.benchmark.data_path import measure_data_path
from rdi.training.benchmark.memory import anonymous_bytes, descendants, measure_memory
from rdi.training.benchmark.noise_cache import write_noise_cache
from rdi.training.benchmark.subject import data_bytes, places_of, write_noise_photos
from rdi.training.cache.opening import open_cache
from rdi.training.cache.preparation import check_cache

FRAME = (416, 448)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("noise")
    write_noise_cache(folder, 4_000_000, FRAME)
    return folder


def test_a_cache_of_noise_is_a_cache_without_two_pages_alike(cache):
    manifest = check_cache(cache, workers=1)
    assert manifest.bytes >= 4_000_000
    assert (len(manifest.splits["train"]), len(manifest.splits["val"])) == (2, 1)
    pages = [page for path in cache.glob("*/*.npy") for page in np.fromfile(path, "S4096")]
    assert len(set(pages)) == len(pages)
    on_disk = sum(path.stat().st_blocks * 512 for path in cache.glob("*/*.npy"))
    assert on_disk >= manifest.bytes


def test_crops_come_several_times_faster_than_they_are_trained_on(cache):
    figures = measure_data_path(places_of(cache), crop=384, batch=2, workers=1, rounds=2)
    assert figures.ratio > 3
    assert figures.to_dict()["ratio"] == pytest.approx(figures.delivered / figures.trained)
    assert f"| {figures.ratio:.1f} |" in figures.markdown()


def test_photos_are_measured_in_the_same_way(tmp_path):
    folder = write_noise_photos(tmp_path, count=3, size=(700, 640))
    places = places_of(folder)
    assert (places.photos, places.cache) == (folder, None)
    assert data_bytes(places) < sum(path.stat().st_size for path in folder.iterdir())  # one is held out
    figures = measure_data_path(places, crop=192, batch=2, workers=1, rounds=1)
    assert figures.trained > 0
    assert figures.delivered > 0
    memory = measure_memory(places, steps=1, crop=192, batch=1, workers=1)
    assert 100e6 < memory.peak < 2e9
    assert "MB of data" in memory.markdown()


def test_memory_is_summed_over_all_processes_below_one():
    code = "import sys, subprocess, time\nx = bytearray(b'1') * 50_000_000\n" + (
        "subprocess.Popen([sys.executable, '-c', 'x = bytearray(b\"1\") * 30_000_000; print(1, flush=True); input()'])"
        "\ninput()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    family = descendants(process.pid)
    total = anonymous_bytes(process.pid) + sum(map(anonymous_bytes, family))
    process.communicate(b"\n\n")
    assert len(family) == 1
    assert 80e6 < total < 120e6
    assert anonymous_bytes(process.pid) == 0


def test_training_on_a_larger_cache_takes_no_more_memory(cache, tmp_path):
    write_noise_cache(tmp_path / "large", 240_000_000, FRAME)
    small, large = (
        measure_memory(places_of(folder), steps=2, crop=192, batch=2, workers=1)
        for folder in (cache, tmp_path / "large")
    )
    assert small.processes == large.processes == 2
    assert large.data > 50 * small.data
    assert large.peak < small.peak + 0.4 * large.data  # peaks differ by tens of megabytes from run to run
    assert large.to_dict()["peak"] < 2e9


def test_training_that_fails_says_why(cache, tmp_path):
    with pytest.raises(TrainingDataError, match=r"(?s)exit code 1: .*holds no crop of 512"):
        measure_memory(places_of(cache), steps=1, crop=512, batch=1, workers=0)


def test_opening_and_drawing_keep_no_files_open(cache):
    from rdi.training.recorded_source import open_recorded
    from rdi.training.settings import Places, TrainingSettings

    crops = open_recorded(Places(cache=cache), TrainingSettings(crop=192, steps=100)).dataset()
    crops[0]
    before = len(list(Path("/proc/self/fd").iterdir()))
    for index in range(60):
        crops[index]
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert open_cache(cache).complete
