"""Open a cache: is it whole, and made of the data that it should be made of?"""

from pathlib import Path

from rdi.errors import TrainingDataError
from rdi.training.cache.manifest import Manifest, read_manifest
from rdi.training.pairs import SplitPairs


def open_cache(cache: Path, data: SplitPairs | None = None) -> Manifest:
    """Open a cache and look at the size of each of its files.

    data: the data set that it should have been made of; its files are compared by size and time
    Raises TrainingDataError for a cache that is no cache, not finished, damaged, made of other data or of files that
    have changed since.
    """
    manifest = read_manifest(cache)
    if not manifest.complete:
        raise TrainingDataError(
            f"{cache} is not finished; go on with the `rdi prepare` that was broken off (it keeps what is done)"
        )
    if data:
        _require_same(cache, manifest, data)
    for entry in manifest.entries:
        _require_size(cache / entry.array.file, entry.array.bytes)
    return manifest


def _require_size(path: Path, expected: int) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise TrainingDataError(f"{path} of the cache is missing; `rdi prepare` makes it again") from error
    if size != expected:
        raise TrainingDataError(
            f"{path} of the cache is damaged: {size:,} bytes instead of {expected:,}; `rdi prepare` makes it again"
        )


def _require_same(cache: Path, manifest: Manifest, data: SplitPairs) -> None:
    again = "run `rdi prepare` with this data and this cache: it decodes only what is new"
    if manifest.kind != data.kind:
        raise TrainingDataError(f"{cache} was made of {manifest.kind}, not of {data.kind}; give the cache of this data")
    for split, pairs in data.splits.items():
        held = [(pair.mosaic, pair.target) for pair in manifest.splits.get(split, ())]
        wanted = [(data.name_of(pair.dark), data.name_of(pair.bright)) for pair in pairs]
        if manifest.skipped:  # files that turned out to be damaged when they were decoded
            wanted = [names for names in wanted if names in held]
        if wanted != held:
            raise TrainingDataError(f"{cache} holds other pairs than {data.root} names for {split}; {again}")
    for entry in manifest.entries:
        if not entry.source.is_unchanged(data.root / entry.source.name):
            raise TrainingDataError(f"{data.root / entry.source.name} has changed since {cache} was made; {again}")
