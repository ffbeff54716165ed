"""Where training pairs come from: all sources look the same to the loop."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor
from torch.utils.data import Dataset

from rdi import protocol
from rdi.camera.cfa import Cfa
from rdi.errors import UsageError
from rdi.protocol import Capture
from rdi.training.captures import SimulatedCaptures, pattern_of, sensor_pool
from rdi.training.photos import PhotoShelf, split_photos
from rdi.training.recorded_source import open_recorded
from rdi.training.settings import Places, TrainingSettings

VALIDATION_RATIO = 100.0  # of simulated captures


class Source(Protocol):
    """A set of training pairs, and full frames that are never trained on."""

    training_count: int
    validation_count: int
    cfa: Cfa  # phase of the mosaics that the network sees: RGGB or XTRANS
    notes: list[str]  # what a user should know of the data, once `dataset` was called

    def dataset(self) -> Dataset[tuple[Tensor, Tensor]]:
        """One sample for each image of the whole run: (1, crop, crop) input, (3, crop, crop) target."""

    def validation(self, count: int) -> Iterable[Capture]:
        """Up to `count` full frames that are never trained on."""

    def describe(self) -> dict[str, Any]:
        """What the checkpoint says of the data."""


def open_source(places: Places, settings: TrainingSettings) -> Source:
    """The source that the places name; raises UsageError for those that exclude each other or name nothing."""
    if places.sid and places.pairs:
        raise UsageError("--sid and --pairs exclude each other; give one of them")
    recorded = places.sid or places.pairs or places.cache
    if places.photos and recorded:
        raise UsageError("--photos and --sid exclude each other; give one of them")
    if places.photos:
        return PhotoSource(places.photos, settings)
    if recorded:
        return open_recorded(places, settings)
    raise UsageError("nothing to train on; give --photos DIR, --sid DIR, --pairs DIR or --cache DIR")


class PhotoSource:
    """Simulated captures of a folder of ordinary photos."""

    def __init__(self, folder: Path, settings: TrainingSettings) -> None:
        """Raises UsageError for a sensor that is unknown or has another pattern than the model."""
        self.settings = settings
        self.cfa = Cfa.RGGB
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
