"""The network while it learns: one step on a batch, the running mean of its weights, and all that a resume needs."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rdi.companding import expand
from rdi.model_kinds import Companding, Rendering
from rdi.network import RestorationNetwork
from rdi.torch_rendering import render
from rdi.training.acceleration import compiled, lay_channels_last, multiplies_bfloat16, precision
from rdi.training.loss import weighted_loss
from rdi.training.optimisation import Optimisation
from rdi.training.processes import Processes
from rdi.training.sample import Sample
from rdi.training.schedule import learning_rate_factor
from rdi.training.settings import TrainingSettings

EMA_WARM_UP = 10  # the mean of the first n steps forgets within n / 10 of them, or it would hold on to random weights


@dataclass(frozen=True)
class StepResult:
    """Figures of one step.

    loss:          the mean over the processes
    own_loss:      this process's
    gradient_norm: of the mean gradient, before clipping
    learning_rate: the step's
    """

    loss: float
    own_loss: float
    gradient_norm: float
    learning_rate: float

    @property
    def finite(self) -> bool:
        """Whether the step can be taken."""
        return math.isfinite(self.loss) and math.isfinite(self.gradient_norm)


class Unclamped(nn.Module):
    """The network as its loss must see it: saturated pixels keep their gradient."""

    def __init__(self, network: RestorationNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, mosaic: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W), not clamped."""
        return self.network.unclamped(mosaic)


class Learner:
    """A network, its optimiser and the mean of its weights.

    network: what learns
    average: the running mean of its weights; None where the settings want none
    mixed_precision: whether its convolutions run in bfloat16
    model:   the module that steps run through: compiled and shared by the processes, where the settings say so
    """

    def __init__(
        self,
        network: RestorationNetwork,
        settings: TrainingSettings,
        processes: Processes,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        """note: told what could not be made faster."""
        self.settings, self.processes = settings, processes
        wanted = settings.mixed_precision
        self.mixed_precision = multiplies_bfloat16(processes.device) if wanted is None else wanted
        self.network = network.to(processes.device).train()
        if settings.channels_last:
            lay_channels_last(self.network)
        self.average = _twin(self.network) if settings.ema else None
        model: nn.Module = Unclamped(self.network)
        if settings.compile:
            shape = (processes.share(settings.batch), 1, settings.crop, settings.crop)
            model = compiled(model, shape, processes.device, mixed_precision=self.mixed_precision, note=note)
        self.model = processes.together(model)
        self.optimisation = Optimisation(self.network, settings)

    @property
    def exported(self) -> RestorationNetwork:
        """What is validated and written for export: the mean of the weights where there is one."""
        return self.average or self.network

    def step(self, number: int, batch: Sample) -> StepResult:
        """Learn from a batch in step 0, 1, ...

        Weights stay as they are where the loss or its gradient is not finite, in any of the processes.
        """
        rate = self.settings.learning_rate * learning_rate_factor(number, self.settings)
        loss = self.loss(batch)
        self.network.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip or math.inf)
        result = StepResult(self.processes.mean(float(loss.detach())), float(loss.detach()), float(norm), rate)
        if result.finite:
            self._take_step(number, rate)
        return result

    def loss(self, batch: Sample) -> Tensor:
        """The loss of this process's share of a batch: of the picture as it is seen, whatever the network gives."""
        device, settings = self.processes.device, self.settings
        batch = Sample(*(part.to(device, non_blocking=True) for part in batch))
        with precision(device, mixed=self.mixed_precision):
            output = self.model(batch.inputs)
        restored = output.float()
        if settings.rendering is Rendering.CAMERA:
            light = expand(restored) if settings.companding is Companding.ROOT else restored
            restored = render(light, batch.camera_to_srgb, batch.gamut_compression)
        weights = settings.pixel_weight, settings.structure_weight, settings.grain_weight
        return weighted_loss(restored, batch.target, settings.pixel_loss, *weights)

    def _take_step(self, number: int, rate: float) -> None:
        self.optimisation.step(rate)
        if self.average is not None:
            decay = min(self.settings.ema, (1 + number) / (EMA_WARM_UP + number))
            with torch.no_grad():
                for mean, live in zip(self.average.parameters(), self.network.parameters(), strict=True):
                    mean.lerp_(live, 1 - decay)

    def tensors(self) -> dict[str, Tensor]:
        """Everything that a later step depends on, as contiguous tensors on the CPU."""
        state = {f"weights.{name}": tensor for name, tensor in self.network.state_dict().items()}
        if self.average is not None:
            state |= {f"average.{name}": tensor for name, tensor in self.average.state_dict().items()}
        for name, parameter in self.network.named_parameters():
            moments = self.optimisation.moments(parameter)
            state |= {f"optimiser.{kind}.{name}": tensor for kind, tensor in moments.items()}
        return {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on from what `tensors` gave. Raises KeyError or RuntimeError for those of another network."""
        self.network.load_state_dict(_below("weights", tensors))
        if self.average is not None:
            self.average.load_state_dict(_below("average", tensors))
        kinds = sorted({name.split(".")[1] for name in tensors if name.startswith("optimiser.")})
        for name, parameter in self.network.named_parameters():
            moments = {kind: f"optimiser.{kind}.{name}" for kind in kinds}
            self.optimisation.restore(
                parameter, {kind: tensors[key] for kind, key in moments.items() if key in tensors}
            )


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(f"{prefix}."): tensor for name, tensor in tensors.items() if name.startswith(f"{prefix}.")
    }


def _twin(network: RestorationNetwork) -> RestorationNetwork:
    """A network with the same weights, without a gradient; built anew: parametrised modules are not to be copied."""
    with torch.random.fork_rng(devices=[]):
        twin = RestorationNetwork()
    device = next(network.parameters()).device
    twin.load_state_dict(network.state_dict())
    return twin.to(device).requires_grad_(False).eval()
