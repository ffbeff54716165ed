"""How much each recorded photo is amplified: by the amplifier alone, by its exposure ratio, by the estimate with m."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

from rdi.amplifier import count_raw_values, estimate_amplification
from rdi.atomic import atomic_path
from rdi.camera.photo import RawPhoto
from rdi.errors import UsageError
from rdi.training.settings import Places, TrainingSettings, option_name

COLUMNS = ("photo", "base", "gt", "estimated")


@runtime_checkable
class Recorded(Protocol):
    """A source of real photos, each of them with an exposure ratio of its own."""

    def recorded(self, split: str) -> Iterator[tuple[str, RawPhoto, float]]:
        """Name, dark photo and exposure ratio (at most 300) of each; split: train or val."""


def write_amplifications(source: object, places: Places, settings: TrainingSettings) -> None:
    """Write the tables that were asked for.

    base: Eq. 5 with m = 1; gt: long / short exposure; estimated: Eq. 5 with the settings' m; all in [1, 300].
    Raises UsageError for a source whose captures are simulated.
    """
    for name, split in (("train_amplification_file", "train"), ("validation_amplification_file", "val")):
        path: Path | None = getattr(places, name)
        if path is None:
            continue
        if not isinstance(source, Recorded):
            raise UsageError(f"{option_name(name)} is of use with recorded photos only (--sid, --pairs); leave it out")
        with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for photo, raw, ratio in source.recorded(split):
                writer.writerow([photo, *(f"{value:.4f}" for value in _factors(raw, ratio, settings.m))])


def _factors(photo: RawPhoto, ratio: float, m: float) -> tuple[float, float, float]:
    counts = count_raw_values(photo)
    base, estimated = (
        estimate_amplification(counts, photo.black_level, photo.white_level, factor) for factor in (1, m)
    )
    return base, ratio, estimated
