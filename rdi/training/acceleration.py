"""What makes a step faster than plain PyTorch: bfloat16 convolutions and compiled kernels, where they can be had."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import cast

import torch
from torch import nn


def precision(device: str, *, mixed: bool) -> AbstractContextManager[object]:
    """Convolutions in bfloat16 within the block, if `mixed`; weights, sums of gradients and losses stay float32."""
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=mixed)


def multiplies_bfloat16(device: str) -> bool:
    """Whether the device multiplies bfloat16 numbers itself.

    A CPU that does not is slowed down by them: with AVX-512 alone a step took 2 times as long as in float32, with AVX2,
    which most laptops have, 14 times. Of Arm's CPUs nothing is known here; they stay with float32.
    """
    if torch.device(device).type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def lay_channels_last(network: nn.Module) -> None:
    """Turn the kernels, and with them what the convolutions give, to channels innermost.

    Kernels of one pixel have no such order; turned nevertheless, their gradients would lie otherwise than the buffers
    that processes share.
    """
    for parameter in network.parameters():
        if parameter.dim() == 4 and parameter.shape[-2:].numel() > 1:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def compiled(
    module: nn.Module,
    shape: tuple[int, ...],
    device: str,
    *,
    mixed_precision: bool,
    note: Callable[[str], None],
) -> nn.Module:
    """The module compiled by torch.compile and tried forwards and backwards on zeros of the shape it will be given.

    Where that fails (no C++ compiler, no Triton) `note` is told why and the module itself comes back: training
    goes on, only slower.
    """
    candidate = cast(nn.Module, torch.compile(module, dynamic=False))
    try:
        with precision(device, mixed=mixed_precision):
            restored = candidate(torch.zeros(shape, device=device))
        restored.sum().backward()
    except Exception as error:  # whatever the compiler behind it meets; the plain module then meets a real mistake too
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:160]
        note(f"--compile: this machine cannot compile the network ({reason}); going on without, which is slower")
        return module
    finally:
        module.zero_grad()
    return candidate
