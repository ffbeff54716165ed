"""Recorded pairs as a dataset: crops of dark mosaics and of the bright pictures to make of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from rdi.amplifier import WeightedSums, count_raw_values, weighted_sums
from rdi.camera.cfa import Cfa
from rdi.camera.photo import RawPhoto
from rdi.errors import TrainingDataError
from rdi.levels import to_light
from rdi.metadata import WhiteBalance
from rdi.protocol import Capture
from rdi.training.choices import Amplification
from rdi.training.pairs import size_mismatch
from rdi.training.sample import Sample, Samples
from rdi.training.settings import TrainingSettings
from rdi.training.targets import WHITE
from rdi.training.windows import Window, draw_window


@dataclass(frozen=True, eq=False)
class RecordedPair:
    """A dark photo and its bright picture, decoded; both may be mapped files of which nothing was read yet.

    photo:  the dark raw photo
    target: (H, W, 3) uint16 sRGB, in the place and the direction of the mosaic
    ratio:  bright / dark exposure, at most 300; None where it is not known: then the amplifier has to estimate
    sums:   of Eq. 5 over the whole frame; None: to be counted when needed
    place:  where the pair is named
    """

    photo: RawPhoto
    target: NDArray[np.uint16]
    ratio: float | None
    place: str
    sums: WeightedSums | None = None

    def __post_init__(self) -> None:
        if self.target.shape[:2] != self.photo.mosaic.shape:
            raise TrainingDataError(size_mismatch(self.place, self.target.shape[:2], self.photo.mosaic.shape))

    def amplification(self, settings: TrainingSettings) -> float:
        """What the mosaic is multiplied by: the exposure ratio, or the amplifier's estimate with m before its clip."""
        if settings.amplification is Amplification.GT and self.ratio is not None:
            return self.ratio
        return self.counted_sums.amplification(settings.m)

    @cached_property
    def counted_sums(self) -> WeightedSums:
        """The sums of Eq. 5, counted if nobody has yet."""
        photo = self.photo
        return self.sums or weighted_sums(count_raw_values(photo), photo.black_level, photo.white_level)


class PairStore(Protocol):
    """Where decoded pairs come from.

    cfa:     phase that crops begin with: RGGB or XTRANS
    names:   of the dark files, without folders
    damaged: where pairs are named that could not be decoded and were left out so far
    crops_in_a_row: how many samples that follow each other should come from one pair; 1 where opening one is cheap
    """

    cfa: Cfa
    crops_in_a_row: int

    @property
    def names(self) -> Sequence[str]:
        """In the order of the pairs."""

    @property
    def damaged(self) -> Sequence[str]:
        """Places, as in `Pair`."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> RecordedPair: ...


class PairCrops(Samples):
    """Sample i is the same whoever asks for it: all about it follows from (settings, seed, i).

    The pairs are gone through in a new random order each time, so that every one is seen as often as the others and
    the crops of a batch come from different frames, as far as the store allows.
    """

    def __init__(self, store: PairStore, settings: TrainingSettings) -> None:
        self.store = store
        self.settings = settings

    def __len__(self) -> int:
        return self.settings.steps * self.settings.batch

    def __getitem__(self, index: int) -> Sample:
        """Sample i; its target's colours are LibRaw's, clipped, or those of a finished picture."""
        pair, window = self._draw(index)
        photo = pair.photo
        gains = window.site_values(photo.gains) if self.settings.white_balance is WhiteBalance.INPUT else None
        inputs = to_light(
            window.cut(photo.mosaic),
            self.store.cfa,
            window.site_values(photo.black_level),
            photo.white_level,
            pair.amplification(self.settings),
            gains,
            self.settings.below_black,
            self.settings.companding,
        )
        picture = np.ascontiguousarray(window.cut(pair.target).transpose(2, 0, 1)).astype(np.float32)
        picture /= WHITE
        matrix = torch.tensor(photo.camera_to_srgb, dtype=torch.float32)
        return Sample(torch.from_numpy(inputs)[None], torch.from_numpy(picture), matrix, torch.tensor(0.0))

    def describe(self, index: int) -> str:
        """Where sample i comes from: place, files, window, amplification, ISO and camera."""
        pair, window = self._draw(index)
        photo = pair.photo
        iso = "unknown" if photo.iso is None else f"{photo.iso:g}"
        return (
            f"{pair.place}: {photo.path}, {window.describe()}, amplification {pair.amplification(self.settings):.4g}, "
            f"ISO {iso}, {photo.camera}"
        )

    def _draw(self, index: int) -> tuple[RecordedPair, Window]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        seed, pairs = self.settings.seed, len(self.store)
        round_number, place = divmod(index // self.store.crops_in_a_row, pairs)
        order = np.random.default_rng((seed, round_number, 0)).permutation(pairs)
        pair = self.store[int(order[place])]
        photo, generator = pair.photo, np.random.default_rng((seed, index))
        if photo.cfa.period != self.store.cfa.period:
            raise TrainingDataError(
                f"{pair.place}: {photo.path} is {photo.cfa}, but the others are "
                f"{'X-Trans' if self.store.cfa is Cfa.XTRANS else 'Bayer'}; train on one kind at a time"
            )
        try:
            window = draw_window(
                photo.mosaic.shape,
                self.settings.crop,
                photo.cfa,
                photo.phase,
                self.store.cfa,
                generator,
                transposed=self.settings.transpose,
            )
            return pair, window
        except TrainingDataError as error:
            raise TrainingDataError(f"{pair.place}: {photo.path}: {error}") from error


def captures(pairs: PairStore, indices: Sequence[int], settings: TrainingSettings) -> Iterator[Capture]:
    """Whole frames with their targets; their ratio is the amplification that the settings ask for."""
    for index in indices:
        pair = pairs[index]
        name = pair.photo.path.name if pair.photo.path else pair.place
        yield Capture(name, pair.photo, pair.target.astype(np.float32) / WHITE, pair.amplification(settings))
