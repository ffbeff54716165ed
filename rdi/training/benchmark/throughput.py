"""How fast a step is: rdi's against a plain loop's, in turn, on the same batches from the same weights."""

import math
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rdi.model_kinds import Rendering
from rdi.network import RestorationNetwork
from rdi.training.benchmark.subject import write_noise_photos
from rdi.training.choices import Optimiser
from rdi.training.learner import Learner
from rdi.training.loss import L1_SHARE, restoration_loss, up_to_white
from rdi.training.processes import Processes
from rdi.training.sample import Sample, Samples
from rdi.training.schedule import learning_rate_factor
from rdi.training.settings import Places, TrainingSettings
from rdi.training.sources import open_source

Loss = Callable[[Tensor, Tensor], Tensor]
Step = Callable[[int, Sample], object]


@dataclass(frozen=True)
class Row:
    """One way to train.

    images_per_second: forward, backward and step, of the median step
    times_plain:       how many times the plain loop's
    loss:              of the trained network on a batch that it has not seen, float32
    loss_difference:   to the plain loop's, as a share of it
    """

    name: str
    images_per_second: float
    times_plain: float
    loss: float
    loss_difference: float


@dataclass(frozen=True)
class Throughput:
    """All of them, the plain loop first."""

    batch: int
    crop: int
    steps: int
    threads: int
    rows: tuple[Row, ...]

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)

    def markdown(self) -> str:
        """For people."""
        lines = [
            f"Training, batch {self.batch} of {self.crop}x{self.crop}, {self.steps} steps of each in turn, "
            f"{self.threads} threads:",
            "",
            "| loop | images/s | times plain | loss afterwards | difference |",
            "|---|---|---|---|---|",
        ]
        for row in self.rows:
            speed, difference = f"{row.images_per_second:.2f}", f"{100 * row.loss_difference:+.2f} %"
            lines.append(f"| {row.name} | {speed} | {row.times_plain:.2f} | {row.loss:.5f} | {difference} |")
        return "\n".join(lines)


def measure_throughput(
    places: Places | None = None, *, steps: int = 50, batch: int = 8, crop: int = 512, threads: int | None = None
) -> Throughput:
    """Train three networks of the same weights in turn, step by step, on the same batches.

    places: of the data; by default captures of pictures of noise
    Making the batches is not timed. The plain loop is eager float32 with contiguous tensors and the same loss; the
    third one is that with the loss as pytorch-msssim computes it. All give sRGB: rendering would cost each the same.
    """
    if threads:
        torch.set_num_threads(threads)
    settings = TrainingSettings(
        steps=steps + 1,
        batch=batch,
        crop=crop,
        warm_up=min(10, steps),
        workers=0,
        rendering=Rendering.PAPER,
        optimiser=Optimiser.ADAMW,
        learning_rate=1e-3,
        grain_weight=0.0,
    )
    with tempfile.TemporaryDirectory() as folder:
        places = places or Places(photos=write_noise_photos(Path(folder)))
        dataset = open_source(places, settings).dataset()
        rows = _train_in_turn(dataset, settings, steps)
    return Throughput(batch, crop, steps, torch.get_num_threads(), rows)


def _train_in_turn(dataset: Samples, settings: TrainingSettings, steps: int) -> tuple[Row, ...]:
    networks = {name: _same_weights() for name in ("plain", "rdi", "plain, pytorch-msssim")}
    loops: dict[str, Step] = {
        "plain": PlainLoop(networks["plain"], settings, restoration_loss),
        "rdi": Learner(networks["rdi"], settings, Processes()).step,
        "plain, pytorch-msssim": PlainLoop(networks["plain, pytorch-msssim"], settings, package_loss),
    }
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for number in range(steps):
        batch = _batch(dataset, number, settings.batch)
        for name, step in loops.items():
            begin = time.perf_counter()
            step(number, batch)
            seconds[name].append(time.perf_counter() - begin)
    last = _batch(dataset, steps, settings.batch)
    losses = {name: _loss(network, last) for name, network in networks.items()}
    speeds = {name: settings.batch / statistics.median(times) for name, times in seconds.items()}
    plain = speeds["plain"], losses["plain"]
    return tuple(
        Row(name, speeds[name], speeds[name] / plain[0], losses[name], losses[name] / plain[1] - 1) for name in loops
    )


class PlainLoop:
    """A step as it is usually written: eager, float32, contiguous."""

    def __init__(self, network: RestorationNetwork, settings: TrainingSettings, loss: Loss) -> None:
        self.network, self.settings, self.loss = network, settings, loss
        self.optimiser = torch.optim.AdamW(
            network.parameters(),
            lr=settings.learning_rate,
            betas=(settings.beta1, settings.beta2),
            weight_decay=settings.weight_decay,
        )

    def __call__(self, number: int, batch: Sample) -> float:
        """Forward, backward and step."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * learning_rate_factor(number, self.settings)
        loss = self.loss(self.network.unclamped(batch.inputs), batch.target)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip or math.inf)
        self.optimiser.step()
        return float(loss.detach())


def package_loss(restored: Tensor, target: Tensor) -> Tensor:
    """The paper's loss with MS-SSIM from pytorch-msssim."""
    from pytorch_msssim import ms_ssim

    structure: Tensor = 1 - ms_ssim(restored.clamp(0, 1), target, data_range=1.0)
    return L1_SHARE * F.l1_loss(up_to_white(restored, target), target) + (1 - L1_SHARE) * structure


def _same_weights() -> RestorationNetwork:
    torch.manual_seed(0)
    return RestorationNetwork().train()


def _batch(dataset: Samples, number: int, batch: int) -> Sample:
    samples = [dataset[index] for index in range(number * batch, (number + 1) * batch)]
    return Sample(*(torch.stack(parts) for parts in zip(*samples, strict=True)))


def _loss(network: RestorationNetwork, batch: Sample) -> float:
    with torch.no_grad():
        return float(restoration_loss(network.unclamped(batch.inputs), batch.target))
