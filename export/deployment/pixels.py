"""Space-to-depth and depth-to-space as convolution weights: pixels are moved by arithmetic that is done anyway.

A shuffle is pure data movement, and a slow one: onnxruntime transposes on one core. A convolution that follows or
precedes it can read or write the pixels where they are, with a stride.
"""

import math

import torch
from torch import Tensor


def over_pixels(weight: Tensor, factor: int) -> Tensor:
    """Weights for the pixels themselves, from weights for `pixel_unshuffle(x, factor)`.

    conv(pixel_unshuffle(x, f), w, padding=p) = conv(x, over_pixels(w, f), stride=f, padding=f * p)

    weight:  (out, channels * factor^2, kh, kw)
    returns: (out, channels, kh * factor, kw * factor), the same numbers
    """
    out, unshuffled, height, width = weight.shape
    channels = unshuffled // factor**2
    split = weight.reshape(out, channels, factor, factor, height, width)
    return split.permute(0, 1, 4, 2, 5, 3).reshape(out, channels, height * factor, width * factor)


def over_blocks(weight: Tensor, factor: int) -> Tensor:
    """The inverse of `over_pixels`: weights for x, from weights with stride `factor` for `pixel_shuffle(x, factor)`.

    weight:  (out, channels, kh, kw), both sizes multiples of `factor`
    returns: (out, channels * factor^2, kh / factor, kw / factor), the same numbers
    """
    out, channels, height, width = weight.shape
    split = weight.reshape(out, channels, height // factor, factor, width // factor, factor)
    return split.permute(0, 1, 3, 5, 2, 4).reshape(out, channels * factor**2, height // factor, width // factor)


def in_tiles(weight: Tensor, tile: int, stride: int = 1) -> Tensor:
    """Weights that compute a tile of neighbouring pixels at once, as channels.

    pixel_unshuffle(conv(x, w, stride=s), t) = conv(x, in_tiles(w, t, s), stride=s * t)

    weight:  (out, channels, kh, kw)
    returns: (out * tile^2, channels, kh + (tile - 1) * stride, kw + (tile - 1) * stride): shifted copies among zeros
    """
    out, channels, height, width = weight.shape
    reach = (tile - 1) * stride
    tiled = weight.new_zeros(out, tile, tile, channels, height + reach, width + reach)
    for row in range(tile):
        for column in range(tile):
            top, left = row * stride, column * stride
            tiled[:, row, column, :, top : top + height, left : left + width] = weight
    return tiled.flatten(0, 2)


def composed(first: Tensor, second: Tensor, stride: int = 1) -> Tensor:
    """One convolution for two in a row without an activation between them, in float64.

    conv(conv(x, first, stride=s), second) = conv(x, composed(first, second, s), stride=s)

    This holds where nothing is padded between the two; see `borders` for frames that have an edge.

    first:   (middle, channels, k, k); second: (out, middle, n, n)
    returns: (out, channels, k + (n - 1) * stride, k + (n - 1) * stride)
    """
    first, second = first.double(), second.double()
    kernel, taps = first.shape[2], second.shape[2]
    size = kernel + (taps - 1) * stride
    result = first.new_zeros(second.shape[0], first.shape[1], size, size)
    for row in range(taps):
        for column in range(taps):
            top, left = row * stride, column * stride
            part = torch.einsum("om,mckl->ockl", second[:, :, row, column], first)
            result[:, :, top : top + kernel, left : left + kernel] += part
    return result


def composed_bias(first: Tensor, second: Tensor, bias: Tensor) -> Tensor:
    """The bias of `composed`, (out,) float64: first is (middle,), second (out, middle, n, n), bias the second one's."""
    return bias.double() + second.double().sum((2, 3)) @ first.double()


def gathering(*factors: int) -> Tensor:
    """`pixel_unshuffle` of one channel by each factor in turn, as a convolution with their product f as stride.

    One-hot: each output takes one pixel. onnxruntime writes it in the layout of its fast kernels, on all cores.

    returns: (f^2, 1, f, f)
    """
    channels = math.prod(factors) ** 2
    weight = torch.eye(channels)[..., None, None]
    for factor in reversed(factors):
        weight = over_pixels(weight, factor)
    return weight
