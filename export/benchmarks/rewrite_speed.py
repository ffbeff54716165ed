"""How much faster each rewrite of the deployment form is than what it replaces; see `rewrites`."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch

from rdi.export.benchmarks.backends import Run, Size, require_multiple
from rdi.export.benchmarks.rewrites import Rewrite, rewrites
from rdi.export.onnx_graph import name_sizes, simplify, to_onnx
from rdi.export.settings import OPSETS
from rdi.graph_contract import SIZE_NAMES
from rdi.network import SIZE_MULTIPLE
from rdi.runtime.providers import Provider
from rdi.runtime.sessions import make_session, run_session
from rdi.runtime.timing import interleaved


@dataclass(frozen=True)
class Gain:
    """One rewrite at one size; milliseconds before and after it."""

    name: str
    height: int
    width: int
    before: float
    after: float
    before_median: float
    after_median: float

    @property
    def times(self) -> float:
        """How many times as fast, by the minima."""
        return self.before / self.after

    @property
    def saved(self) -> float:
        """Milliseconds, by the minima."""
        return self.before - self.after


@dataclass(frozen=True)
class RewriteBenchmark:
    """All rewrites, and how they were timed."""

    threads: int
    runs: int
    rows: tuple[Gain, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        rows = [{**asdict(row), "times_as_fast": row.times, "saved": row.saved} for row in self.rows]
        return {"threads": self.threads, "runs": self.runs, "rewrites": rows}

    def markdown(self) -> str:
        """A table for people and pages; minima."""
        lines = ["| rewrite | size | before ms | after ms | saves ms | x |", "|---|---|---|---|---|---|"]
        lines += [
            f"| {row.name} | {row.height}x{row.width} | {row.before:.1f} | {row.after:.1f} "
            f"| {row.saved:.1f} | {row.times:.2f} |"
            for row in self.rows
        ]
        return "\n".join(lines)


def measure_rewrites(
    sizes: Sequence[Size], *, threads: int, runs: int, observe: Callable[[str], None] = lambda _: None
) -> RewriteBenchmark:
    """Time every rewrite at every size, its two modules in turn.

    sizes:   (height, width) of the mosaic, multiples of 32
    runs:    timed runs of each module, after one that is not timed
    observe: told what is going on
    Raises UsageError for sizes against the size rule.
    """
    for size in sizes:
        require_multiple(size)
    rows = []
    for size in sizes:
        for rewrite in rewrites():
            observe(f"{size[0]}x{size[1]}: {rewrite.name}")
            times = interleaved(pair(rewrite, size, threads), runs)
            minima, medians = ([kind(times[side]) for side in ("before", "after")] for kind in (min, median))
            rows.append(Gain(rewrite.name, *size, *minima, *medians))
    return RewriteBenchmark(threads, runs, tuple(rows))


def pair(rewrite: Rewrite, size: Size, threads: int) -> dict[str, Run]:
    """A function that runs once, for each of the two modules: exported as the network is, in the runtime's sessions."""
    generator = np.random.default_rng(0)
    shapes = [(1, channels, size[0] // scale, size[1] // scale) for channels, scale in rewrite.inputs]
    inputs = {f"x{i}": generator.random(shape, dtype=np.float32) for i, shape in enumerate(shapes)}
    sides = {"before": rewrite.before, "after": rewrite.after}
    files = {module: exported(module, shapes, open_sizes=rewrite.sizes_open) for module in set(sides.values())}
    runs: dict[str, Run] = {}
    for side, module in sides.items():
        known = None if rewrite.sizes_open and side == "before" else dict(zip(SIZE_NAMES, size, strict=True))
        runs[side] = partial(run_session, make_session(files[module], Provider.CPU, threads, known), inputs, "out")
    return runs


def exported(
    module: torch.nn.Module, shapes: Sequence[tuple[int, ...]], *, open_sizes: bool, simplified: bool = True
) -> bytes:
    """A module of tensors x0, x1, ... with these shapes as an ONNX file.

    open_sizes: of frames of any size, whatever the shapes
    simplified: as rdi's file is; with sizes that are known onnxsim takes gigabytes for large frames
    """
    dynamic: dict[int, Any] | None = None
    if open_sizes:
        dynamic = {axis + 2: SIZE_MULTIPLE * torch.export.Dim(name) for axis, name in enumerate(SIZE_NAMES)}
    arguments = tuple(torch.zeros(shape) for shape in shapes)
    names = [f"x{i}" for i in range(len(shapes))]
    model = to_onnx(module, arguments, names, ["out"], [dynamic] * len(shapes), OPSETS.start)
    if simplified:
        model = simplify(model)
    name_sizes(model)
    content: bytes = model.SerializeToString()
    return content
