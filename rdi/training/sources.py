"""Where training pairs come from: all sources look the same to the loop."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from rdi import protocol
from rdi.camera.cfa import Cfa
from rdi.errors import UsageError
from rdi.protocol import Capture
from rdi.simulate import Sensor
from rdi.training.cache.manifest import read_manifest
from rdi.training.captures import SimulatedCaptures, pattern_of, sensor_pool
from rdi.training.mix import MixedSource, shares_of
from rdi.training.own_pairs import KIND as OWN_PAIRS
from rdi.training.photos import PhotoShelf, first_decodable, split_photos
from rdi.training.recorded_source import names_digest, open_recorded
from rdi.training.sample import Samples
from rdi.training.settings import Places, TrainingSettings

VALIDATION_RATIO = 100.0  # of simulated captures
VALIDATION_PIXELS = 6_000_000  # larger photos are halved: simulating a whole one takes up to 80 bytes a pixel


class Source(Protocol):
    """A set of training pairs, and full frames that are never trained on."""

    training_count: int
    validation_count: int
    cfa: Cfa  # phase of the mosaics that the network sees: RGGB or XTRANS

    @property
    def notes(self) -> list[str]:
        """What a user should know of the data, once `dataset` was called; reading them may add to it."""

    def dataset(self) -> Samples:
        """One sample for each image of the whole run: (1, crop, crop) input, (3, crop, crop) target."""

    def validation(self, count: int) -> Iterable[Capture]:
        """Up to `count` full frames that are never trained on."""

    def describe(self) -> dict[str, Any]:
        """What the checkpoint says of the data."""


def open_source(places: Places, settings: TrainingSettings) -> Source:
    """The source that the places name, or a mix of several; raises UsageError for those that do not go together."""
    sources: dict[str, Source] = {}
    for name, part in _recorded_parts(places).items():
        sources[name] = open_recorded(part, settings)
    if places.photos:
        pattern = next(iter(sources.values())).cfa if sources else None
        sources["photos"] = PhotoSource(places.photos, settings, pattern)
    if not sources:
        raise UsageError("nothing to train on; give --photos DIR, --sid DIR, --pairs DIR or --cache DIR")
    if len(sources) > 1:
        return MixedSource(sources, settings.mix)
    shares_of(sources, settings.mix)
    return next(iter(sources.values()))


def _recorded_parts(places: Places) -> dict[str, Places]:
    """What is recorded, by name. A cache belongs to the folder of its kind of data, or else is a source of its own."""
    folders = {"sid": places.sid, "pairs": places.pairs}
    parts = {name: Places(**{name: folder}) for name, folder in folders.items() if folder}
    if places.cache:
        owner = "pairs" if read_manifest(places.cache).kind == OWN_PAIRS else "sid"
        name = owner if owner in parts else "cache"
        parts[name] = replace(parts.get(name, Places()), cache=places.cache)
    return parts


class PhotoSource:
    """Simulated captures of a folder of ordinary photos."""

    def __init__(self, folder: Path, settings: TrainingSettings, cfa: Cfa | None = None) -> None:
        """cfa: the model's pattern, where something else decides it; by default as the settings say.

        Raises UsageError for a sensor that is unknown or has another pattern than the model.
        """
        self.settings = settings
        self.notes = list[str]()
        self.cfa = cfa or pattern_of(settings)
        self._sensors = sensor_pool(settings, self.cfa)
        training, validation = split_photos(folder, settings.leave_out)
        self._left_out = len(split_photos(folder)[0]) - len(training)
        self._training, self._validation = settings.limited(training), settings.limited(validation)
        self.training_count, self.validation_count = len(self._training), len(self._validation)

    def dataset(self) -> Samples:
        """Random crops under random light, ISO and exposure ratio.

        Raises TrainingDataError where no photo can be trained on, or none of those held out can be decoded.
        """
        shelf = PhotoShelf(self._training, smallest=self.settings.crop)
        self.training_count = len(shelf)
        self._validation, damaged = first_decodable(
            self._validation, self.settings.validation_frames, VALIDATION_PIXELS
        )
        self.validation_count -= len(damaged)
        held_out = f"{len(damaged)} photo(s) held out for validation are left out, for example: "
        self.notes = shelf.notes + [held_out + problem for problem in damaged[:1]]
        if self.settings.leave_out:
            self.notes.append(f"--leave-out {','.join(self.settings.leave_out)}: {self._left_out} photo(s)")
        return SimulatedCaptures(shelf, self.settings, self.cfa)

    def validation(self, count: int) -> Iterable[Capture]:
        """The quality protocol's captures at ratio 100, in the model's pattern."""
        sensor, photos = Sensor(cfa=self.cfa), self._validation[:count]
        return protocol.captures(photos, VALIDATION_RATIO, sensor=sensor, max_pixels=VALIDATION_PIXELS)

    def describe(self) -> dict[str, Any]:
        """Data and how many of them."""
        return {
            "data": "simulated captures of photos",
            "sensors": self._sensors[0].name if len(self._sensors) == 1 else f"{len(self._sensors)}, at random",
            "photos": self.training_count,
            "names_sha256": names_digest(photo.name for photo in self._training),
            "validation": f"quality protocol at ISO {protocol.ISO:g}, true ratio {VALIDATION_RATIO:g}",
        }
