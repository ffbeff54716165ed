"""The tables of amplifications that a run was asked for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

from rdi.errors import UsageError
from rdi.training.amplification_table import Amplified, write_amplifications
from rdi.training.settings import Places, TrainingSettings, option_name


@runtime_checkable
class Recorded(Protocol):
    """A source of real photos, each of them with an exposure ratio of its own."""

    def amplified(self, split: str) -> Iterator[Amplified]:
        """A row for each dark photo of a split: train or val."""


def write_wanted_tables(
    source: object, places: Places, settings: TrainingSettings, *, only_missing: bool = False
) -> None:
    """Write the tables that the places name, or those of them that are not there yet.

    Raises UsageError for a source whose captures are simulated.
    """
    for name, split in (("train_amplification_file", "train"), ("validation_amplification_file", "val")):
        path: Path | None = getattr(places, name)
        if path is None or (only_missing and path.exists()):
            continue
        if not isinstance(source, Recorded):
            raise UsageError(f"{option_name(name)} is of use with recorded photos only (--sid, --pairs); leave it out")
        write_amplifications(source.amplified(split), settings.m, path)
