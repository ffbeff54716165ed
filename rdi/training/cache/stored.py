"""A cache to train from."""

from collections.abc import Sequence
from pathlib import Path

from rdi.orientation import sensor_view
from rdi.training.cache.entries import open_array
from rdi.training.cache.manifest import Manifest, PairEntry
from rdi.training.recorded import RecordedPair


class StoredPairs:
    """A `PairStore` of a cache.

    A pair's arrays are mapped when it is asked for and let go of with it: of the files only the crop is read, what was
    read stays in the system's page cache and not in this process, and no more files are open than are looked at.
    """

    crops_in_a_row = 1
    damaged = ()  # those were left out when the cache was made

    def __init__(self, cache: Path, manifest: Manifest, pairs: Sequence[PairEntry]) -> None:
        """pairs: of the manifest, usually all of a split."""
        self._cache = cache
        self._manifest = manifest
        self._pairs = pairs
        self.cfa = manifest.cfa

    @property
    def names(self) -> list[str]:
        """Of the dark files, without folders."""
        return [Path(pair.mosaic).name for pair in self._pairs]

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> RecordedPair:
        """Map a pair's arrays; raises TrainingDataError for files that are missing or of another size."""
        pair = self._pairs[index]
        mosaic, target = self._manifest.mosaics[pair.mosaic], self._manifest.targets[pair.target]
        photo = mosaic.raw_photo(open_array(self._cache, mosaic.array))
        picture = open_array(self._cache, target.array)
        if target.upright:
            picture = sensor_view(picture, photo.orientation)
        return RecordedPair(photo, picture, pair.ratio, pair.place, mosaic.sums)
