"""The backends' figures: ratios, peaks of several processes, and what a Ctrl-C leaves."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from rdi.export.benchmarks import backend_memory, backend_speed
from rdi.export.benchmarks.arithmetic import count_arithmetic
from rdi.export.benchmarks.backend_memory import Peaks, Task
from rdi.export.benchmarks.backend_speed import BackendSpeeds, Row, measure_backends
from rdi.export.benchmarks.backends import Backend, Candidate, Files, prepare
from rdi.export.benchmarks.plot import speed_plots
from rdi.runtime import read_metadata
from rdi.runtime.timing import Latency

PLAIN, RDI = Candidate(Backend.PLAIN), Candidate(Backend.RDI)
ROWS = (
    Row(PLAIN, 32, 32, Latency(10, 11, 12)),
    Row(RDI, 32, 32, Latency(4, 9, 9.5), Peaks(3, 5e6, 4_000_000, 7_000_000)),
    Row(Candidate(Backend.RDI, "cuda"), 32, 32, Latency(1, 2, 3)),
)


def speeds(rows: tuple[Row, ...] = ROWS, broken_off: bool = False) -> BackendSpeeds:
    return BackendSpeeds(2, 3, 3, rows, count_arithmetic([(32, 32)]), ("left out: it",), broken_off)


def test_ratios_are_those_of_the_minima_to_the_cpu_at_the_same_size() -> None:
    assert speeds().ratio(ROWS[1], Backend.PLAIN) == 2.5
    assert speeds().ratio(ROWS[2], Backend.PLAIN) == 10
    assert speeds().ratio(ROWS[1], Backend.PYTORCH) is None
    other_size = Row(RDI, 64, 32, Latency(1, 1, 1))
    assert speeds((*ROWS, other_size)).ratio(other_size, Backend.PLAIN) is None


def test_the_table_holds_latency_ratios_and_the_range_of_the_peaks() -> None:
    table = speeds().markdown()
    assert "| 32x32 | 0.0 | rdi | 4 | 9 | 10 | 3906.2 | 2.50 | - | 5 (4-7) |" in table
    assert "| rdi on cuda | 1 | 2 | 3 |" in table
    assert "2 threads each, 3 runs in turn; memory: mean (range) of processes that ran twice, 3 for each." in table
    assert "- left out: it\n" in table
    assert "784,768 parameters with weight normalisation" in table
    assert "broken off" not in table
    assert "broken off before its end" in speeds(broken_off=True).markdown()


def test_programs_get_the_same() -> None:
    row = speeds().to_dict()["rows"][1]
    assert row["peak_bytes"] == {"trials": 3, "mean": 5e6, "minimum": 4_000_000, "maximum": 7_000_000}
    assert (row["backend"], row["provider"], row["times_plain"], row["p95"]) == ("rdi", "cpu", 2.5, 9.5)


def test_the_plots_have_a_line_for_each_candidate_and_memory_where_it_was_measured() -> None:
    time, memory = speed_plots(speeds((*ROWS, Row(RDI, 64, 32, Latency(8, 9, 10)))))
    assert {series.name: len(series.points) for series in time.series} == {"plain": 1, "rdi": 2, "rdi on cuda": 1}
    assert memory.series[0].points == [(0.001024, 5.0)]
    assert len(speed_plots(speeds(ROWS[:1]))) == 1
    assert "Example9000" in speeds().svg("Example9000")


def test_peaks_are_mean_least_and_most() -> None:
    assert Peaks.of([1, 2, 6]) == Peaks(3, 3.0, 1, 6)
    assert Peaks.of([]) is None


@pytest.fixture
def measure(exported_model: Path, checkpoint_file: Path, tmp_path: Path) -> Callable[..., BackendSpeeds]:
    def call(sizes: list[tuple[int, int]], trials: int = 0) -> BackendSpeeds:
        return measure_backends(
            checkpoint_file,
            exported_model,
            sizes,
            candidates=[PLAIN, RDI],
            threads=1,
            runs=1,
            folder=tmp_path,
            trials=trials,
        )

    return call


def test_a_ctrl_c_while_memory_is_measured_keeps_what_is_done(
    measure: Callable[..., BackendSpeeds], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = iter([10, 20, 30])

    def pretend(task: Task) -> int:
        peak = next(given, None)
        if peak is None:
            raise KeyboardInterrupt
        return peak

    monkeypatch.setattr(backend_memory, "peak_bytes", pretend)
    found = measure([(32, 64)], trials=100)
    assert found.broken_off
    assert [row.peaks for row in found.rows] == [Peaks(2, 20.0, 10, 30), Peaks(1, 20.0, 20, 20)]
    assert all(row.latency.minimum > 0 for row in found.rows)


def test_a_ctrl_c_keeps_the_sizes_that_are_timed(
    measure: Callable[..., BackendSpeeds], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = backend_speed.export_plain, list[tuple[int, int]]()

    def break_off(files: Files, size: tuple[int, int]) -> None:
        calls.append(size)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(files, size)

    monkeypatch.setattr(backend_speed, "export_plain", break_off)
    found = measure([(32, 64), (64, 32)])
    assert found.broken_off
    assert [(row.candidate, row.height) for row in found.rows] == [(PLAIN, 32), (RDI, 32)]
    with pytest.raises(KeyboardInterrupt):  # the second size of all: nothing was timed before
        calls.clear()
        calls.append((0, 0))
        measure([(32, 64)])


def test_progress_tells_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 20))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    monkeypatch.setattr(backend_memory, "peak_bytes", lambda _: 1)
    tasks = [Task(PLAIN, Files(Path(), Path(), Path()), (32, 32), 1)] * 2
    said: list[str] = []
    found: list[list[int]] = [[], []]
    backend_memory.measure_peaks(tasks, 2, found, said.append)
    assert found == [[1, 1], [1, 1]]
    assert "2 trials of 2" in said[0]
    assert said[1:] == [f"memory: {done} of 4 processes, {left} s left" for done, left in ((1, 60), (2, 40), (3, 20))]


@pytest.mark.parametrize("backend", [Backend.RDI_CAMERA, Backend.RDI_ROOT])
def test_what_weights_pretend_to_be_is_what_their_file_says_and_runs(
    backend: Backend, checkpoint_file: Path, tmp_path: Path
) -> None:
    files = Files(checkpoint_file, Path(), tmp_path)
    backend_speed.export_pretending(files, backend)
    metadata = read_metadata(files.pretending(backend))
    assert {name: getattr(metadata, name) for name in backend.pretended} == backend.pretended
    picture = np.asarray(prepare(Candidate(backend), files, (32, 64), 1)())
    assert picture.shape[-3:] == (32, 64, 3)
    assert picture.dtype == np.uint16


def test_the_compiled_backend_runs_what_torch_makes_of_the_folded_network(
    checkpoint_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[torch.nn.Module] = []

    def pretend(network: torch.nn.Module) -> torch.nn.Module:
        compiled.append(network)
        return network

    monkeypatch.setattr(torch, "compile", pretend)
    files = Files(checkpoint_file, Path(), Path())
    eager, ours = (prepare(Candidate(name), files, (32, 64), 1)() for name in (Backend.PYTORCH, Backend.COMPILED))
    assert len(compiled) == 1
    np.testing.assert_array_equal(np.asarray(eager), np.asarray(ours))
