"""What comes out of the loader's workers: batches, or one clear error."""

import os
import signal
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rdi.errors import TrainingDataError
from rdi.training import loading
from rdi.training.batches import Batches
from rdi.training.loading import load, lost_workers_explained, shared_bytes
from rdi.training.processes import Processes
from rdi.training.sample import Sample, Samples
from rdi.training.settings import TrainingSettings

SETTINGS = TrainingSettings(steps=6, batch=2, crop=192, workers=1, prefetch=1)
Usage = namedtuple("Usage", "total used free")


class Damaged(Samples):
    """Of which number 5 is damaged, or ends whoever makes it."""

    def __init__(self, deadly: bool = False) -> None:
        self.deadly = deadly

    def __getitem__(self, index: int) -> Sample:
        if index == 5 and self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        if index == 5:
            raise TrainingDataError("list.txt, line 3: short.ARW is damaged")
        return Sample(torch.full((1, 192, 192), float(index)), torch.zeros(3, 192, 192))


def no_shared_memory(*_: object, **__: object) -> None:
    raise RuntimeError("No space left on device (28)")


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_an_error_in_a_worker_is_the_error_itself(workers: int) -> None:
    settings = replace(SETTINGS, workers=workers)
    batches = load(Damaged(), Batches(0, settings, Processes()), settings)
    assert [next(batches)[0][:, 0, 0, 0].tolist() for _ in range(2)] == [[0, 1], [2, 3]]
    with pytest.raises(TrainingDataError) as caught:
        next(batches)
    assert str(caught.value) == "list.txt, line 3: short.ARW is damaged"


def test_a_worker_that_is_killed_is_told_of_in_one_line() -> None:
    said = r"makes crops was lost \(worker .*(Killed|exited unexpectedly)\).*fewer --workers"
    with pytest.raises(TrainingDataError, match=said) as caught, lost_workers_explained():
        list(load(Damaged(deadly=True), Batches(0, SETTINGS, Processes()), SETTINGS))
    assert "\n" not in str(caught.value)


def test_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="shapes"), lost_workers_explained():
        raise RuntimeError("shapes differ")


def test_without_shared_memory_the_same_batches_come_through_pipes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings, notes = replace(SETTINGS, steps=2), list[str]()
    monkeypatch.setattr(loading, "SHARED_MEMORY", tmp_path)
    with_it = list(load(Damaged(), Batches(0, settings, Processes()), settings, notes.append))
    assert notes == []
    needed = shared_bytes(2, settings)
    assert needed == (1 + 2) * 2 * 4 * 4 * 192 * 192
    monkeypatch.setattr(loading, "disk_usage", lambda _: Usage(needed, 1, needed - 1))
    monkeypatch.setattr(torch.UntypedStorage, "_new_shared", no_shared_memory)  # in the worker too, which is a fork
    without = list(load(Damaged(), Batches(0, settings, Processes()), settings, notes.append))
    assert len(notes) == 1
    assert "MB free" in notes[0]
    assert "--shm-size" in notes[0]
    for one, other in zip(with_it, without, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert with_it[0][0].is_shared()
    assert not without[0][0].is_shared()


def test_an_error_comes_through_a_pipe_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(loading, "SHARED_MEMORY", tmp_path)
    monkeypatch.setattr(loading, "disk_usage", lambda _: Usage(0, 0, 0))
    with pytest.raises(TrainingDataError, match="is damaged"):
        list(load(Damaged(), Batches(0, SETTINGS, Processes()), SETTINGS))


def test_no_worker_needs_no_shared_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings, notes = replace(SETTINGS, steps=1, workers=0), list[str]()
    monkeypatch.setattr(loading, "SHARED_MEMORY", tmp_path)
    monkeypatch.setattr(loading, "disk_usage", lambda _: Usage(0, 0, 0))
    assert len(list(load(Damaged(), Batches(0, settings, Processes()), settings, notes.append))) == 1
    assert notes == []
