"""Concatenations, channel shuffles and groups as weights: channels move by re-ordering rows and columns of weights."""

from collections.abc import Sequence

import torch
from torch import Tensor


def split_inputs(weight: Tensor, sizes: Sequence[int]) -> tuple[Tensor, ...]:
    """Weights for each part of a concatenation: conv(concat(a, b)) = conv(a) + conv(b).

    weight:  (out, sum of sizes, kh, kw)
    returns: (out, size, kh, kw) for each size; a bias belongs to one of them
    """
    return torch.split(weight, list(sizes), dim=1)


def split_shuffled_inputs(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Weights for a and b of a grouped convolution on shuffle_channels(concat(a, b), groups=2).

    The shuffle interleaves: channel 2i is a's i, channel 2i + 1 b's. So each group sees alternating channels, and both
    parts keep the groups.

    weight:  (out, in / groups, kh, kw) of the grouped convolution
    returns: two of (out, in / groups / 2, kh, kw), for as many groups on a and on b
    """
    return weight[:, 0::2], weight[:, 1::2]


def merge_groups(weight: Tensor, groups: int, wanted: int) -> Tensor:
    """The same grouped convolution with fewer groups: zeros where a channel saw nothing.

    onnxruntime's fast kernels need 16 channels a group (8 with AVX2), in and out.

    weight:  (out, channels, kh, kw) for `groups`; `wanted` divides `groups`
    returns: (out, channels * groups / wanted, kh, kw) for `wanted`
    """
    out, channels, height, width = weight.shape
    each = groups // wanted
    merged = weight.new_zeros(wanted, each, out // groups, each, channels, height, width)
    split = weight.reshape(wanted, each, out // groups, channels, height, width)
    for i in range(each):
        merged[:, i, :, i] = split[:, i]
    return merged.reshape(out, each * channels, height, width)


def dense_weight(weight: Tensor, groups: int) -> Tensor:
    """The same convolution without groups: (out, channels, kh, kw) -> (out, channels * groups, kh, kw)."""
    return merge_groups(weight, groups, 1)
