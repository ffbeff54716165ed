"""The paper's parallelism, measured: branches in sequence against all at once, in PyTorch and in ONNX Runtime."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rdi.export.benchmarks.backends import Run, Size, require_multiple
from rdi.export.benchmarks.branch_speed import graph
from rdi.export.benchmarks.parallel import BRANCHES, InStreams, InThreads, in_sequence, restore
from rdi.export.deployment import deploy
from rdi.graph_contract import SIZE_NAMES
from rdi.network import RestorationNetwork
from rdi.runtime.package import import_onnxruntime
from rdi.runtime.providers import Provider
from rdi.runtime.sessions import run_session, session_options
from rdi.runtime.timing import Latency, counted, interleaved

SEQUENCE = "in sequence"
NOISE = 0.05  # two ways that differ by less are called equal
RELIABLE = 3  # runs of each, at least
CLAIMED = 0.30  # of the time that the paper says its parallel branches save


@dataclass(frozen=True)
class Trial:
    """One way of running the network: in sequence, or a way of running branches at once."""

    way: str
    latency: Latency

    @property
    def parallel(self) -> bool:
        """Whether branches run at once."""
        return not self.way.startswith(SEQUENCE)


@dataclass(frozen=True)
class ParallelSpeeds:
    """Figures of one frame size: engine -> its trials, the one in sequence first."""

    height: int
    width: int
    threads: int
    runs: int
    engines: Mapping[str, tuple[Trial, ...]]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        engines = {
            engine: [{"way": trial.way, "parallel": trial.parallel, **vars(trial.latency)} for trial in trials]
            for engine, trials in self.engines.items()
        }
        return {**vars(self), "engines": engines, "notes": list(self.notes), "verdicts": self.verdicts()}

    def verdicts(self) -> list[str]:
        """What the figures say of each engine, and of the paper's claim."""
        doubt = "" if self.runs >= RELIABLE else f" ({counted(self.runs, 'run')} of each: too few to rely on)"
        return [verdict(engine, trials) + doubt for engine, trials in self.engines.items()]

    def markdown(self) -> str:
        """For people and pages."""
        rows = [
            f"| {engine} | {trial.way} | {trial.latency.minimum:.0f} | {trial.latency.median:.0f} "
            f"| {trial.latency.p95:.0f} | {trial.latency.minimum / trials[0].latency.minimum:.2f} |"
            for engine, trials in self.engines.items()
            for trial in trials
        ]
        how = f"{counted(self.threads, 'thread')} in all, {counted(self.runs, 'run')} in turn."
        lines = [
            f"{self.height}x{self.width}, {how}",
            "",
            "| engine | branches | min ms | median | p95 | times in sequence |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            *(f"- {text}" for text in (*self.verdicts(), *self.notes)),
        ]
        return "\n".join(lines)


def verdict(engine: str, trials: tuple[Trial, ...]) -> str:
    """In words, by minima and medians: they must agree on more than noise."""
    sequence, *others = trials
    best = min(others, key=lambda trial: trial.latency.minimum)
    by_minima = best.latency.minimum / sequence.latency.minimum
    by_medians = best.latency.median / sequence.latency.median
    if max(by_minima, by_medians) < 1 - NOISE:
        enough = "as the paper says, or more" if 1 - by_minima >= CLAIMED else f"less than the paper's {CLAIMED:.0%}"
        return f"{engine}: branches at once ({best.way}) save {1 - by_minima:.0%} of the time, {enough}."
    if min(by_minima, by_medians) > 1 + NOISE:
        cost = f"{by_minima - 1:.0%} more time at best ({best.way})"
        return f"{engine}: branches at once cost {cost}: in sequence is faster."
    return f"{engine}: branches at once ({best.way}) take {by_minima:.2f} times as long: no difference beyond noise."


def measure_parallel(
    network: RestorationNetwork, size: Size, *, threads: int, runs: int, observe: Callable[[str], None] = lambda _: None
) -> ParallelSpeeds:
    """Time the branches in sequence and at once, everything in turn.

    network: without weight normalisation (`rdi.network.plain_network`)
    size:    (height, width) of the mosaic, multiples of 32, else UsageError
    threads: that all branches together get in sequence, and, in the fair settings, at once
    runs:    timed runs of each, after one that is not timed
    """
    require_multiple(size)
    observe(f"exporting two graphs for {size[0]}x{size[1]}")
    mosaic = np.random.default_rng(0).random((1, 1, *size), dtype=np.float32)
    forms: dict[str, torch.nn.Module] = {"as trained": network, "rdi's form": deploy(network)}
    ways = {("PyTorch", way): run for way, run in pytorch_ways(network, torch.from_numpy(mosaic), threads).items()}
    for form, module in forms.items():
        content = graph(module, [mosaic.shape])
        sessions = {way: session(content, size, *counts) for way, counts in onnxruntime_ways(threads).items()}
        ways |= {
            (f"ONNX Runtime, {form}", way): partial(run_session, made, {"x0": mosaic}, "out")
            for way, made in sessions.items()
        }
    notes = []
    if torch.cuda.is_available():
        ways |= {("PyTorch on cuda", way): run for way, run in cuda_ways(network, torch.from_numpy(mosaic)).items()}
    else:
        notes.append("CUDA streams were not measured: this PyTorch finds no GPU.")
    observe(f"{runs + 1} rounds of {len(ways)} ways")
    engines: dict[str, tuple[Trial, ...]] = {}
    for (engine, way), times in interleaved(ways, runs).items():
        engines[engine] = (*engines.get(engine, ()), Trial(way, Latency.of(times)))
    return ParallelSpeeds(*size, threads, runs, engines, tuple(notes))


def pytorch_ways(network: RestorationNetwork, mosaic: Tensor, threads: int) -> dict[str, Run]:
    """In sequence, and each branch in a thread: with its share of the threads, and with all of them."""
    torch.set_num_threads(threads)
    ways: dict[str, Run] = {SEQUENCE: partial(restore, network, mosaic, in_sequence)}
    for each in sorted({max(1, threads // BRANCHES), threads}):
        ways[f"{BRANCHES} at once, {counted(each, 'thread')} each"] = partial(restore, network, mosaic, InThreads(each))
    return ways


def onnxruntime_ways(threads: int) -> dict[str, tuple[int, int]]:
    """Name -> threads that run operators at once, and threads within an operator.

    Fair is a setting that has as many threads in all as there are in sequence; the other gives every branch all.
    """
    fair = min(BRANCHES, threads)
    counts = {SEQUENCE: (1, threads)}
    for at_once, within in dict.fromkeys([(fair, max(1, threads // fair)), (BRANCHES, threads)]):
        if at_once > 1:
            counts[f"{at_once} operators at once, {counted(within, 'thread')} within"] = (at_once, within)
    return counts


def session(content: bytes, size: Size, at_once: int, within: int) -> Any:
    """A session with rdi's settings for one frame size that runs so many operators at once.

    Without spinning, as rdi runs large frames: threads that wait by working would take the cores from other branches.
    """
    onnxruntime = import_onnxruntime()
    options = session_options(Provider.CPU, within)
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    for name, length in zip(SIZE_NAMES, size, strict=True):
        options.add_free_dimension_override_by_name(name, length)
    if at_once > 1:
        options.execution_mode = onnxruntime.ExecutionMode.ORT_PARALLEL
        options.inter_op_num_threads = at_once
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def cuda_ways(network: RestorationNetwork, mosaic: Tensor) -> dict[str, Run]:
    """In sequence and in streams, from memory of the GPU to memory of the GPU."""
    import copy

    on_gpu, there = copy.deepcopy(network).cuda(), mosaic.cuda()

    def timed(branches: Any) -> Run:
        def run() -> object:
            picture = restore(on_gpu, there, branches)
            torch.cuda.synchronize()
            return picture

        return run

    return {SEQUENCE: timed(in_sequence), f"{BRANCHES} streams": timed(InStreams())}
