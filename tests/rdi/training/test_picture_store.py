"""Pictures kept in a nameless file: shared by processes, gone with them, never in anonymous memory."""

import multiprocessing
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rdi.training.picture_store import PictureStore, place_for_pictures

SIZES = [5 * 7 * 3, 40 * 60 * 3, 90_000]


def picture(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def store(tmp_path: Path) -> PictureStore:
    return PictureStore(SIZES, tmp_path)


def test_what_is_put_comes_back_and_nothing_before(store: PictureStore) -> None:
    assert len(store) == 3
    assert store.get(1) is None
    store.put(1, picture(40, 60))
    store.put(2, picture(100, 300)[:, ::-1])
    kept = store.get(1)
    assert kept is not None
    assert np.array_equal(kept, picture(40, 60))
    assert np.array_equal(store.get(2), picture(100, 300)[:, ::-1])  # type: ignore[arg-type]
    assert store.get(0) is None
    with pytest.raises(ValueError, match="read-only"):
        kept[0, 0] = 0


def test_a_picture_larger_than_was_said_is_not_kept(store: PictureStore) -> None:
    store.put(0, picture(8, 8))
    assert store.get(0) is None
    store.put(0, picture(7, 5))  # turned, as by its EXIF orientation
    assert np.array_equal(store.get(0), picture(7, 5))  # type: ignore[arg-type]


def test_the_file_has_no_name_and_grows_only_with_what_is_put(store: PictureStore, tmp_path: Path) -> None:
    assert list(tmp_path.iterdir()) == []
    assert store._descriptor is not None
    before = os.fstat(store._descriptor).st_blocks
    store.put(2, picture(100, 300))
    assert 512 * (os.fstat(store._descriptor).st_blocks - before) < 90_000 + 3 * 4096


def _put_and_get(store: PictureStore, connection: "multiprocessing.connection.Connection") -> None:
    store.put(1, picture(40, 60))
    seen = store.get(0)
    connection.send(None if seen is None else int(seen.sum()))


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are not passed on there")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_share_what_each_of_them_puts(
    method: str, store: PictureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[3])  # a spawned process imports this very module
    store.put(0, picture(5, 7))
    context = multiprocessing.get_context(method)
    ours, theirs = context.Pipe()
    process = context.Process(target=_put_and_get, args=(store, theirs))  # type: ignore[attr-defined]
    process.start()
    process.join(60)
    assert process.exitcode == 0
    assert ours.recv() == int(picture(5, 7).sum())
    assert np.array_equal(store.get(1), picture(40, 60))  # type: ignore[arg-type]


def test_a_full_disk_costs_time_and_nothing_else(store: PictureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.pwrite", full)
    store.put(1, picture(40, 60))
    assert store.get(1) is None


def test_closing_gives_the_file_back(store: PictureStore) -> None:
    store.put(0, picture(5, 7))
    kept = store.get(0)
    store.close()
    assert store.get(0) is None
    store.put(0, picture(5, 7))
    assert np.array_equal(kept, picture(5, 7))  # type: ignore[arg-type]


def test_the_place_is_tmpdir_if_it_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert place_for_pictures() == tmp_path
    monkeypatch.delenv("TMPDIR")
    assert place_for_pictures() == Path("/var/tmp")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_pictures_are_not_in_anonymous_memory(tmp_path: Path) -> None:
    store = PictureStore([60_000_000] * 4, tmp_path)
    grey = np.full((4000, 5000, 3), 7, dtype=np.uint8)
    before = _anonymous()
    for index in range(4):
        store.put(index, grey)
    kept = [store.get(index) for index in range(4)]
    assert [int(one[::50].sum()) for one in kept if one is not None] == [80 * 5000 * 3 * 7] * 4
    assert _anonymous() - before < 30_000_000


def _anonymous() -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) * 1024
