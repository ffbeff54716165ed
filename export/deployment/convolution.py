"""A convolution whose weights never change: what the deployment form is made of."""

from collections.abc import Iterable

import torch.nn.functional as F
from torch import Tensor, nn

Padding = tuple[int, int, int, int]  # left, right, top, bottom: the order of `F.pad`


def same(kernel: int) -> Padding:
    """The padding that keeps the size, for an odd kernel and stride 1."""
    return (kernel // 2,) * 4


def bias_of(layer: nn.Conv2d) -> Tensor:
    """The bias of a layer that has one."""
    assert layer.bias is not None
    return layer.bias


class Convolution(nn.Module):
    """A convolution with fixed weights and its own zero padding on each side.

    weight:   (out, in / groups, kh, kw), stored as float32
    bias:     (out,) or None
    stride, dilation: (rows, columns)
    padding:  (left, right, top, bottom)
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None = None,
        *,
        stride: tuple[int, int] = (1, 1),
        padding: Padding = (0, 0, 0, 0),
        dilation: tuple[int, int] = (1, 1),
        groups: int = 1,
    ) -> None:
        super().__init__()
        self.register_buffer("weight", weight.detach().float().contiguous())
        self.register_buffer("bias", None if bias is None else bias.detach().float().contiguous())
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups

    def forward(self, x: Tensor, padding: Padding | None = None) -> Tensor:
        """(B, in, H, W) -> (B, out, H', W'); `padding` replaces the usual one, where weights serve several places."""
        left, right, top, bottom = padding or self.padding
        both = (top, left)
        if (left, top) != (right, bottom):  # torch pads evenly only; the exporter's simplifier merges the two again
            x, both = F.pad(x, (left, right, top, bottom)), (0, 0)
        return F.conv2d(x, self.weight, self.bias, self.stride, both, self.dilation, self.groups)


def total(terms: Iterable[Tensor], start: Tensor | None = None) -> Tensor:
    """Sum of convolutions' results, added so that ONNX Runtime makes each addition a part of its convolution."""
    for term in terms:
        start = term if start is None else term + start
    assert start is not None
    return start
