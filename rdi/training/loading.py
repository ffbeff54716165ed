"""Batches from the loader's workers: what goes wrong in one arrives as one error, and what shared memory cannot hold
comes through a pipe."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import disk_usage
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, default_collate

from rdi.errors import RdiError, TrainingDataError
from rdi.training.batches import Batches
from rdi.training.sample import Sample, Samples
from rdi.training.settings import TrainingSettings

SHARED_MEMORY = Path("/dev/shm")
PLANES = 4  # of a sample, float32: one of the input, three of the target


class _Answered(Dataset[Any]):
    """A dataset that returns its RdiErrors: raised in a worker they would come out as a traceback of ten lines."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def __getitem__(self, index: int) -> Any:
        try:
            return self._samples[index]
        except RdiError as error:
            return error


def load(
    samples: Samples, batches: Batches, settings: TrainingSettings, note: Callable[[str], None] = lambda _: None
) -> Iterator[Sample]:
    """Batches of samples, made in `settings.workers` processes.

    note: told what is slower than it could be
    Raises the RdiErrors of the samples.
    """
    piped = settings.workers > 0 and _too_little_shared_memory(batches.share, settings, note)
    loader: DataLoader[Any] = DataLoader(
        _Answered(samples),
        batch_sampler=batches,
        collate_fn=_as_arrays if piped else _as_tensors,
        num_workers=settings.workers,
        prefetch_factor=settings.prefetch if settings.workers else None,
        worker_init_fn=_prepare_worker,
        pin_memory=settings.device == "cuda",
        generator=torch.Generator(),  # its own: the loader would draw from the one whose state is saved
    )
    for batch in loader:
        if isinstance(batch, RdiError):
            raise batch
        yield Sample(*map(torch.as_tensor, batch))


@contextmanager
def lost_workers_explained() -> Iterator[None]:
    """Within the block, a loader's worker that dies is a TrainingDataError that says how.

    PyTorch raises it wherever the training process happens to be.
    """
    try:
        yield
    except RuntimeError as error:
        if not _tells_of_a_lost_worker(error):
            raise
        # The signal that ended it stands in the cause, where there is one.
        telling = error.__cause__ if _tells_of_a_lost_worker(error.__cause__) else error
        reason = str(telling).split(". ")[0].rstrip(".").removeprefix("DataLoader ")
        raise TrainingDataError(
            f"a process that makes crops was lost ({reason}); the memory may be full, a container's /dev/shm (docker "
            "run --shm-size=1g) or the disk with the data gone: give fewer --workers, or 0, and go on with --resume"
        ) from error


def _tells_of_a_lost_worker(error: BaseException | None) -> bool:
    return isinstance(error, RuntimeError) and str(error).startswith("DataLoader worker")


def shared_bytes(share: int, settings: TrainingSettings) -> int:
    """What batches of `share` crops take in shared memory: those made ahead, the one trained on and the next one."""
    return (settings.workers * settings.prefetch + 2) * share * PLANES * 4 * settings.crop**2


def _too_little_shared_memory(share: int, settings: TrainingSettings, note: Callable[[str], None]) -> bool:
    if not SHARED_MEMORY.is_dir():  # only Linux has its shared memory there
        return False
    here = int(os.environ.get("LOCAL_WORLD_SIZE", 1))  # torchrun's processes on this machine share it
    needed, free = here * shared_bytes(share, settings), disk_usage(SHARED_MEMORY).free
    if needed <= free:
        return False
    note(
        f"{SHARED_MEMORY} has {free / 1e6:.0f} MB free, batches made ahead would take {needed / 1e6:.0f} MB: they come "
        "through pipes, a little slower (a container gets more with --shm-size=1g)"
    )
    return True


def _as_tensors(samples: list[Any]) -> Any:
    """A batch, or the first error among its samples."""
    return _error_among(samples) or default_collate(samples)


def _as_arrays(samples: list[Any]) -> Any:
    """The same as arrays: tensors go through shared memory, and a worker stacks them there."""
    if error := _error_among(samples):
        return error
    return tuple(np.stack([tensor.numpy() for tensor in column]) for column in zip(*samples, strict=True))


def _error_among(samples: list[Any]) -> RdiError | None:
    return next((sample for sample in samples if isinstance(sample, RdiError)), None)


def _prepare_worker(worker: int) -> None:  # noqa: ARG001 (the signature is the loader's)
    """Ctrl-C reaches the whole process group; the workers leave it to the training process, which stops them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # that is how the loader stops them
    torch.set_num_threads(1)
