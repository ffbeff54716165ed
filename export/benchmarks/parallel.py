"""The paper's parallelism in PyTorch: LSE, MSE and HSE look at the same mosaic, so they can run at the same time.

Each way of running the three is a callable that takes them as calls and gives their results in order.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from rdi.network import RestorationNetwork

BRANCHES = 3
Branch = Callable[[], Tensor]
Branches = Callable[[Sequence[Branch]], list[Tensor]]


def restore(network: RestorationNetwork, mosaic: Tensor, run: Branches) -> Tensor:
    """What the network makes of a mosaic (B, 1, H, W), its branches run in a way of the caller's choice."""
    with torch.inference_mode():
        x = F.pixel_unshuffle(mosaic, 2)
        # The longest first: the others fit beside it.
        medium, higher, lower = run([lambda: network.medium(x), lambda: network.higher(x), lambda: network.lower(x)])
        out = network.output(torch.cat((lower, network.merge(medium, higher)), dim=1))
        return F.pixel_shuffle(out, 2).clamp(0.0, 1.0)


def in_sequence(branches: Sequence[Branch]) -> list[Tensor]:
    """One after the other, each on all threads."""
    return [branch() for branch in branches]


class InThreads:
    """All at once on the CPU, each in a thread of its own with so many threads of PyTorch's."""

    def __init__(self, threads: int) -> None:
        # PyTorch's number of threads belongs to the thread that sets it.
        self._pool = ThreadPoolExecutor(BRANCHES, initializer=torch.set_num_threads, initargs=(threads,))

    def __call__(self, branches: Sequence[Branch]) -> list[Tensor]:
        """Run them and wait for the last."""
        futures = [self._pool.submit(_inferring, branch) for branch in branches]
        return [future.result() for future in futures]


class InStreams:
    """All at once on a GPU, each in a CUDA stream.

    cuda: `torch.cuda`, or what stands for it in a test
    """

    def __init__(self, cuda: Any = torch.cuda) -> None:
        self._cuda = cuda
        self._streams = [cuda.Stream() for _ in range(BRANCHES)]

    def __call__(self, branches: Sequence[Branch]) -> list[Tensor]:
        """Queue them; what is queued afterwards on the current stream waits for all of them."""
        current, results = self._cuda.current_stream(), []
        for stream, branch in zip(self._streams, branches, strict=True):
            # Also keeps the stream from writing where the current one still reads what an earlier round left.
            stream.wait_stream(current)
            with self._cuda.stream(stream):
                results.append(branch())
        for stream in self._streams:
            current.wait_stream(stream)
        return results


def _inferring(branch: Branch) -> Tensor:
    with torch.inference_mode():  # belongs to a thread, too
        return branch()
