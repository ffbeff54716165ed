"""How fast each way of running the network is, and how much memory it takes.

The backends run in one process, in turn, so that a machine that slows down slows them all; memory is measured in a
process for each. Frames are simulated dark mosaics, the amplification is given except to one, all get the same
threads.

| backend | what runs | from -> to |
|---|---|---|
| pytorch | the training form, eager, inference mode | float mosaic -> float picture |
| plain | `torch.onnx.export` of the folded training form as it comes, static size, in ONNX Runtime | float -> float |
| rdi | the exported file in ONNX Runtime, as `rdi infer` runs it | integer mosaic -> integer picture |
| rdi-estimating | the same file, the amplification estimated inside the graph | |
| rdi-strips | its strips, as `rdi infer --max-memory` runs them, on a frame with the rows around it they need | |
| openvino-plain, openvino-rdi | the same two files in OpenVINO, float32 | |
| openvino-plain-bf16, openvino-rdi-bf16 | the same with the bfloat16 hint | |
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rdi.errors import MissingPackageError, RdiError, UsageError
from rdi.extras import install_hint

Size = tuple[int, int]
Run = Callable[[], object]
Name = TypeVar("Name", bound=str)

BLACK, WHITE = 512.0, 16383.0
AMPLIFICATION = 100.0


class Backend(StrEnum):
    """A way of running the network; see the module."""

    PYTORCH = "pytorch"
    PLAIN = "plain"
    RDI = "rdi"
    RDI_ESTIMATING = "rdi-estimating"
    RDI_STRIPS = "rdi-strips"
    OPENVINO_PLAIN = "openvino-plain"
    OPENVINO_RDI = "openvino-rdi"
    OPENVINO_PLAIN_BF16 = "openvino-plain-bf16"
    OPENVINO_RDI_BF16 = "openvino-rdi-bf16"

    @property
    def needs_openvino(self) -> bool:
        """Whether the package openvino is needed."""
        return self.value.startswith("openvino")


@dataclass(frozen=True)
class Files:
    """What the backends run: the weights, the exported model, and the plain export of each size."""

    checkpoint: Path
    model: Path
    plain: Path


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


def default_backends() -> list[Backend]:
    """All that can run here."""
    return [backend for backend in Backend if not backend.needs_openvino or find_spec("openvino")]


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


def prepare(backend: Backend, files: Files, size: Size, threads: int) -> Run:
    """A function that restores a frame of this size once. Imports only what the backend needs."""
    match backend:
        case Backend.PYTORCH:
            return _pytorch(files.checkpoint, size, threads)
        case Backend.PLAIN:
            return _onnxruntime(files.plain, {"mosaic": _light(size)}, threads)
        case Backend.RDI:
            return _rdi(files.model, size, threads, AMPLIFICATION)
        case Backend.RDI_ESTIMATING:
            return _rdi(files.model, size, threads, 0.0)
        case Backend.RDI_STRIPS:
            return _rdi_strips(files.model, size, threads)
        case _:
            precision = "bf16" if backend.endswith("bf16") else "f32"
            if backend in (Backend.OPENVINO_RDI, Backend.OPENVINO_RDI_BF16):
                return _openvino(*_without_defaults(files.model, _inputs(size)), threads, precision)
            return _openvino(files.plain.read_bytes(), {"mosaic": _light(size)}, threads, precision)


def _pytorch(checkpoint: Path, size: Size, threads: int) -> Run:
    import torch

    from rdi.checkpoint import load_checkpoint

    torch.set_num_threads(threads)
    network = load_checkpoint(checkpoint).network
    light = torch.from_numpy(_light(size))

    def run() -> object:
        with torch.inference_mode():
            return network(light)

    return run


def _onnxruntime(path: Path, inputs: dict[str, Any], threads: int) -> Run:
    from rdi.runtime.package import import_onnxruntime
    from rdi.runtime.providers import Provider
    from rdi.runtime.sessions import run_session, session_options

    options = session_options(Provider.CPU, threads)
    session = import_onnxruntime().InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return partial(run_session, session, inputs, "rgb")


def _rdi(path: Path, size: Size, threads: int, amplification: float) -> Run:
    from rdi.runtime.model import open_model
    from rdi.runtime.providers import Provider
    from rdi.runtime.sessions import Sessions, run_session

    session = Sessions(open_model(path), Provider.CPU, threads).get(*size)
    return partial(run_session, session, _inputs(size, amplification), "rgb")


def _rdi_strips(path: Path, size: Size, threads: int) -> Run:
    from rdi.camera import Cfa, RawPhoto
    from rdi.camera.photo import MARGIN, plan_alignment
    from rdi.runtime.budget import TALLEST, heights_of
    from rdi.runtime.model import open_model
    from rdi.runtime.providers import Provider
    from rdi.runtime.strip_file import open_strip_file
    from rdi.runtime.strips import Levels, StripSessions, restore_photo

    photo = RawPhoto(_mosaic(size)[0, 0], Cfa.RGGB, np.array(BLACK), WHITE)
    frame = plan_alignment(photo, Cfa.RGGB, 32, MARGIN)
    levels = Levels(frame.black_level, WHITE, (frame.gains * AMPLIFICATION).astype(np.float32))
    sessions = StripSessions(open_strip_file(open_model(path)), Provider.CPU, threads)
    heights = heights_of(TALLEST, frame.shape[0])

    def run() -> object:
        picture = np.empty((*photo.mosaic.shape, 3), dtype=np.uint16)
        for rows, strip in restore_photo(sessions, frame, levels, heights):
            picture[rows] = strip
        return picture

    return run


def _openvino(content: bytes, inputs: dict[str, Any], threads: int, precision: str) -> Run:
    import openvino

    core = openvino.Core()
    model = core.read_model(content)
    model.reshape({name: list(values.shape) for name, values in inputs.items()})
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    return partial(request.infer, inputs, share_inputs=True, share_outputs=True)


def _without_defaults(path: Path, given: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """The model with all inputs to be given, and their values: OpenVINO takes a default for a constant."""
    import onnx

    model = onnx.load(path)
    names = {value.name for value in model.graph.input}
    defaults = [item for item in model.graph.initializer if item.name in names]
    inputs = {item.name: onnx.numpy_helper.to_array(item).copy() for item in defaults} | given
    for item in defaults:
        model.graph.initializer.remove(item)
    return model.SerializeToString(), inputs


def _inputs(size: Size, amplification: float = AMPLIFICATION) -> dict[str, NDArray[Any]]:
    """A dark frame and the amplification, as the graph contract names them; 0: to be estimated."""
    return {"mosaic": _mosaic(size), "amplification": np.array(amplification, dtype=np.float32)}


def _mosaic(size: Size) -> NDArray[np.uint16]:
    generator = np.random.default_rng(0)
    light = np.linspace(2, 250, size[1])
    return (BLACK + generator.poisson(light, size)).astype(np.uint16)[None, None]


def _light(size: Size) -> NDArray[np.float32]:
    """The same frame as float, amplified: what the network itself is given."""
    light = (_mosaic(size) - BLACK) * (AMPLIFICATION / (WHITE - BLACK))
    return np.asarray(np.maximum(light, 0), dtype=np.float32)


def plain_export(checkpoint: Path, size: Size, folder: Path) -> Path:
    """Write the plain export for frames of one size (`rdi.export.plain`)."""
    import onnx

    from rdi.checkpoint import load_checkpoint
    from rdi.export.plain import plain_model

    path = folder / f"plain-{size[0]}x{size[1]}.onnx"
    onnx.save(plain_model(load_checkpoint(checkpoint), *size), path)
    return path


def peak_bytes(backend: Backend, files: Files, size: Size, threads: int) -> int:
    """Peak resident memory of a fresh process that runs the backend twice."""
    task = {
        "backend": backend,
        "files": [str(files.checkpoint), str(files.model), str(files.plain)],
        "size": size,
        "threads": threads,
    }
    command = [sys.executable, "-m", "rdi.export.benchmark", json.dumps(task)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        reason = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
        raise RdiError(f"measuring the memory of {backend} failed: {reason[-1]}")
    return int(ended.stdout)


def _measure_here(task: dict[str, Any]) -> int:
    from rdi.memory import peak_resident_bytes

    checkpoint, model, plain = map(Path, task["files"])
    height, width = task["size"]
    run = prepare(Backend(task["backend"]), Files(checkpoint, model, plain), (height, width), task["threads"])
    run()
    run()
    return peak_resident_bytes()


if __name__ == "__main__":
    print(_measure_here(json.loads(sys.argv[1])))
