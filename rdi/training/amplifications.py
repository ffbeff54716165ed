"""The tables of amplifications that a run was asked for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

from rdi.errors import UsageError
from rdi.training.amplification_table import Amplified, write_amplifications
from rdi.training.setting_fields import option_name
from rdi.training.settings import Places, TrainingSettings


@runtime_checkable
class Recorded(Protocol):
    """A source of real photos, each of them with an exposure ratio of its own."""

    def amplified(self, split: str) -> Iterator[Amplified]:
        """A row for each dark photo of a split: train or val."""


def require_tables(source: object, places: Places) -> None:
    """Before a run begins: raises UsageError where the places name tables of a source whose captures are simulated."""
    for name, _, _ in _wanted(places):
        if not isinstance(source, Recorded):
            raise UsageError(
                f"{option_name(name)} is of use with recorded photos only (--sid, --pairs, --cache); leave it out"
            )


def write_wanted_tables(
    source: object, places: Places, settings: TrainingSettings, *, only_missing: bool = False
) -> None:
    """Write the tables that the places name, or those of them that are not there yet; errors of `require_tables`."""
    require_tables(source, places)
    for _, split, path in _wanted(places):
        if isinstance(source, Recorded) and not (only_missing and path.exists()):
            write_amplifications(source.amplified(split), settings.m, path)


def _wanted(places: Places) -> Iterator[tuple[str, str, Path]]:
    """(setting, split, file) of each table."""
    for name, split in (("train_amplification_file", "train"), ("validation_amplification_file", "val")):
        if (path := getattr(places, name)) is not None:
            yield name, split, path
