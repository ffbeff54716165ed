"""The cache's table of contents: which pairs it holds, and whether it is whole."""

import hashlib
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rdi.atomic import atomic_path
from rdi.camera.cfa import Cfa
from rdi.errors import InputError, LevelsError, TrainingDataError
from rdi.regular_file import read_regular
from rdi.strict_json import read_object
from rdi.training.cache.entries import MosaicEntry, TargetEntry

FORMAT = "rdi-cache-1"
MANIFEST = "manifest.json"
LARGEST = 1 << 30  # bytes; an entry takes a thousand
# What is raised for JSON of another shape, and for photos whose levels make no sense.
_DAMAGE = (OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError, LevelsError, InputError)
_AGAIN = "prepare it again with `rdi prepare`"


class DamagedManifestError(TrainingDataError):
    """A manifest that was changed or cut off."""


@dataclass(frozen=True)
class PairEntry:
    """A pair of the cache.

    mosaic, target: names of their source files
    ratio: bright / dark exposure, at most 300; None where it is not known
    place: where the pair is named
    """

    mosaic: str
    target: str
    ratio: float | None
    place: str


@dataclass(frozen=True)
class Manifest:
    """All that a cache holds.

    kind:     `SID, Sony part` or its like
    complete: False from the moment a preparation begins until it has ended well
    splits:   pairs by the name of the split
    mosaics, targets: entries by the name of the source file
    skipped:  why pairs were left out
    """

    kind: str
    complete: bool = False
    splits: dict[str, tuple[PairEntry, ...]] = field(default_factory=dict)
    mosaics: dict[str, MosaicEntry] = field(default_factory=dict)
    targets: dict[str, TargetEntry] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()

    @property
    def cfa(self) -> Cfa:
        """The phase that crops begin with: by the first mosaic; all are Bayer, or all X-Trans."""
        return model_cfa(Cfa(next(iter(self.mosaics.values())).photo["cfa"]))

    @property
    def entries(self) -> list[MosaicEntry | TargetEntry]:
        """Of all files."""
        return [*self.mosaics.values(), *self.targets.values()]

    @property
    def bytes(self) -> int:
        """Of all arrays."""
        return sum(entry.array.bytes for entry in self.entries)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "format": FORMAT,
            "kind": self.kind,
            "complete": self.complete,
            "splits": {name: [vars(pair) for pair in pairs] for name, pairs in self.splits.items()},
            "mosaics": {name: entry.to_dict() for name, entry in self.mosaics.items()},
            "targets": {name: entry.to_dict() for name, entry in self.targets.items()},
            "skipped": list(self.skipped),
        }


def model_cfa(cfa: Cfa) -> Cfa:
    """The phase of the model that frames of a pattern train: RGGB or XTRANS."""
    return Cfa.XTRANS if cfa is Cfa.XTRANS else Cfa.RGGB


def write_manifest(cache: Path, manifest: Manifest) -> None:
    """Write it, whole or not at all, with a hash of itself."""
    values = manifest.to_dict()
    with atomic_path(cache / MANIFEST) as temporary:
        temporary.write_text(json.dumps({**values, "sha256": _digest(values)}, indent=1), encoding="utf-8")


def read_manifest(cache: Path) -> Manifest:
    """Read it; TrainingDataError for a folder that is no cache, or of another version; DamagedManifestError."""
    file = cache / MANIFEST
    if not file.is_file():
        raise TrainingDataError(f"{cache} is no cache: it holds no {MANIFEST}; make one with `rdi prepare`")
    try:
        values = read_object(read_regular(file, LARGEST, "manifest"))
        written = values.pop("sha256", None)
        if values["format"] != FORMAT:
            raise TrainingDataError(
                f"{cache} has the format {values['format']!r}; this rdi reads {FORMAT!r}: update rdi, or {_AGAIN}"
            )
        if written != _digest(values):
            raise ValueError("its hash does not fit")
        manifest = Manifest(
            kind=str(values["kind"]),
            complete=bool(values["complete"]),
            splits={name: tuple(PairEntry(**pair) for pair in pairs) for name, pairs in values["splits"].items()},
            mosaics={name: MosaicEntry.from_dict(entry) for name, entry in values["mosaics"].items()},
            targets={name: TargetEntry.from_dict(entry) for name, entry in values["targets"].items()},
            skipped=tuple(map(str, values["skipped"])),
        )
        _require_usable(manifest)
        return manifest
    except _DAMAGE as error:
        raise DamagedManifestError(f"{file} is damaged ({error}); {_AGAIN}") from error


def _require_usable(manifest: Manifest) -> None:
    """What training would stumble over: photos with levels that make no sense, pairs of files that are not there.

    Raises ValueError, KeyError, LevelsError or InputError; a manifest whose hash fits was still written by anybody.
    """
    for mosaic in manifest.mosaics.values():
        mosaic.raw_photo(np.broadcast_to(np.uint16(0), mosaic.array.shape))  # takes no memory
    for entry in manifest.entries:
        if entry.array.bytes < 0 or min(entry.array.shape, default=0) < 1:
            raise ValueError(f"{entry.array.file} cannot have {entry.array.bytes} bytes of shape {entry.array.shape}")
    for pair in (pair for pairs in manifest.splits.values() for pair in pairs):
        if pair.mosaic not in manifest.mosaics or pair.target not in manifest.targets:
            raise ValueError(f"{pair.place} names files that are not in it")
        if pair.ratio is not None and not (isinstance(pair.ratio, int | float) and 0 < pair.ratio < math.inf):
            raise ValueError(f"{pair.place} has the ratio {pair.ratio!r}")


def _digest(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
