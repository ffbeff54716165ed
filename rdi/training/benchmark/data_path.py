"""How fast crops come, out of a cache or of simulated captures, against how fast the same cores can train on them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from rdi.network import RestorationNetwork
from rdi.training.learner import Learner
from rdi.training.processes import Processes
from rdi.training.sample import Sample
from rdi.training.settings import Places, TrainingSettings
from rdi.training.sources import open_source

DELIVERED = 6  # batches timed in a round, for each worker


@dataclass(frozen=True)
class DataPath:
    """Images a second, median of interleaved rounds.

    delivered: by the loader's workers, while nothing is trained
    trained:   by as many threads, while nothing is loaded: forward, backward and step
    """

    crop: int
    batch: int
    workers: int
    rounds: int
    delivered: float
    trained: float

    @property
    def ratio(self) -> float:
        """How many times faster data come than they are used."""
        return self.delivered / self.trained

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {**vars(self), "ratio": self.ratio}

    def markdown(self) -> str:
        """For people."""
        return (
            f"| crop | batch | workers, threads | delivered, images/s | trained, images/s | ratio |\n"
            f"|---|---|---|---|---|---|\n"
            f"| {self.crop}x{self.crop} | {self.batch} | {self.workers} | {self.delivered:.1f} | {self.trained:.2f} "
            f"| {self.ratio:.1f} |"
        )


def measure_data_path(
    places: Places, *, crop: int = 512, batch: int = 8, workers: int = 2, rounds: int = 3
) -> DataPath:
    """Time loading and training in turn, each with all of `workers` cores, so that both see the same machine.

    places: of the data; errors of `open_source`
    """
    warm_up, timed = 2 * workers, DELIVERED * workers
    settings = TrainingSettings(crop=crop, batch=batch, workers=workers, steps=rounds * (warm_up + timed) + warm_up)
    dataset = open_source(places, settings).dataset()
    loader = DataLoader(dataset, batch_size=batch, num_workers=workers, prefetch_factor=1)
    threads = torch.get_num_threads()
    torch.set_num_threads(workers)
    try:
        learner = Learner(RestorationNetwork(), settings, Processes())
        batches = iter(loader)
        sample = next(batches)
        _train(learner, sample)  # the first step makes what later ones use again
        speeds = [(_deliver(batches, warm_up, timed) * batch, _train(learner, sample) * batch) for _ in range(rounds)]
    finally:
        torch.set_num_threads(threads)
    delivered, trained = np.median(speeds, axis=0)
    return DataPath(crop, batch, workers, rounds, float(delivered), float(trained))


def _deliver(batches: Iterator[Sample], skipped: int, timed: int) -> float:
    """Batches a second, without those that were made while nobody asked."""
    for _ in range(skipped):
        next(batches)
    start = time.perf_counter()
    for _ in range(timed):
        next(batches)
    return timed / (time.perf_counter() - start)


def _train(learner: Learner, sample: Sample) -> float:
    """Steps a second."""
    start = time.perf_counter()
    learner.step(0, sample)
    return 1 / (time.perf_counter() - start)
