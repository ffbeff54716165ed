"""A folder of ordinary photos as training data, and which of them are never trained on."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rdi.errors import TrainingDataError
from rdi.pictures import load_picture

SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"}
HELD_OUT_LISTS = ("VALIDATION.txt", "HARDER.txt")  # file names, one a line, beside the photos
HELD_OUT_SHARE = 0.05  # of the photos, where no list names any
MEMORY_BUDGET = 2 * 1024**3  # bytes of decoded photos to keep; the rest is decoded again each time


def find_photos(folder: Path) -> list[Path]:
    """All photos of a folder, sorted by name; raises TrainingDataError where there is none."""
    if not folder.is_dir():
        raise TrainingDataError(f"{folder} is not a folder; give one with photos ({', '.join(sorted(SUFFIXES))})")
    photos = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    if not photos:
        raise TrainingDataError(f"{folder} holds no photo ({', '.join(sorted(SUFFIXES))})")
    return photos


def split_photos(folder: Path) -> tuple[list[Path], list[Path]]:
    """(training, validation) photos of a folder.

    VALIDATION.txt and HARDER.txt beside the photos name what is never trained on; validation uses the first. Without
    them, a twentieth of the photos (at least one) is held out, chosen by the hash of the name, so that the choice
    survives added photos and other machines.
    """
    photos = find_photos(folder)
    listed = {name for file in HELD_OUT_LISTS for name in read_list(folder / file)}
    if listed:
        validation = [folder / name for name in read_list(folder / HELD_OUT_LISTS[0])]
        missing = [path.name for path in validation if not path.is_file()]
        if missing:
            raise TrainingDataError(f"{folder / HELD_OUT_LISTS[0]} names {missing[0]}, which is not in the folder")
        training = [path for path in photos if path.name not in listed]
    else:
        by_hash = sorted(photos, key=lambda path: hashlib.sha256(path.name.encode()).digest())
        count = max(1, round(len(photos) * HELD_OUT_SHARE))
        validation, training = sorted(by_hash[:count]), sorted(by_hash[count:])
    if not training:
        raise TrainingDataError(f"{folder} holds {len(photos)} photo(s), all held out for validation; add some")
    return training, validation


def read_list(file: Path) -> list[str]:
    """The names in a list, one a line; empty where there is no such file."""
    if not file.is_file():
        return []
    return [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


class PhotoShelf:
    """Decoded photos, kept in memory up to a budget.

    Fill it before the loader's workers fork: they share the pages instead of decoding anew.
    """

    def __init__(self, paths: Sequence[Path], smallest: int, budget: int = MEMORY_BUDGET) -> None:
        """smallest: side in pixels below which a photo cannot give a crop; such photos raise TrainingDataError."""
        self.paths = list(paths)
        self.smallest = smallest
        self._kept: dict[int, NDArray[np.uint8]] = {}
        for index in range(len(self.paths)):
            picture = self._load(index)
            budget -= picture.nbytes
            if budget >= 0:
                self._kept[index] = picture

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB."""
        kept = self._kept.get(index)
        return self._load(index) if kept is None else kept

    def _load(self, index: int) -> NDArray[np.uint8]:
        picture = load_picture(self.paths[index])
        if min(picture.shape[:2]) < self.smallest:
            raise TrainingDataError(
                f"{self.paths[index]} is {picture.shape[1]}x{picture.shape[0]}; crops of {self.smallest} need at least "
                f"that on both sides: remove it or lower --crop"
            )
        return picture
