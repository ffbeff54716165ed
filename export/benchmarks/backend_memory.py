"""How much memory a backend takes: the highest of a fresh process that does nothing else, several times."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdi.errors import RdiError
from rdi.export.benchmarks.backends import Backend, Candidate, Files, Size, prepare
from rdi.memory import peak_resident_bytes
from rdi.runtime.timing import time_left

_SAID_EVERY = 10  # seconds


@dataclass(frozen=True)
class Peaks:
    """Highest resident memory of processes, bytes, libraries included.

    trials: processes, one after the other
    """

    trials: int
    mean: float
    minimum: int
    maximum: int

    @classmethod
    def of(cls, peaks: Sequence[int]) -> "Peaks | None":
        """Of the peak of each process; None of none."""
        return cls(len(peaks), sum(peaks) / len(peaks), min(peaks), max(peaks)) if peaks else None

    def describe(self) -> str:
        """`519 (517-523)`: megabytes, mean and range; the mean alone of one trial."""
        mean, low, high = (f"{value / 1e6:.0f}" for value in (self.mean, self.minimum, self.maximum))
        return f"{mean} ({low}-{high})" if self.trials > 1 else mean


@dataclass(frozen=True)
class Task:
    """What a process runs."""

    candidate: Candidate
    files: Files
    size: Size
    threads: int


def measure_peaks(tasks: Sequence[Task], trials: int, found: list[list[int]], observe: Callable[[str], None]) -> None:
    """Run each task so many times, in turn, each time in a fresh process.

    found: a list for each task, to which its peaks are appended as they come, for whoever breaks this off
    """
    begun = said = time.monotonic()
    wanted = trials * len(tasks)
    observe(f"memory: {trials} trials of {len(tasks)}, each in a process of its own; Ctrl-C keeps what is done")
    for turn in range(trials):
        for index, task in enumerate(tasks):
            found[index].append(peak_bytes(task))
            done, now = turn * len(tasks) + index + 1, time.monotonic()
            if now - said >= _SAID_EVERY and done < wanted:
                observe(f"memory: {done} of {wanted} processes, {time_left(done, wanted, now - begun)}")
                said = now


def peak_bytes(task: Task) -> int:
    """Peak resident memory of a fresh process that runs the task's backend twice."""
    files = task.files
    said = {
        "candidate": [task.candidate.backend, task.candidate.provider],
        "files": [str(files.checkpoint), str(files.model), str(files.folder)],
        "size": task.size,
        "threads": task.threads,
    }
    command = [sys.executable, "-m", "rdi.export.benchmarks.backend_memory", json.dumps(said)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        reason = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
        raise RdiError(f"measuring the memory of {task.candidate} failed: {reason[-1]}")
    return int(ended.stdout)


def _measure_here(task: dict[str, Any]) -> int:
    files = Files(*map(Path, task["files"]))
    backend, provider = task["candidate"]
    height, width = task["size"]
    run = prepare(Candidate(Backend(backend), provider), files, (height, width), task["threads"])
    run()
    run()
    return peak_resident_bytes()


if __name__ == "__main__":
    print(_measure_here(json.loads(sys.argv[1])))
