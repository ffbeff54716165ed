"""Muon in float32: steps of orthogonal matrices.

PyTorch has one (`torch.optim.Muon`), and this one takes the same steps, but PyTorch's multiplies its matrices in
bfloat16 only. A CPU that has no instructions for it emulates them: on AVX2, the kernels of this network took 240 ms of
a step of 500 there, and take 19 in float32.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
# Jordan 2024 (kellerjordan.github.io/posts/muon): five iterations bring singular values to between 0.7 and 1.2.
ITERATIONS = 5
LINEAR, CUBIC, QUINTIC = 3.4445, -4.7750, 2.0315
SMALLEST_NORM = 1e-7
ADAMW_RMS = 0.2  # root mean square of the entries of AdamW's steps, which the same rate is to give here


class Muon(torch.optim.Optimizer):
    """Momentum (Nesterov's), made orthogonal and scaled to the size of AdamW's steps; decoupled weight decay.

    Equal to `torch.optim.Muon(adjust_lr_fn="match_rms_adamw")` but for bfloat16's rounding, its state too.
    """

    def __init__(self, matrices: Iterable[nn.Parameter], *, weight_decay: float, lr: float = 1e-3) -> None:
        """matrices: parameters of two dimensions."""
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Change the matrices by their gradients; those without one stay as they are.

        closure: None; gradients are there already
        """
        assert closure is None
        for group in self.param_groups:
            rate, decay = group["lr"], group["weight_decay"]
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(matrix.grad)
                mean = state["momentum_buffer"].lerp_(matrix.grad, 1 - MOMENTUM)
                direction = orthogonal(matrix.grad.lerp(mean, MOMENTUM))
                size = ADAMW_RMS * max(matrix.shape) ** 0.5
                matrix.mul_(1 - rate * decay).add_(direction, alpha=-rate * size)


def orthogonal(matrix: Tensor) -> Tensor:
    """The nearest (semi-)orthogonal matrix, roughly, by Newton and Schulz: singular values go to between 0.7 and 1.2.

    matrix: (rows, columns) float32
    """
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    wide = wide / wide.norm().clamp(min=SMALLEST_NORM)
    for _ in range(ITERATIONS):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=CUBIC, alpha=QUINTIC), wide, beta=LINEAR)
    return wide.T if matrix.shape[0] > matrix.shape[1] else wide
