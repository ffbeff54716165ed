"""How much memory training takes, summed over all of its processes."""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdi.errors import TrainingDataError, UsageError
from rdi.training.benchmark.subject import data_bytes
from rdi.training.cache.space import as_gigabytes
from rdi.training.settings import Places

INTERVAL = 0.05  # seconds between two looks
LIMIT = 2e9  # bytes: the bar for batch 8 of 512x512 and two workers, whatever the size of the cache
_PROC = Path("/proc")
_ANONYMOUS = re.compile(r"^RssAnon:\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True)
class TrainingMemory:
    """Peak of the anonymous memory (RssAnon) of a training run, its workers and all that they start.

    data:      bytes of the cache's arrays, or of the photos' files
    peak:      bytes, summed over the processes at one moment
    processes: how many there were then
    """

    data: int
    peak: int
    processes: int

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return vars(self)

    def markdown(self) -> str:
        """For people."""
        return (
            f"Memory of a training run on {as_gigabytes(self.data)} of data: at most {self.peak / 1e9:.2f} GB "
            f"anonymous, in {self.processes} processes together."
        )


def measure_memory(
    places: Places, *, steps: int = 6, crop: int = 512, batch: int = 8, workers: int = 2
) -> TrainingMemory:
    """Train for some steps on data, in a process of its own, and watch its memory and that of all below it.

    Raises UsageError where the system does not tell (only Linux does), TrainingDataError where training fails.
    """
    if not (_PROC / "self/status").exists():
        raise UsageError("the memory of processes can only be measured on Linux")
    with tempfile.TemporaryDirectory() as folder:
        given = {"steps": steps, "crop": crop, "batch": batch, "workers": workers, "validate-every": steps + 1}
        options = [f"--{name}={value}" for name, value in given.items()]
        options += [f"--{name}={path}" for name in ("cache", "photos") if (path := getattr(places, name))]
        command = [sys.executable, "-m", "rdi.cli", "train", "--out", f"{folder}/run", *options]
        peak, processes = _watch(command)
    return TrainingMemory(data_bytes(places), peak, processes)


def _watch(command: Sequence[str]) -> tuple[int, int]:
    """Run a command; the peak of its processes' memory, and how many they were then."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
        peak, processes = 0, 0
        try:
            while process.poll() is None:
                family = [process.pid, *descendants(process.pid)]
                total = sum(map(anonymous_bytes, family))
                if total > peak:
                    peak, processes = total, len(family)
                time.sleep(INTERVAL)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            said.seek(0)
            raise TrainingDataError(f"training ended with exit code {process.returncode}: {said.read()[-500:].strip()}")
    return peak, processes


def descendants(pid: int) -> list[int]:
    """All processes below one."""
    found = list[int]()
    for file in (_PROC / str(pid) / "task").glob("*/children"):
        try:
            children = [int(child) for child in file.read_text().split()]
        except OSError:  # it ended meanwhile
            continue
        found += [process for child in children for process in (child, *descendants(child))]
    return found


def anonymous_bytes(pid: int) -> int:
    """RssAnon of a process; 0 for one that has ended."""
    try:
        status = (_PROC / str(pid) / "status").read_text()
    except OSError:
        return 0
    found = _ANONYMOUS.search(status)
    return int(found[1]) * 1024 if found else 0
