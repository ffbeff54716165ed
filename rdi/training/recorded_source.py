"""Recorded pairs as a source of the training loop: SID and the user's own, from their files or from a cache."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rdi.camera.cfa import Cfa
from rdi.camera.reading import read_photo
from rdi.errors import MemoryLimitError, MissingPackageError, RdiError, TrainingDataError, UsageError
from rdi.isolated import PHOTO_READING, IsolatedProcess
from rdi.protocol import Capture
from rdi.training.amplification_table import Amplified
from rdi.training.cache.manifest import Manifest, model_cfa
from rdi.training.cache.opening import open_cache
from rdi.training.cache.stored import StoredPairs
from rdi.training.choices import Camera
from rdi.training.decoded import DecodedPairs
from rdi.training.isolated_files import call_isolated
from rdi.training.own_pairs import read_own_pairs
from rdi.training.pairs import SplitPairs, summary_of
from rdi.training.recorded import PairCrops, PairStore, captures
from rdi.training.settings import Places, TrainingSettings
from rdi.training.sid import kind_of, read_sid

TRAINING, VALIDATION = "train", "val"


class RecordedSource:
    """Dark frames with bright pictures of the same scenes."""

    def __init__(
        self,
        training: PairStore,
        validation: PairStore,
        settings: TrainingSettings,
        kind: str,
        skipped: tuple[str, ...],
    ) -> None:
        """kind: what the checkpoint calls the data; skipped: why pairs were left out, one line for each."""
        self.training, self.validating = training, validation
        self.settings = settings
        self.kind = kind
        self.cfa = training.cfa
        self.training_count, self.validation_count = len(training), len(validation)
        self.skipped = skipped

    @property
    def notes(self) -> list[str]:
        """What was left out, as far as it is known by now."""
        damaged = [*self.training.damaged, *self.validating.damaged]
        found = (
            [f"{len(damaged)} pair(s) left out that cannot be decoded, for example: {damaged[0]}"] if damaged else []
        )
        return [*summary_of(self.skipped), *found]

    def dataset(self) -> PairCrops:
        """Random crops, turned at random, that keep the pattern's phase."""
        return PairCrops(self.training, self.settings)

    def validation(self, count: int) -> Iterable[Capture]:
        """Full frames of the validation pairs, evenly spread over them, amplified as the settings say."""
        total = len(self.validating)
        chosen = sorted({index * total // min(count, total) for index in range(min(count, total))})
        return captures(self.validating, chosen, self.settings)

    def describe(self) -> dict[str, Any]:
        """Data, how many of them, and how they were amplified."""
        return {
            "data": self.kind,
            "pairs": self.training_count,
            "names_sha256": names_digest(self.training.names),
            "pairs_left_out": len(self.skipped),
            "amplification": str(self.settings.amplification),
            "validation": "full frames of the validation pairs, amplified likewise",
        }

    def amplified(self, split: str) -> Iterator[Amplified]:
        """Rows of the table of amplifications of a split, train or val; without a cache decodes all of it."""
        store = self.training if split == TRAINING else self.validating
        for index in range(len(store)):
            pair = store[index]
            yield Amplified(str(pair.photo.path), pair.ratio, pair.counted_sums)


def open_recorded(places: Places, settings: TrainingSettings) -> RecordedSource:
    """The source that `--sid`, `--pairs` and `--cache` name.

    With a cache, only crops of it are read; where the data's folder is given too, the cache has to belong to it.
    Raises TrainingDataError for data that cannot be used, and for a cache that is not whole or of other data.
    """
    data = _read(places, settings)
    if places.cache:
        manifest = open_cache(places.cache, data)
        _require_trainable(places.cache, manifest, settings)
        return _of_cache(places.cache, manifest, settings)
    assert data is not None
    return _of_files(data, settings)


def names_digest(names: Iterable[str]) -> str:
    """What tells one set of data from another, wherever it lies: a hash of its files' names in order, 16 digits."""
    return hashlib.sha256("\n".join(names).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _read(places: Places, settings: TrainingSettings) -> SplitPairs | None:
    if places.sid:
        return read_sid(places.sid, Camera(settings.camera), skip_missing=settings.skip_missing)
    if places.pairs:
        return read_own_pairs(places.pairs, skip_missing=settings.skip_missing)
    return None


def _require_trainable(cache: Path, manifest: Manifest, settings: TrainingSettings) -> None:
    if settings.camera is Camera.FUJI and manifest.kind != kind_of(Camera.FUJI):
        raise UsageError(f"--camera fuji does not fit: {cache} was made of {manifest.kind}; leave it out")
    for split in (TRAINING, VALIDATION):
        if not manifest.splits.get(split):
            raise TrainingDataError(
                f"{cache} holds no pairs of {split}; run `rdi prepare` on it again with --splits train,val"
            )


def _of_cache(cache: Path, manifest: Manifest, settings: TrainingSettings) -> RecordedSource:
    training, validation = (
        StoredPairs(cache, manifest, settings.limited(manifest.splits[split])) for split in (TRAINING, VALIDATION)
    )
    return RecordedSource(training, validation, settings, manifest.kind, manifest.skipped)


def _of_files(data: SplitPairs, settings: TrainingSettings) -> RecordedSource:
    cfa = _pattern(data)
    training, validation = (
        DecodedPairs(settings.limited(data.splits[split]), cfa, skip_missing=settings.skip_missing)
        for split in (TRAINING, VALIDATION)
    )
    return RecordedSource(training, validation, settings, data.kind, data.skipped)


def _pattern(data: SplitPairs) -> Cfa:
    """The phase of the model by the first dark file that can be read."""
    problem: RdiError | None = None
    with IsolatedProcess(PHOTO_READING) as process:
        for pair in data.splits[TRAINING]:
            try:
                return model_cfa(call_isolated(process, read_photo, pair.dark).cfa)
            except (MissingPackageError, MemoryLimitError):  # not of the file: the next one would fare no better
                raise
            except RdiError as error:
                problem = problem or TrainingDataError(f"{pair.place}: {error}")
    raise problem or TrainingDataError(f"{data.kind} has no pair to train on")
