"""The See-in-the-Dark dataset (Chen et al., CVPR 2018), Sony part: short and long exposures of the same scenes.

`Sony_train_list.txt` and `Sony_val_list.txt` name the pairs, one a line:
`./Sony/short/00001_00_0.04s.ARW ./Sony/long/00001_00_10s.ARW ISO200 F8`; exposure times stand in the file names.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from rdi.camera.cfa import Cfa, shift_to
from rdi.camera.photo import RawPhoto, shift_sites
from rdi.camera.reading import read_photo
from rdi.errors import TrainingDataError
from rdi.levels import to_light
from rdi.metadata import WhiteBalance
from rdi.protocol import Capture
from rdi.training.settings import TrainingSettings

HIGHEST_RATIO = 300.0
CROPS_PER_PAIR = 8  # crops in a row from one decoded pair: decoding takes a hundred times longer than cropping
_EXPOSURE = re.compile(r"_(\d+(?:\.\d+)?)s\.\w+$")


@dataclass(frozen=True)
class SidPair:
    """A short exposure, the long one of the same scene, and long / short (capped at 300)."""

    short: Path
    long: Path
    ratio: float


def read_pairs(folder: Path, split: str) -> list[SidPair]:
    """The pairs of Sony_{split}_list.txt, which lies beside the Sony folder.

    folder: holds `Sony/` and the lists
    Raises TrainingDataError that names the line for one that cannot be read or whose file is missing.
    """
    file = folder / f"Sony_{split}_list.txt"
    if not file.is_file():
        raise TrainingDataError(f"{file} is missing; give the folder that holds Sony/ and its lists with --sid")
    lines = file.read_text(encoding="utf-8").splitlines()
    pairs = [_read_line(folder, file, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not pairs:
        raise TrainingDataError(f"{file} names no pair")
    return pairs


def _read_line(folder: Path, file: Path, number: int, line: str) -> SidPair:
    names = line.split()[:2]
    exposures = [_EXPOSURE.search(name) for name in names]
    if len(names) < 2 or not all(exposures):
        raise TrainingDataError(f"{file}, line {number}: {line[:80]!r} does not name two files with exposure times")
    paths = [folder / name for name in names]
    for path in paths:
        if not path.is_file():
            raise TrainingDataError(f"{file}, line {number}: {path} is missing")
    short, long = (float(found[1]) for found in exposures if found)
    return SidPair(paths[0], paths[1], min(long / short, HIGHEST_RATIO))


def develop(path: Path) -> NDArray[np.uint16]:
    """The picture to aim at, (H, W, 3) uint16 sRGB: LibRaw, camera white balance, no auto brightness, unturned."""
    import rawpy

    with rawpy.imread(str(path)) as raw:
        picture = raw.postprocess(use_camera_wb=True, no_auto_bright=True, output_bps=16, user_flip=0)
    return np.asarray(picture, dtype=np.uint16)


@lru_cache(maxsize=2)
def _decode(pair: SidPair) -> tuple[RawPhoto, NDArray[np.uint16]]:
    """A pair's mosaic and target: 100 MB for 12 megapixels, hence only two are kept."""
    photo, target = read_photo(pair.short), develop(pair.long)
    if target.shape[:2] != photo.mosaic.shape:
        raise TrainingDataError(
            f"{pair.short} and {pair.long} differ in size: {photo.mosaic.shape}, {target.shape[:2]}"
        )
    return photo, target


class SidCrops(Dataset[tuple[Tensor, Tensor]]):
    """Sample i is the same whoever asks for it: its random numbers come from (seed, i) alone."""

    def __init__(self, pairs: Sequence[SidPair], settings: TrainingSettings) -> None:
        self.pairs = list(pairs)
        self.settings = settings

    def __len__(self) -> int:
        return self.settings.steps * self.settings.batch

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """The network's input (1, crop, crop) float32 and its target (3, crop, crop) float32 in [0, 1]."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        block, within = divmod(index, CROPS_PER_PAIR)
        pair = self.pairs[int(np.random.default_rng((self.settings.seed, block)).integers(len(self.pairs)))]
        generator = np.random.default_rng((self.settings.seed, block, within))
        photo, target = _decode(pair)
        rows, columns = bayer_window(photo, self.settings.crop, generator)
        shift = shift_to(photo.cfa, Cfa.RGGB)
        gains = shift_sites(photo.gains, shift) if self.settings.white_balance is WhiteBalance.INPUT else None
        black = shift_sites(photo.black_level, shift)
        window = photo.mosaic[rows[:, None], columns]
        inputs = to_light(window, Cfa.RGGB, black, photo.white_level, pair.ratio, gains)
        picture = target[rows[:, None], columns].astype(np.float32) / np.float32(65535)
        return torch.from_numpy(inputs)[None], torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))


def bayer_window(
    photo: RawPhoto, side: int, generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of a random crop, mirrored at random, that begins on a red site after mirroring.

    Mirroring an even number of columns moves red to the other parity; such a window starts one column later.
    """
    phase = shift_to(photo.cfa, Cfa.RGGB)
    return tuple(  # type: ignore[return-value]
        _bayer_range(extent, side, shift, generator) for extent, shift in zip(photo.mosaic.shape, phase, strict=True)
    )


def _bayer_range(extent: int, side: int, shift: int, generator: np.random.Generator) -> NDArray[np.int64]:
    mirrored = int(generator.integers(2))
    parity = (shift + mirrored) % 2
    places = (extent - side - parity) // 2 + 1
    if places < 1:
        raise TrainingDataError(f"a frame of {extent} pixels holds no crop of {side}; lower --crop")
    start = parity + 2 * int(generator.integers(places))
    window = np.arange(start, start + side)
    return window[::-1] if mirrored else window


def validation_captures(pairs: Sequence[SidPair]) -> Iterator[Capture]:
    """Full frames with their targets and true ratios."""
    for pair in pairs:
        photo, target = read_photo(pair.short), develop(pair.long)
        yield Capture(pair.short.name, photo, target.astype(np.float32) / np.float32(65535), pair.ratio)
