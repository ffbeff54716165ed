"""How long things take that run in turn, so that a machine that slows down slows them all."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Run = Callable[[], object]
Name = TypeVar("Name")


@dataclass(frozen=True)
class Latency:
    """Milliseconds of some runs: the least, the median, and what 95 of 100 runs stay below (interpolated)."""

    minimum: float
    median: float
    p95: float

    @classmethod
    def of(cls, times: Sequence[float]) -> "Latency":
        """Of the milliseconds of each run, one at least."""
        return cls(*(float(value) for value in np.percentile(times, (0, 50, 95))))


def interleaved(runs: Mapping[Name, Run], rounds: int) -> dict[Name, list[float]]:
    """Milliseconds of each run; all take turns, and a first round that warms up is not among them."""
    times: dict[Name, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 1):
        for name, run in runs.items():
            taken = milliseconds(run)
            if turn:
                times[name].append(taken)
    return times


def milliseconds(run: Run) -> float:
    """How long a run takes."""
    begun = time.perf_counter()
    run()
    return (time.perf_counter() - begun) * 1000


def time_left(done: int, wanted: int, seconds: float) -> str:
    """For people: how long the rest takes if it goes on as it went."""
    left = seconds / done * (wanted - done)
    return f"{left:.0f} s left" if left < 100 else f"{left / 60:.0f} min left"


def counted(number: int, name: str) -> str:
    """`1 run`, `7 runs`."""
    return f"{number} {name}{'s' * (number != 1)}"
