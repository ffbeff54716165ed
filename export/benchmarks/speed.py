"""How fast each backend of `backends` is, and how much memory it takes.

They run in one process, in turn, so that a machine that slows down slows them all; memory is measured in a process for
each.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from rdi.errors import MissingPackageError, UsageError
from rdi.export.benchmarks.backend_memory import peak_bytes
from rdi.export.benchmarks.backends import AMPLIFICATION, Backend, Files, Run, Size, prepare
from rdi.extras import install_hint

Name = TypeVar("Name", bound=str)


@dataclass(frozen=True)
class Row:
    """One backend at one size.

    minimum, median: milliseconds
    peak_bytes:      highest resident memory of a process that ran it twice, libraries included; None if not measured
    """

    backend: Backend
    height: int
    width: int
    minimum: float
    median: float
    peak_bytes: int | None

    @property
    def megapixels(self) -> float:
        """Of the frame."""
        return self.height * self.width / 1e6


@dataclass(frozen=True)
class Benchmark:
    """All rows, and how they came about."""

    threads: int
    runs: int
    rows: tuple[Row, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the rows with their ratios to `plain` and `pytorch` at the same size (how many times as fast)."""
        return {
            "threads": self.threads,
            "runs": self.runs,
            "amplification": AMPLIFICATION,
            "rows": [
                {
                    **asdict(row),
                    "times_plain": self.ratio(row, Backend.PLAIN),
                    "times_pytorch": self.ratio(row, Backend.PYTORCH),
                }
                for row in self.rows
            ],
        }

    def ratio(self, row: Row, to: Backend) -> float | None:
        """How many times as fast as another backend at the same size, by the minima; None where that did not run."""
        others = [r for r in self.rows if r.backend is to and (r.height, r.width) == (row.height, row.width)]
        return others[0].minimum / row.minimum if others else None

    def markdown(self) -> str:
        """A table for people and pages."""
        lines = [
            "| size | MP | backend | minimum ms | median ms | ms/MP | x plain | x PyTorch | peak MB |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        for row in self.rows:
            ratios = [self.ratio(row, to) for to in (Backend.PLAIN, Backend.PYTORCH)]
            plain, pytorch = ("-" if ratio is None else f"{ratio:.2f}" for ratio in ratios)
            peak = "-" if row.peak_bytes is None else f"{row.peak_bytes / 1e6:.0f}"
            lines.append(
                f"| {row.height}x{row.width} | {row.megapixels:.1f} | {row.backend} "
                f"| {row.minimum:.0f} | {row.median:.0f} | {row.minimum / row.megapixels:.1f} "
                f"| {plain} | {pytorch} | {peak} |"
            )
        return "\n".join(lines)


def measure(
    checkpoint: Path,
    model: Path,
    sizes: Sequence[Size],
    *,
    backends: Sequence[Backend],
    threads: int,
    runs: int,
    folder: Path,
    memory: bool = True,
    observe: Callable[[str], None] = lambda _: None,
) -> Benchmark:
    """Run every backend at every size.

    sizes:   (height, width), multiples of 32
    runs:    timed runs of each backend, after one that is not timed
    folder:  for the plain exports
    memory:  also measure peak memory, in a process for each
    observe: told what is going on
    Raises UsageError for sizes against the size rule, MissingPackageError for OpenVINO backends without the package.
    """
    _check(sizes, backends)
    rows: list[Row] = []
    for size in sizes:
        files = Files(checkpoint, model, plain_export(checkpoint, size, folder))
        observe(f"{size[0]}x{size[1]}: {runs + 1} rounds of {', '.join(backends)}")
        times = interleaved({backend: prepare(backend, files, size, threads) for backend in backends}, runs)
        for backend in backends:
            peak = peak_bytes(backend, files, size, threads) if memory else None
            rows.append(Row(backend, *size, min(times[backend]), median(times[backend]), peak))
    return Benchmark(threads, runs, tuple(rows))


def _check(sizes: Sequence[Size], backends: Sequence[Backend]) -> None:
    for size in sizes:
        require_multiple(size)
    if any(backend.needs_openvino for backend in backends) and not find_spec("openvino"):
        raise MissingPackageError(f"the OpenVINO backends need openvino: {install_hint('bench')}")


def require_multiple(size: Size) -> None:
    """UsageError for a size against the network's rule."""
    height, width = size
    if height % 32 or width % 32 or min(height, width) < 32:
        raise UsageError(f"size {height}x{width} is no multiple of 32; give HEIGHTxWIDTH, for example 2848x4256")


def interleaved(backends: Mapping[Name, Run], runs: int) -> dict[Name, list[float]]:
    """Milliseconds of each run; the backends take turns, and the first round warms up."""
    times: dict[Name, list[float]] = {backend: [] for backend in backends}
    for turn in range(runs + 1):
        for backend, run in backends.items():
            start = time.perf_counter()
            run()
            if turn:
                times[backend].append((time.perf_counter() - start) * 1000)
    return times


def plain_export(checkpoint: Path, size: Size, folder: Path) -> Path:
    """Write the plain export for frames of one size (`rdi.export.plain`)."""
    import onnx

    from rdi.checkpoint import load_checkpoint
    from rdi.export.plain import plain_model

    path = folder / f"plain-{size[0]}x{size[1]}.onnx"
    onnx.save(plain_model(load_checkpoint(checkpoint), *size), path)
    return path
