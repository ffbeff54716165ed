"""kill -9 at any moment, also while saving: what is left can be resumed, and ends as if nothing had happened."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from rdi.checkpoint import load_checkpoint
from rdi.locks import LOCK
from rdi.runs import CHECKPOINT
from rdi.training.configuration import Configuration
from rdi.training.loop import Observer
from rdi.training.session import new_session, resumed_session
from rdi.training.settings import Places, TrainingSettings
from rdi.training.state import load_newest_state

SETTINGS = TrainingSettings(
    steps=8, batch=1, crop=192, warm_up=2, checkpoint_every=1, validate_every=5, workers=1, tensorboard=False
)
OPTIONS = [
    *("--steps", "8", "--batch", "1", "--crop", "192", "--warm-up", "2", "--checkpoint-every", "1"),
    *("--validate-every", "5", "--workers", "1", "--no-tensorboard", "--threads", "1"),
]
# Every file that is about to be renamed, and every one that has just been, is announced and waited at.
SLOW_SAVING = """
import sys, time
from pathlib import Path
import rdi.atomic as atomic

flush, replace = atomic._flush, Path.replace

def announced(what, path):
    print(what, path, flush=True)
    time.sleep(0.05)

def slow_flush(path):
    announced("written", path)
    flush(path)

def slow_replace(self, target):
    result = replace(self, target)
    announced("renamed", target)
    return result

atomic._flush, Path.replace = slow_flush, slow_replace
from rdi.cli.main import app
app()
"""


@pytest.fixture(scope="module")
def whole(training_photos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    new_session(Configuration(SETTINGS, Places(photos=training_photos, out=folder))).train(Observer())
    torch.set_num_threads(threads)
    return folder


def start(command: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", SLOW_SAVING, "train", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def kill(process: "subprocess.Popen[str]") -> None:
    os.killpg(process.pid, signal.SIGKILL)  # its workers too
    process.wait()


def kill_when(process: "subprocess.Popen[str]", said: str, times: int) -> bool:
    """Kill it the moment it has said so for the n-th time; False where it ended before."""
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            if said in line:
                times -= 1
                if times == 0:
                    kill(process)
                    return True
    process.wait()
    return False


def finish(folder: Path) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    resumed_session(folder, {}).train(Observer())
    torch.set_num_threads(threads)


def assert_as_if_never_killed(whole: Path, folder: Path) -> None:
    one, other = (load_newest_state(run)[0] for run in (whole, folder))
    assert one.step == other.step == SETTINGS.steps
    assert [name for name in one.tensors if not torch.equal(one.tensors[name], other.tensors[name])] == []
    for table in ("losses.csv", "averages.csv"):
        assert (whole / table).read_text() == (folder / table).read_text()
    weights = [load_checkpoint(run / CHECKPOINT).network.state_dict() for run in (whole, folder)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert [path.name for path in folder.rglob(".*") if path.is_file()] == [LOCK]  # nothing half written is left


@pytest.mark.parametrize(
    ("said", "times"),
    [
        ("written", 3),  # the state is written, not renamed
        ("renamed", 4),  # the state of a step stands, its weights file is the one of the step before
        ("written", 6),
    ],
)
def test_killed_while_saving_it_goes_on_as_if_nothing_had_happened(training_photos, whole, tmp_path, said, times):
    folder = tmp_path / "run"
    assert kill_when(start(["--photos", str(training_photos), "--out", str(folder), *OPTIONS]), said, times)
    assert load_newest_state(folder)[1] == []  # every generation under its final name is whole
    finish(folder)
    assert_as_if_never_killed(whole, folder)


def test_killed_again_and_again_at_random_moments_it_ends_the_same(training_photos, whole, tmp_path):
    folder = tmp_path / "run"
    generator = random.Random(5)
    command = ["--photos", str(training_photos), "--out", str(folder), *OPTIONS]
    kills = 0
    for _ in range(3):
        process = start(command)
        assert process.stdout is not None
        process.stdout.readline()  # the first state of this part of the run is being saved
        time.sleep(generator.uniform(0, 1.0))
        if process.poll() is not None:
            break
        kill(process)
        process.stdout.close()
        kills += 1
        command = ["--resume", str(folder)] if list((folder / "state").glob("0*")) else [*command, "--overwrite"]
    assert kills
    if load_newest_state(folder)[0].step < SETTINGS.steps:
        finish(folder)
    assert_as_if_never_killed(whole, folder)


def test_a_kill_loses_at_most_the_steps_since_the_last_checkpoint(training_photos, tmp_path):
    folder = tmp_path / "run"
    assert kill_when(start(["--photos", str(training_photos), "--out", str(folder), *OPTIONS]), "renamed", 6)
    state = load_newest_state(folder)[0]
    rows = (folder / "losses.csv").read_text().splitlines()[1:]
    assert state.step >= len(rows) - 1 >= 2
