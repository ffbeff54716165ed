"""Which samples a step sees: the stream 0, 1, 2, ... from where a run stands, shared by the processes."""

from collections.abc import Iterator

from torch.utils.data import Sampler

from rdi.training.processes import Processes
from rdi.training.sample import Samples
from rdi.training.settings import TrainingSettings


class Batches(Sampler[list[int]]):
    """The indices of each step from `start` on; of a global batch each process has its own slice.

    A sample is a function of its index alone, so that the stream is the whole position in the data.

    share: crops of each step for this process
    """

    def __init__(self, start: int, settings: TrainingSettings, processes: Processes) -> None:
        self._steps = range(start, settings.steps)
        self._batch, self.share = settings.batch, processes.share(settings.batch)
        self._offset = processes.rank * self.share

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[list[int]]:
        for step in self._steps:
            yield self.of(step)

    def of(self, step: int) -> list[int]:
        """The indices of this process's samples in step 0, 1, ..."""
        begin = step * self._batch + self._offset
        return list(range(begin, begin + self.share))


def provenance(dataset: Samples, indices: list[int]) -> list[str]:
    """Where each sample came from, as far as the dataset can say."""
    describe = getattr(dataset, "describe", None)
    return [f"sample {index}: {describe(index)}" if describe else f"sample {index}" for index in indices]
