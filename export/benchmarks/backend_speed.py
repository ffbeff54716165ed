"""How fast each candidate is, and how much memory it takes.

They run in one process, in turn, so that a machine that slows down slows them all; memory is measured in processes of
their own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdi.export.benchmarks.arithmetic import Arithmetic, count_arithmetic
from rdi.export.benchmarks.backend_memory import Peaks, Task, measure_peaks
from rdi.export.benchmarks.backends import (
    AMPLIFICATION,
    CPU,
    Backend,
    Candidate,
    Files,
    Size,
    prepare,
)
from rdi.runtime.timing import Latency, counted, interleaved

if TYPE_CHECKING:
    from rdi.page import Plot

Observe = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """One candidate at one size.

    latency: milliseconds
    peaks:   None where memory was not measured
    """

    candidate: Candidate
    height: int
    width: int
    latency: Latency
    peaks: Peaks | None = None

    @property
    def megapixels(self) -> float:
        """Of the frame."""
        return self.height * self.width / 1e6


@dataclass(frozen=True)
class BackendSpeeds:
    """All rows, and how they came about.

    trials:     processes for each peak of memory that were asked for; 0: memory was not measured
    notes:      what was left out, and why
    broken_off: whether a Ctrl-C ended it before its end
    """

    threads: int
    runs: int
    trials: int
    rows: tuple[Row, ...]
    arithmetic: Arithmetic
    notes: tuple[str, ...] = ()
    broken_off: bool = False

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the rows with their ratios to `plain` and `pytorch` at the same size (how many times as fast)."""
        return {
            "threads": self.threads,
            "runs": self.runs,
            "trials": self.trials,
            "amplification": AMPLIFICATION,
            "rows": [self._row_dict(row) for row in self.rows],
            "arithmetic": self.arithmetic.to_dict(),
            "notes": list(self.notes),
            "broken_off": self.broken_off,
        }

    def _row_dict(self, row: Row) -> dict[str, Any]:
        return {
            "backend": str(row.candidate.backend),
            "provider": row.candidate.provider,
            "height": row.height,
            "width": row.width,
            **vars(row.latency),
            "peak_bytes": vars(row.peaks) if row.peaks else None,
            "times_plain": self.ratio(row, Backend.PLAIN),
            "times_pytorch": self.ratio(row, Backend.PYTORCH),
        }

    def ratio(self, row: Row, to: Backend) -> float | None:
        """How many times as fast as another backend on the CPU at the same size, by the minima; None without it."""
        same = [r for r in self.rows if (r.height, r.width) == (row.height, row.width)]
        others = [r for r in same if r.candidate == Candidate(to, CPU)]
        return others[0].latency.minimum / row.latency.minimum if others else None

    def markdown(self) -> str:
        """Tables for people and pages."""
        lines = [
            f"{self._how()}.",
            "",
            "| size | MP | backend | min ms | median | p95 | ms/MP | x plain | x PyTorch | peak MB |",
            "|---|---|---|---|---|---|---|---|---|---|",
            *map(self._row, self.rows),
            "",
            *(f"- {note}" for note in self.notes),
            *([""] if self.notes else []),
            self.arithmetic.summary(),
        ]
        return "\n".join(lines)

    def plots(self) -> "list[Plot]":
        """Latency and memory over megapixels."""
        from rdi.export.benchmarks.plot import speed_plots

        return speed_plots(self)

    def svg(self, caption: str) -> str:
        """Latency and memory over megapixels, as an SVG file with a caption."""
        from rdi.page.svg import svg_file

        return svg_file(self.plots(), f"{self._how()}. {caption}")

    def _how(self) -> str:
        how = f"{counted(self.threads, 'thread')} each, {counted(self.runs, 'run')} in turn"
        counts = sorted({row.peaks.trials for row in self.rows if row.peaks})
        if counts:
            done = "-".join(map(str, dict.fromkeys((counts[0], counts[-1]))))  # fewer of some after a Ctrl-C
            how += f"; memory: mean (range) of processes that ran twice, {done} for each"
        return how + ("; broken off before its end" if self.broken_off else "")

    def _row(self, row: Row) -> str:
        ratios = [self.ratio(row, to) for to in (Backend.PLAIN, Backend.PYTORCH)]
        plain, pytorch = ("-" if ratio is None else f"{ratio:.2f}" for ratio in ratios)
        latency, peak = row.latency, row.peaks.describe() if row.peaks else "-"
        return (
            f"| {row.height}x{row.width} | {row.megapixels:.1f} | {row.candidate} "
            f"| {latency.minimum:.0f} | {latency.median:.0f} | {latency.p95:.0f} "
            f"| {latency.minimum / row.megapixels:.1f} | {plain} | {pytorch} | {peak} |"
        )


@dataclass
class _Progress:
    """What is there when a Ctrl-C comes."""

    times: list[tuple[Task, Latency]] = field(default_factory=list)
    peaks: list[list[int]] = field(default_factory=list)

    def rows(self) -> tuple[Row, ...]:
        held = self.peaks or [[] for _ in self.times]
        return tuple(
            Row(task.candidate, *task.size, latency, Peaks.of(peaks))
            for (task, latency), peaks in zip(self.times, held, strict=True)
        )


def measure_backends(
    checkpoint: Path,
    model: Path,
    sizes: Sequence[Size],
    *,
    candidates: Sequence[Candidate],
    threads: int,
    runs: int,
    folder: Path,
    trials: int = 0,
    notes: Sequence[str] = (),
    observe: Observe = lambda _: None,
) -> BackendSpeeds:
    """Run every candidate at every size.

    sizes:   (height, width), multiples of 32
    runs:    timed runs of each candidate, after one that is not timed
    folder:  for other exports of the weights
    trials:  processes for each peak of memory; 0: none is measured
    observe: told what is going on
    Raises UsageError for sizes against the size rule. A KeyboardInterrupt ends it with the sizes that are timed and the
    processes that have ended; before the first size is timed it is passed on.
    """
    arithmetic = count_arithmetic(sizes)  # checks the sizes too
    progress, broken_off, files = _Progress(), False, Files(checkpoint, model, folder)
    try:
        for backend in dict.fromkeys(candidate.backend for candidate in candidates):
            if backend.pretended:
                observe(f"exporting for {backend}, about half a minute")
                export_pretending(files, backend)
        for size in sizes:
            observe(f"{size[0]}x{size[1]}: {runs + 1} rounds of {', '.join(map(str, candidates))}")
            export_plain(files, size)
            progress.times += _timed([Task(candidate, files, size, threads) for candidate in candidates], runs)
        if trials:
            progress.peaks = [[] for _ in progress.times]
            measure_peaks([task for task, _ in progress.times], trials, progress.peaks, observe)
    except KeyboardInterrupt:
        if not progress.times:
            raise
        broken_off = True
    return BackendSpeeds(threads, runs, trials, progress.rows(), arithmetic, tuple(notes), broken_off)


def _timed(tasks: Sequence[Task], runs: int) -> list[tuple[Task, Latency]]:
    prepared = {task: prepare(task.candidate, task.files, task.size, task.threads) for task in tasks}
    return [(task, Latency.of(times)) for task, times in interleaved(prepared, runs).items()]


def export_plain(files: Files, size: Size) -> None:
    """Write the plain export for frames of one size (`rdi.export.plain`)."""
    import onnx

    from rdi.checkpoint import load_checkpoint
    from rdi.export.plain import plain_model

    onnx.save(plain_model(load_checkpoint(files.checkpoint), *size), files.plain(size))


def export_pretending(files: Files, backend: Backend) -> None:
    """Write the weights as what a backend runs, whatever they were trained for: not verified, only timed."""
    from rdi.checkpoint import load_checkpoint, weights_digest
    from rdi.export.graph import graph_of
    from rdi.export.onnx_graph import build_model
    from rdi.export.settings import ExportSettings
    from rdi.seal import seal

    loaded = load_checkpoint(files.checkpoint)
    metadata = loaded.metadata.replace(**backend.pretended, weights_sha256=weights_digest(loaded.network))
    model = build_model(graph_of(replace(loaded, metadata=metadata)), metadata, ExportSettings())
    files.pretending(backend).write_bytes(seal(model.SerializeToString()))
