"""Which samples a step sees: the stream 0, 1, 2, ... from where a run stands, shared by the processes."""

import signal
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from rdi.training.processes import Processes
from rdi.training.settings import TrainingSettings

Samples = Dataset[tuple[Tensor, Tensor]]


class Batches(Sampler[list[int]]):
    """The indices of each step from `start` on; of a global batch each process has its own slice.

    A sample is a function of its index alone, so that the stream is the whole position in the data.
    """

    def __init__(self, start: int, settings: TrainingSettings, processes: Processes) -> None:
        self._steps = range(start, settings.steps)
        self._batch, self._share = settings.batch, processes.share(settings.batch)
        self._offset = processes.rank * self._share

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[list[int]]:
        for step in self._steps:
            yield self.of(step)

    def of(self, step: int) -> list[int]:
        """The indices of this process's samples in step 0, 1, ..."""
        begin = step * self._batch + self._offset
        return list(range(begin, begin + self._share))


def make_loader(dataset: Samples, batches: Batches, settings: TrainingSettings) -> DataLoader[tuple[Tensor, Tensor]]:
    """Batches of (inputs, target), made in worker processes."""
    return DataLoader(
        dataset,
        batch_sampler=batches,
        num_workers=settings.workers,
        prefetch_factor=settings.prefetch if settings.workers else None,
        worker_init_fn=_prepare_worker,
        pin_memory=settings.device == "cuda",
        generator=torch.Generator(),  # its own: the loader would draw from the one whose state is saved
    )


def provenance(dataset: Samples, indices: list[int]) -> list[str]:
    """Where each sample came from, as far as the dataset can say."""
    describe = getattr(dataset, "describe", None)
    return [f"sample {index}: {describe(index)}" if describe else f"sample {index}" for index in indices]


def _prepare_worker(worker: int) -> None:  # noqa: ARG001 (the signature is the loader's)
    """Ctrl-C reaches the whole process group; the workers leave it to the training process, which stops them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # that is how the loader stops them
    torch.set_num_threads(1)
