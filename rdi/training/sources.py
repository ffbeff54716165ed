"""Where training pairs come from: all sources look the same to the loop."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor
from torch.utils.data import Dataset

from rdi import protocol
from rdi.errors import UsageError
from rdi.protocol import Capture
from rdi.training.captures import SimulatedCaptures, pattern_of, sensor_pool
from rdi.training.photos import PhotoShelf, split_photos
from rdi.training.settings import Places, TrainingSettings
from rdi.training.sid import SidCrops, read_pairs, validation_captures

VALIDATION_RATIO = 100.0  # of simulated captures


class Source(Protocol):
    """A set of training pairs, and full frames that are never trained on."""

    training_count: int
    validation_count: int
    notes: list[str]  # what a user should know of the data, once `dataset` was called

    def dataset(self) -> Dataset[tuple[Tensor, Tensor]]:
        """One sample for each image of the whole run: (1, crop, crop) input, (3, crop, crop) target."""

    def validation(self, count: int) -> Iterable[Capture]:
        """Up to `count` full frames that are never trained on."""

    def describe(self) -> dict[str, Any]:
        """What the checkpoint says of the data."""


def open_source(places: Places, settings: TrainingSettings) -> Source:
    """The source that the places name; raises UsageError for those that exclude each other or name nothing."""
    if places.photos and places.sid:
        raise UsageError("--photos and --sid exclude each other; give one of them")
    if places.photos:
        return PhotoSource(places.photos, settings)
    if places.sid:
        return SidSource(places.sid, settings)
    raise UsageError("nothing to train on; give --photos DIR or --sid DIR")


class PhotoSource:
    """Simulated captures of a folder of ordinary photos."""

    def __init__(self, folder: Path, settings: TrainingSettings) -> None:
        """Raises UsageError for a sensor that is unknown or has another pattern than the model."""
        self.settings = settings
        self.notes: list[str] = []
        self.cfa, self._sensors = pattern_of(settings), sensor_pool(settings)
        self._training, self._validation = split_photos(folder)
        self.training_count, self.validation_count = len(self._training), len(self._validation)

    def dataset(self) -> Dataset[tuple[Tensor, Tensor]]:
        """Random crops under random light, ISO and exposure ratio."""
        shelf = PhotoShelf(self._training, smallest=self.settings.crop)
        self.training_count = len(shelf)
        self.notes = shelf.notes
        return SimulatedCaptures(shelf, self.settings)

    def validation(self, count: int) -> Iterable[Capture]:
        """The quality protocol's captures at ratio 100."""
        return protocol.captures(self._validation[:count], VALIDATION_RATIO)

    def describe(self) -> dict[str, Any]:
        """Data and how many of them."""
        return {
            "data": "simulated captures of photos",
            "sensors": self._sensors[0].name if len(self._sensors) == 1 else f"{len(self._sensors)}, at random",
            "photos": self.training_count,
            "validation": f"quality protocol at ISO {protocol.ISO:g}, true ratio {VALIDATION_RATIO:g}",
        }


class SidSource:
    """The Sony part of the See-in-the-Dark dataset."""

    def __init__(self, folder: Path, settings: TrainingSettings) -> None:
        self.settings = settings
        self.notes: list[str] = []
        self._training, self._validation = read_pairs(folder, "train"), read_pairs(folder, "val")
        self.training_count, self.validation_count = len(self._training), len(self._validation)

    def dataset(self) -> Dataset[tuple[Tensor, Tensor]]:
        """Random Bayer-preserving crops of the pairs."""
        return SidCrops(self._training, self.settings)

    def validation(self, count: int) -> Iterable[Capture]:
        """Full frames of the validation list with their true ratio."""
        return validation_captures(self._validation[:count])

    def describe(self) -> dict[str, Any]:
        """Data and how many of them."""
        return {
            "data": "See-in-the-Dark (SID), Sony part",
            "pairs": self.training_count,
            "validation": "full frames of the validation list, true ratio",
        }
