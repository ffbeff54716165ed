"""How fast simulated captures come: what loader workers deliver when nobody trains."""

import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from rdi.errors import UsageError
from rdi.training.captures import SimulatedCaptures
from rdi.training.photos import PhotoShelf, split_photos
from rdi.training.settings import TrainingSettings

WARM_UP = 2  # batches of each worker: photos are decoded when first needed


@dataclass(frozen=True)
class SimulationSpeed:
    """Crops a second through the loader.

    crop:    side, pixels
    workers: processes that simulate; nothing else runs
    batches: how many were timed
    images_per_second: of the median round of the workers
    """

    crop: int
    batch: int
    workers: int
    batches: int
    images_per_second: float

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


def measure_simulation(
    photos: Path | None = None, *, crop: int = 512, batch: int = 8, workers: int = 2, batches: int = 24
) -> SimulationSpeed:
    """Time batches of simulated captures with the default settings: any camera, ISO 400-12800, ratio 2-300.

    photos: folder; by default a few pictures of noise, which cost as much as others
    Raises UsageError for less than one worker, TrainingDataError for a folder without photos.
    """
    if workers < 1:
        raise UsageError(f"{workers} workers cannot be timed; give 1 or more")
    settings = TrainingSettings(crop=crop, batch=batch, workers=workers, steps=WARM_UP * workers + batches)
    with tempfile.TemporaryDirectory() as folder:
        if photos is None:
            photos = write_noise_photos(Path(folder))
        dataset = SimulatedCaptures(PhotoShelf(split_photos(photos)[0], smallest=crop), settings)
        seconds = _time(dataset, settings)
    return SimulationSpeed(crop, batch, workers, workers * len(seconds), batch * workers / float(np.median(seconds)))


def write_noise_photos(folder: Path, count: int = 6, size: tuple[int, int] = (1280, 960)) -> Path:
    """Some JPEGs of smooth noise, (width, height) each."""
    from PIL import Image

    for number in range(count):
        coarse = np.random.default_rng(number).integers(0, 256, (24, 32, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(folder / f"{number}.jpg", quality=95)
    return folder


def _time(dataset: Dataset[tuple[Tensor, Tensor]], settings: TrainingSettings) -> list[float]:
    """Seconds that each round of the workers takes, one batch of each, after the warm-up."""
    loader = DataLoader(dataset, batch_size=settings.batch, num_workers=settings.workers, prefetch_factor=1)
    moments = []
    for number, _ in enumerate(loader):
        if number >= WARM_UP * settings.workers - 1 and (number + 1) % settings.workers == 0:
            moments.append(time.perf_counter())
    return np.diff(moments).tolist()
