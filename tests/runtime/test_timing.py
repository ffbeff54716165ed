"""Runs in turn, and what is said of their times."""

import numpy as np
import pytest

from rdi.runtime.timing import Latency, interleaved, time_left


def test_the_first_round_is_not_timed_and_all_take_turns() -> None:
    calls: list[str] = []
    runs = {"plain": lambda: calls.append("plain"), "rdi": lambda: calls.append("rdi")}
    times = interleaved(runs, rounds=2)
    assert calls == ["plain", "rdi"] * 3
    assert {name: len(taken) for name, taken in times.items()} == {"plain": 2, "rdi": 2}


def test_a_latency_is_least_median_and_what_nineteen_of_twenty_stay_below() -> None:
    latency = Latency.of([float(value) for value in np.random.default_rng(1).permutation(101)])
    assert (latency.minimum, latency.median, latency.p95) == (0, 50, 95)
    assert Latency.of([7.0]) == Latency(7, 7, 7)


@pytest.mark.parametrize(("seconds", "said"), [(10, "30 s left"), (200, "10 min left")])
def test_the_time_left_is_what_the_rest_takes(seconds: float, said: str) -> None:
    assert time_left(1, 4, seconds) == said
