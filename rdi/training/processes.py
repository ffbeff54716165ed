"""The processes that train together under torchrun; one, where it was not used."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
from torch import nn
from torch.distributed import (
    all_gather_object,
    all_reduce,
    broadcast_object_list,
    destroy_process_group,
    init_process_group,
)

from rdi.errors import UsageError

T = TypeVar("T")
PATIENCE = timedelta(hours=2)  # the others wait while the first one validates on full frames


@dataclass(frozen=True)
class Processes:
    """Who of how many this process is.

    rank:  0 for the one that writes and prints
    count: of all processes, on all machines
    device: what this one computes on, as PyTorch names it
    """

    rank: int = 0
    count: int = 1
    device: str = "cpu"

    @property
    def first(self) -> bool:
        """Whether this process writes and prints."""
        return self.rank == 0

    def share(self, batch: int) -> int:
        """Crops of a batch that this process computes; UsageError where they cannot be shared equally."""
        if batch % self.count:
            raise UsageError(f"--batch {batch} cannot be shared by {self.count} processes; give a multiple of them")
        return batch // self.count

    def mean(self, value: float) -> float:
        """The mean of a value over the processes; not finite where one is not."""
        if self.count == 1:
            return value
        total = torch.tensor(value, dtype=torch.float64, device=self.device)
        all_reduce(total)
        return float(total) / self.count

    def agree(self, value: T) -> T:
        """The first process's value."""
        box = [value]
        if self.count > 1:
            broadcast_object_list(box)
        return box[0]

    def gather(self, value: T) -> list[T]:
        """Every process's value, by rank."""
        values = [value] * self.count
        if self.count > 1:
            all_gather_object(values, value)
        return values

    def together(self, module: nn.Module) -> nn.Module:
        """The module, its gradients averaged over the processes."""
        if self.count == 1:
            return module
        devices = [torch.device(self.device)] if self.device != "cpu" else None
        return nn.parallel.DistributedDataParallel(module, device_ids=devices)


@contextmanager
def joined(device: str) -> Iterator[Processes]:
    """Join the processes that torchrun started; NCCL on GPUs, one for each process, gloo on CPUs.

    device: cpu or cuda
    """
    count, local_rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("LOCAL_RANK", 0))
    if count == 1:
        yield Processes(device=device)
        return
    if device == "cuda":
        if local_rank >= torch.cuda.device_count():
            raise UsageError(
                f"process {local_rank} of this machine has no GPU of its own: there are {torch.cuda.device_count()}; "
                "give torchrun a smaller --nproc-per-node"
            )
        torch.cuda.set_device(local_rank)
        device = f"cuda:{local_rank}"
    init_process_group("nccl" if device != "cpu" else "gloo", timeout=PATIENCE)
    try:
        yield Processes(int(os.environ["RANK"]), count, device)
    finally:
        destroy_process_group()
