"""The optimisers as the learner sees them: one step, one rate, and what a resume needs of each parameter."""

import torch
from torch import Tensor, nn

from rdi.training.choices import Optimiser
from rdi.training.muon import Muon
from rdi.training.settings import TrainingSettings

# With Muon, of the learning rate for the kernels: what AdamW takes for gains and biases.
REST_SHARE = 1 / 6


class Optimisation:
    """Adam or AdamW for all parameters, or Muon for the convolutions' kernels and AdamW for gains and biases.

    Muon (Jordan 2024; `rdi.training.muon`) makes the step of a matrix orthogonal, scaled to the size that AdamW's would
    have. It takes matrices only, so it gets each kernel as one of (channels out, all the rest), which lies in the same
    memory.
    """

    def __init__(self, network: nn.Module, settings: TrainingSettings) -> None:
        parameters = list(network.parameters())
        kernels = [p for p in parameters if _is_kernel(p)] if settings.optimiser is Optimiser.MUON else []
        self._matrices = {kernel: nn.Parameter(_as_matrix(kernel.detach(), kernel)) for kernel in kernels}
        rest = [parameter for parameter in parameters if parameter not in self._matrices]
        adam = torch.optim.Adam if settings.optimiser is Optimiser.ADAM else torch.optim.AdamW
        betas, decay = (settings.beta1, settings.beta2), settings.weight_decay
        self._parts: list[tuple[torch.optim.Optimizer, float]] = [
            (adam(rest, betas=betas, weight_decay=decay, fused=True), REST_SHARE if kernels else 1.0)
        ]
        if kernels:
            matrices = self._matrices.values()
            self._parts.append((Muon(matrices, weight_decay=decay), 1.0))

    def step(self, rate: float) -> None:
        """Change the parameters by their gradients.

        rate: learning rate; with Muon that of the kernels
        """
        for kernel, matrix in self._matrices.items():
            matrix.grad = None if kernel.grad is None else _as_matrix(kernel.grad, kernel)
        for optimiser, share in self._parts:
            for group in optimiser.param_groups:
                group["lr"] = rate * share
            optimiser.step()

    def moments(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        """What is remembered of a parameter's earlier gradients, by name; empty before the first step."""
        return self._state(parameter)

    def restore(self, parameter: nn.Parameter, moments: dict[str, Tensor]) -> None:
        """Go on from what `moments` gave; RuntimeError for moments of another network."""
        if any(moment.numel() not in (1, parameter.numel()) for moment in moments.values()):
            raise RuntimeError("the optimiser's moments are those of other weights")
        owner = self._matrices.get(parameter, parameter)
        self._state(parameter).update({name: _as_kept(moment, owner) for name, moment in moments.items()})

    def _state(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        matrix = self._matrices.get(parameter)
        optimiser = self._parts[0 if matrix is None else 1][0]
        state: dict[str, Tensor] = optimiser.state[parameter if matrix is None else matrix]
        return state


def _is_kernel(parameter: Tensor) -> bool:
    """Of a convolution; weight normalisation's gains have four dimensions too, but one number for each channel."""
    return parameter.dim() == 4 and parameter[0].numel() > 1


def _as_matrix(values: Tensor, kernel: Tensor) -> Tensor:
    """(channels out, rest), for a kernel itself in the same memory, also where its channels lie innermost."""
    ordered = values if kernel.is_contiguous() else values.permute(0, 2, 3, 1)
    return ordered.reshape(len(kernel), -1)


def _as_kept(moment: Tensor, parameter: Tensor) -> Tensor:
    """In the parameter's layout and on its device; the fused optimiser wants its step counter there too."""
    if moment.shape == parameter.shape:
        return torch.empty_like(parameter, requires_grad=False).copy_(moment)
    return moment.to(parameter.device, copy=True)
