"""Several sources in one run: each sample comes from one of them, by their shares."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any

from rdi.errors import UsageError
from rdi.protocol import Capture
from rdi.training.amplifications import Recorded
from rdi.training.sample import Sample, Samples

if TYPE_CHECKING:
    from rdi.training.amplification_table import Amplified
    from rdi.training.sources import Source


def shares_of(names: Iterable[str], mix: Mapping[str, float]) -> dict[str, float]:
    """The share of each source, adding up to 1: as `--mix` says, or equal ones.

    mix: source -> weight above 0, for each of the names; empty for equal shares
    Raises UsageError for names that are no source of this run, sources without a share, and weights of 0 or less.
    """
    names = list(names)
    if not mix:
        return dict.fromkeys(names, 1 / len(names))
    given = ", ".join(f"--{name}" for name in names)
    for name in mix:
        if name not in names:
            raise UsageError(f"--mix names {name}, which this run does not have; give shares of {given}")
    missing = [name for name in names if name not in mix]
    if missing:
        raise UsageError(f"--mix has no share of {missing[0]}; give one for each of {given}")
    if not all(0 < weight < float("inf") for weight in mix.values()):
        raise UsageError(f"--mix {dict(mix)} has a share that is not above 0; leave such a source away")
    total = sum(mix.values())
    return {name: mix[name] / total for name in names}


class MixedCrops(Samples):
    """Samples of several datasets, spread as evenly as their shares allow: of any n in a row, n * share, within one.

    Each dataset is asked for its samples 0, 1, 2... in this order, so that it goes through its pairs as it does alone.
    """

    def __init__(self, datasets: Mapping[str, Samples], shares: Mapping[str, float]) -> None:
        """All datasets have the same length: one sample for each image of the run."""
        self.datasets = dict(datasets)
        self._length: int = min(len(dataset) for dataset in self.datasets.values())  # type: ignore[arg-type]
        # Fractions, since a rounded product would be off by one sample somewhere in a long run.
        left, self._splits = Fraction(1), []
        for name in self.datasets:
            share = Fraction(shares[name]).limit_denominator(10_000)
            self._splits.append((name, min(share / left, Fraction(1)) if left else Fraction(0)))
            left = max(left - share, Fraction(0))

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Sample:
        """Sample i, of the source whose turn it is."""
        name, own = self.source_of(index)
        return self.datasets[name][own]

    def source_of(self, index: int) -> tuple[str, int]:
        """Which source sample i comes from, and which sample of that source it is."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        for name, share in self._splits[:-1]:
            before = math.floor(index * share)
            if math.floor((index + 1) * share) > before:
                return name, before
            index -= before
        return self._splits[-1][0], index

    def describe(self, index: int) -> str:
        """Where sample i comes from."""
        name, own = self.source_of(index)
        describe = getattr(self.datasets[name], "describe", None)
        return f"{name}: {describe(own)}" if describe else f"{name}, sample {own}"


class MixedSource:
    """Sources whose mosaics have one pattern, by name (photos, sid, pairs, cache), and the share of each."""

    def __init__(self, sources: Mapping[str, "Source"], mix: Mapping[str, float]) -> None:
        """Raises UsageError for sources of different patterns and for shares that do not fit."""
        self.sources = dict(sources)
        self.shares = shares_of(self.sources, mix)
        patterns = {name: source.cfa for name, source in self.sources.items()}
        if len(set(patterns.values())) > 1:
            said = ", ".join(f"--{name} gives {cfa}" for name, cfa in patterns.items())
            raise UsageError(f"one network reads one pattern, but {said}; train on them apart")
        self.cfa = next(iter(patterns.values()))
        self._sum_up()

    def dataset(self) -> MixedCrops:
        """One sample for each image of the run, from each source by its share."""
        crops = MixedCrops({name: source.dataset() for name, source in self.sources.items()}, self.shares)
        self._sum_up()
        return crops

    def validation(self, count: int) -> Iterator[Capture]:
        """Full frames of each source in equal numbers, at least one of each, one source after the other."""
        each = max(count // len(self.sources), 1)
        for name, source in self.sources.items():
            for capture in source.validation(each):
                yield replace(capture, name=f"{name}-{capture.name}", source=name)

    def describe(self) -> dict[str, Any]:
        """Each source's own description, with its share."""
        parts = {
            name: {"share": round(self.shares[name], 4), **source.describe()} for name, source in self.sources.items()
        }
        return {"data": "a mix of " + " and ".join(self.sources), "sources": parts}

    def amplified(self, split: str) -> Iterator["Amplified"]:
        """Rows of the table of amplifications, of those sources that are recorded."""
        recorded = [source for source in self.sources.values() if isinstance(source, Recorded)]
        return chain.from_iterable(source.amplified(split) for source in recorded)

    @property
    def notes(self) -> list[str]:
        """The shares, and what each source has to say by now."""
        shares = ", ".join(f"{name} {share:.0%}" for name, share in self.shares.items())
        notes = [f"{name}: {note}" for name, source in self.sources.items() for note in source.notes]
        return [f"a mix of {shares}", *notes]

    def _sum_up(self) -> None:
        """Counts of all sources; opening their data may change them."""
        sources = self.sources.values()
        self.training_count = sum(source.training_count for source in sources)
        self.validation_count = sum(source.validation_count for source in sources)
