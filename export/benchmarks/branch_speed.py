"""What each part of the network costs alone, and how far the parts' sum is from the whole."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from rdi.export.benchmarks.backends import Run, Size, require_multiple
from rdi.export.benchmarks.branches import PARTS, WHOLE, Part, deployed_parts, trained_parts
from rdi.export.benchmarks.rewrite_speed import exported
from rdi.export.deployment import DeploymentNetwork, deploy
from rdi.graph_contract import SIZE_NAMES
from rdi.network import RestorationNetwork
from rdi.runtime.providers import Provider
from rdi.runtime.sessions import make_session, run_session
from rdi.runtime.timing import Latency, counted, interleaved

EXAMPLE: Size = (64, 96)  # that graphs of any size are traced with
EAGER, PLAIN, DEPLOYED = "PyTorch", "ONNX Runtime, as trained", "ONNX Runtime, rdi's form"


@dataclass(frozen=True)
class BranchSpeeds:
    """Figures of one frame size.

    ways: how the parts ran -> part or whole -> milliseconds; LSE is missing where it is within the output
    """

    height: int
    width: int
    threads: int
    runs: int
    ways: Mapping[str, Mapping[str, Latency]]

    def total(self, way: str) -> float:
        """Milliseconds of all parts, by the minima."""
        return sum(latency.minimum for name, latency in self.ways[way].items() if name != WHOLE)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        ways = {way: {name: vars(latency) for name, latency in parts.items()} for way, parts in self.ways.items()}
        sums = {way: self.total(way) for way in self.ways}
        return {**vars(self), "ways": ways, "sum_of_parts": sums}

    def markdown(self) -> str:
        """For people and pages."""
        lines = [
            f"{self.height}x{self.width}, {counted(self.threads, 'thread')}, {counted(self.runs, 'run')} in turn; "
            "minimum (median) ms.",
            "",
            f"| part | {' | '.join(self.ways)} |",
            f"|---{'|---' * len(self.ways)}|",
            *(self._row(name, [_cell(parts.get(name)) for parts in self.ways.values()]) for name in PARTS),
            self._row("sum of the minima", [f"{self.total(way):.1f}" for way in self.ways]),
            self._row("the whole network", [_cell(parts[WHOLE]) for parts in self.ways.values()]),
            self._row("sum / whole", [f"{self.total(way) / p[WHOLE].minimum:.2f}" for way, p in self.ways.items()]),
        ]
        return "\n".join(lines)

    def _row(self, name: str, cells: Sequence[str]) -> str:
        return f"| {name} | {' | '.join(cells)} |"


def _cell(latency: Latency | None) -> str:
    return f"{latency.minimum:.1f} ({latency.median:.1f})" if latency else "in output"


def measure_branches(
    network: RestorationNetwork, size: Size, *, threads: int, runs: int, observe: Callable[[str], None] = lambda _: None
) -> BranchSpeeds:
    """Time every part alone and the whole, in PyTorch and in ONNX Runtime, in turn.

    network: without weight normalisation (`rdi.network.plain_network`)
    size:    (height, width) of the mosaic, multiples of 32, else UsageError
    runs:    timed runs of each, after one that is not timed
    """
    require_multiple(size)
    torch.set_num_threads(threads)
    trained, deployed = trained_parts(network), deployed_parts(deploy(network))
    observe(f"exporting {len(trained) + len(deployed)} graphs for {size[0]}x{size[1]}")
    calls: dict[tuple[str, str], Run] = {}
    calls |= {(EAGER, part.name): eager(part, size) for part in trained}
    calls |= {(PLAIN, part.name): in_session(part, size, threads) for part in trained}
    calls |= {(DEPLOYED, part.name): in_session(part, size, threads) for part in deployed}
    observe(f"{runs + 1} rounds of {len(calls)} parts")
    ways: dict[str, dict[str, Latency]] = {EAGER: {}, PLAIN: {}, DEPLOYED: {}}
    for (way, name), times in interleaved(calls, runs).items():
        ways[way][name] = Latency.of(times)
    return BranchSpeeds(*size, threads, runs, ways)


def eager(part: Part, size: Size) -> Run:
    """A call that runs a part in PyTorch."""
    inputs = [torch.from_numpy(values) for values in _inputs(part, size)]

    def run() -> object:
        with torch.inference_mode():
            return part.module(*inputs)

    return run


def graph(module: nn.Module, shapes: Sequence[tuple[int, ...]]) -> bytes:
    """A module of tensors of these shapes as an ONNX file: rdi's network as rdi's file is made, the others plainly."""
    if isinstance(module, DeploymentNetwork):
        return exported(module, [(1, 1, *EXAMPLE)], open_sizes=True)
    return exported(module, shapes, open_sizes=False, simplified=False)


def in_session(part: Part, size: Size, threads: int) -> Run:
    """A call that runs a part in ONNX Runtime, exported alone."""
    content = graph(part.module, part.shapes(*size))
    inputs = {f"x{i}": values for i, values in enumerate(_inputs(part, size))}
    # The frame's size for all of them: beyond some megapixels threads do not spin.
    session = make_session(content, Provider.CPU, threads, dict(zip(SIZE_NAMES, size, strict=True)))
    return partial(run_session, session, inputs, "out")


def _inputs(part: Part, size: Size) -> list[np.ndarray[Any, np.dtype[np.float32]]]:
    generator = np.random.default_rng(0)
    return [generator.random(shape, dtype=np.float32) for shape in part.shapes(*size)]
