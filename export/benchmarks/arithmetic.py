"""How large the network is and how much it computes, by PyTorch's own counter; nothing is computed for it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from rdi.export.benchmarks.backends import Size, require_multiple
from rdi.export.deployment import deploy
from rdi.network import RestorationNetwork, fold_weight_norm, plain_network

TRAINING, DEPLOYMENT = "training form", "deployment form"
# What the paper's table 1 says of frames of 2848x4256 (Bayer) and 4032x5984 (X-Trans).
PUBLISHED = {(2848, 4256): 59.8e9, (4032, 5984): 119e9}
# How the parts are called in the paper; of the exported form LSE is within the last convolution.
NAMES = {
    "lower": "LSE",
    "medium": "MSE",
    "higher": "HSE",
    "quarter": "gathering 4x4",
    "eighth": "gathering 8x8",
}


@dataclass(frozen=True)
class Work:
    """Multiply-accumulates for one frame.

    form:  of the network: as it was trained, or as it is exported (docs/deployment.md)
    parts: those of its parts, which add up to `macs`
    """

    form: str
    height: int
    width: int
    macs: int
    parts: dict[str, int]


@dataclass(frozen=True)
class Arithmetic:
    """What was counted.

    parameters: with weight normalisation, a gain and a direction for each convolution
    folded:     without: one weight tensor for each
    deployed:   numbers in the exported form, whose composed kernels are larger
    """

    parameters: int
    folded: int
    deployed: int
    work: tuple[Work, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "work": [asdict(work) for work in self.work]}

    def summary(self) -> str:
        """One line: parameters, and multiply-accumulates of the form that was trained."""
        counts = ", ".join(
            f"{work.macs / 1e9:.1f} GMAC at {work.height}x{work.width}" for work in self.work if work.form == TRAINING
        )
        return f"{self.parameters:,} parameters with weight normalisation, {self.folded:,} folded; {counts}."

    def markdown(self) -> str:
        """For people and pages."""
        lines = [
            f"Parameters: {self.parameters:,} with weight normalisation, {self.folded:,} folded, "
            f"{self.deployed:,} numbers in the exported form.",
            "",
            "| size | MP | form | GMAC | the paper says | its parts |",
            "|---|---|---|---|---|---|",
        ]
        return "\n".join([*lines, *map(_row, self.work)])


def _row(work: Work) -> str:
    published = PUBLISHED.get((work.height, work.width)) if work.form == TRAINING else None
    said = f"{published / 1e9:g} ({work.macs / published - 1:+.1%})" if published else "-"
    parts = ", ".join(f"{name} {macs / 1e9:.1f}" for name, macs in work.parts.items())
    megapixels = work.height * work.width / 1e6
    size = f"{work.height}x{work.width}"
    return f"| {size} | {megapixels:.1f} | {work.form} | {work.macs / 1e9:.1f} | {said} | {parts} |"


def count_arithmetic(sizes: Sequence[Size]) -> Arithmetic:
    """Count parameters, and multiply-accumulates for frames of these sizes, multiples of 32 (else UsageError)."""
    for size in sizes:
        require_multiple(size)
    trained = RestorationNetwork()
    plain = plain_network(fold_weight_norm(trained))
    deployed = deploy(plain)
    forms: dict[str, nn.Module] = {TRAINING: plain.to("meta"), DEPLOYMENT: deployed.to("meta")}
    return Arithmetic(
        sum(parameter.numel() for parameter in trained.parameters()),
        sum(parameter.numel() for parameter in plain.parameters()),
        sum(numbers.numel() for numbers in deployed.buffers()),
        tuple(count_work(form, network, size) for size in sizes for form, network in forms.items()),
    )


def count_work(form: str, network: nn.Module, size: Size) -> Work:
    """Count what a network on the meta device would compute for a frame. The counter counts two for each product."""
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.empty(1, 1, *size))
    counts = counter.get_flop_counts()
    root = type(network).__name__
    parts = {name: sum(counts.get(f"{root}.{name}", {}).values()) // 2 for name, _ in network.named_children()}
    named = {NAMES.get(name, name): macs for name, macs in parts.items() if macs}
    return Work(form, *size, counter.get_total_flops() // 2, named)
