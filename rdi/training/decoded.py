"""Pairs decoded as they are asked for: training straight from the files."""

import logging
import os
import weakref
from collections.abc import Sequence
from multiprocessing.sharedctypes import RawArray

from rdi.camera.cfa import Cfa
from rdi.errors import MemoryLimitError, RdiError, TrainingDataError
from rdi.isolated import PHOTO_READING, IsolatedProcess
from rdi.orientation import sensor_view
from rdi.training.isolated_files import read_pair
from rdi.training.pairs import Pair, exposure_ratio
from rdi.training.recorded import RecordedPair

CROPS_IN_A_ROW = 8  # decoding a pair takes a hundred times longer than cropping it


class DecodedPairs:
    """A `PairStore` of files; keeps the pair decoded last, 100 MB for 12 megapixels.

    Each process that asks, the training one or a loader's worker, gets a process that decodes for it.

    skip_missing: where a pair turns out to be damaged, take the next one in its place, and count it
    """

    crops_in_a_row = CROPS_IN_A_ROW

    def __init__(self, pairs: Sequence[Pair], cfa: Cfa, *, skip_missing: bool = False) -> None:
        self.pairs = list(pairs)
        self.cfa = cfa
        self.skip_missing = skip_missing
        self._damaged = RawArray("b", len(self.pairs))  # 1: is; shared by all processes that decode
        self._last: tuple[int, RecordedPair] | None = None
        self._decoder: tuple[int, IsolatedProcess] | None = None

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def names(self) -> list[str]:
        """Of the dark files, without folders."""
        return [pair.dark.name for pair in self.pairs]

    @property
    def damaged(self) -> list[str]:
        """Where those pairs are named that turned out to be damaged so far, in whichever process."""
        return [pair.place for pair, damaged in zip(self.pairs, self._damaged, strict=True) if damaged]

    def __getitem__(self, index: int) -> RecordedPair:
        """Decode a pair; raises TrainingDataError that names the list's line and the file."""
        if self._last is None or self._last[0] != index:
            self._last = None  # before the next one is made: two would not fit where one does
            self._last = index, self._decode(index)
        return self._last[1]

    def __getstate__(self) -> dict[str, object]:
        """What a loader's worker is started with, where workers are not forks."""
        return {**self.__dict__, "_last": None, "_decoder": None}

    def _decode(self, index: int) -> RecordedPair:
        for offset in range(len(self.pairs)):
            number = (index + offset) % len(self.pairs)
            if self._damaged[number]:
                continue
            try:
                return decode_pair(self.pairs[number], self._process())
            except TrainingDataError as error:
                if not self.skip_missing:
                    raise
                self._damaged[number] = 1
                logging.getLogger(__name__).warning("left out: %s", error)
        raise TrainingDataError(f"none of {len(self.pairs)} pair(s) can be decoded")

    def _process(self) -> IsolatedProcess:
        """The process that decodes for this one: a fork must not speak through its parent's pipes."""
        if self._decoder is None or self._decoder[0] != os.getpid():
            process = IsolatedProcess(PHOTO_READING)
            weakref.finalize(self, _close, process, os.getpid())
            self._decoder = os.getpid(), process
        return self._decoder[1]


def decode_pair(pair: Pair, process: IsolatedProcess) -> RecordedPair:
    """Read both files of a pair.

    Raises TrainingDataError with the pair's place for one that cannot be read, MemoryLimitError where memory is short.
    """
    try:
        photo, target = read_pair(process, pair.dark, pair.bright)
    except MemoryLimitError:  # not of the file: nobody may leave it out for that
        raise
    except RdiError as error:
        raise TrainingDataError(f"{pair.place}: {error}") from error
    picture = sensor_view(target.picture, photo.orientation) if target.upright else target.picture
    dark = photo.exposure_time * photo.iso if photo.exposure_time and photo.iso else None
    return RecordedPair(photo, picture, pair.ratio or exposure_ratio(dark, target.exposure, pair), pair.place)


def _close(process: IsolatedProcess, owner: int) -> None:
    if os.getpid() == owner:
        process.close()
