"""Commands in processes that can be killed, and what they work on."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from rdi.camera import Cfa, RawPhoto
from rdi.camera.dng import write_dng
from rdi.locks import LOCK

PROGRAM = Path(__file__).with_name("forked_commands.py")
GUARD = 300.0  # seconds after which a command that hangs is killed, so that the test fails instead of the whole run

# Root may write anywhere; without these capabilities (0 to 3: CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER), which no
# program that it starts gets back, it may not.
POWERLESS = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
assert libc.capget(header, data) == 0
for place in (0, 1, 2):
    data[place] &= ~0b1111
assert libc.capset(header, data) == 0
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert not os.access("out", os.W_OK), "the folder can be written all the same"
"""
# Something happens when the bytes of the process's n-th file are written, and the name is not yet this file's.
AT_FILE = """
import os, resource, signal, threading
import rdi.atomic as atomic
written, flush = 0, atomic._flush
def watched(path):
    global written
    written += 1
    if written == {number}:
        {event}
    flush(path)
atomic._flush = watched
"""


class Ended(NamedTuple):
    """code: exit code, -N for signal N; output: of stdout and stderr."""

    code: int
    output: str


@dataclass
class Running:
    """A command's process."""

    pid: int
    commands: "Commands"

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to it and what it forked, as a terminal does; a dead one is left alone."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return

    def state(self) -> str:
        """One letter of /proc: T stopped, Z ended, others live."""
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]

    def reached(self, condition: Callable[[], bool]) -> bool:
        """Wait until something holds; False where the command ended before."""
        begun = time.monotonic()
        while not condition():
            if self.state() == "Z" or time.monotonic() - begun > GUARD:
                return condition()
            time.sleep(0.002)
        return True

    def stopped(self) -> bool:
        """Wait until it has stopped itself (`stopped_at_file`); False where it ended instead."""
        return self.reached(lambda: self.state() == "T")

    def wait(self) -> Ended:
        """What became of it."""
        return self.commands.wait(self.pid)


class Commands:
    """Starts them, each forked from one process that has everything imported.

    powerless: source for `before`: even root may write only where its mode bits say so
    """

    powerless = POWERLESS

    @staticmethod
    def full(room: int = 0) -> str:
        """The same: no file may get longer than so many bytes, as on a disk that is full."""
        return f"\nimport resource as r; r.setrlimit(r.RLIMIT_FSIZE, ({room}, {room}))\n"

    @staticmethod
    def full_at_file(number: int) -> str:
        """The same: the disk is full from the moment in which the bytes of the n-th file are written."""
        return AT_FILE.format(number=number, event="resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))")

    @staticmethod
    def stopped_at_file(number: int) -> str:
        """The same: the process stops then, and whoever waits for that sends a signal.

        The thread that writes stops itself: with `os.kill` another one may, and this one gets on for a moment.
        """
        return AT_FILE.format(number=number, event="signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)")

    def __init__(self) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
        self._program = subprocess.Popen(
            [sys.executable, str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            text=True,
        )
        self._answer()

    def start(self, *arguments: object, folder: Path, before: str = "") -> Running:
        """Begin a command in a folder; before: Python that its process runs first."""
        return Running(self._ask({"start": [*map(str, arguments)], "folder": str(folder), "before": before}), self)

    def run(self, *arguments: object, folder: Path, before: str = "") -> Ended:
        """A command to its end."""
        return self.start(*arguments, folder=folder, before=before).wait()

    def wait(self, pid: int) -> Ended:
        guard = threading.Timer(GUARD, os.killpg, (pid, signal.SIGKILL))
        guard.daemon = True
        guard.start()
        try:
            return Ended(**self._ask({"wait": pid}))
        finally:
            guard.cancel()

    def close(self) -> None:
        self._program.kill()
        self._program.communicate()

    def _ask(self, request: dict[str, Any]) -> Any:
        assert self._program.stdin is not None
        self._program.stdin.write(json.dumps(request) + "\n")
        self._program.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._program.stdout is not None
        return json.loads(self._program.stdout.readline())


@pytest.fixture(scope="session")
def commands() -> Iterator[Commands]:
    started = Commands()
    yield started
    started.close()


def write_photos(folder: Path, sides: dict[str, int]) -> None:
    """Dark photos, `NAME.dng`, each so many pixels high and wide."""
    folder.mkdir()
    for seed, (name, side) in enumerate(sides.items()):
        mosaic = 512 + np.random.default_rng(seed).poisson(np.linspace(5, 200, side * side).reshape(side, side))
        photo = RawPhoto(mosaic.astype(np.uint16), Cfa.RGGB, np.array([512.0]), 16383.0, np.array([2.4, 1.0, 1.6]))
        write_dng(photo, folder / f"{name}.dng")


def write_pictures(folder: Path, names: str, width: int, height: int) -> None:
    """Bright pictures, `NAME.png`, one for each letter."""
    folder.mkdir()
    for seed, name in enumerate(names):
        coarse = np.random.default_rng(seed).integers(0, 256, (14, 16, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(folder / f"{name}.png")


def hidden_files(folder: Path) -> list[str]:
    """What is half written, or tells of it."""
    return sorted(path.name for path in folder.rglob(".*") if path.is_file() and path.name != LOCK)


@pytest.fixture(scope="session")
def hidden() -> Callable[[Path], list[str]]:
    """`hidden_files`, for tests."""
    return hidden_files


@pytest.fixture(scope="session")
def given(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, commands: Commands) -> Path:
    """A folder with what the commands read, not to be changed.

    tiny.onnx, photos/ (three small ones), pictures/ (three, the last for validation), sid/ (a miniature of SID)
    """
    folder = tmp_path_factory.mktemp("given")
    (folder / "tiny.onnx").write_bytes(tiny_model.read_bytes())
    write_photos(folder / "photos", {"a": 60, "b": 70, "c": 80})
    write_pictures(folder / "pictures", "abc", 220, 200)
    (folder / "pictures" / "VALIDATION.txt").write_text("c.png\n")
    made = commands.run("simulate", "pictures", "--sid-tree", "sid", folder=folder)
    assert made.code == 0, made.output
    return folder
