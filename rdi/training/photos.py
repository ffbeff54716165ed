"""A folder of ordinary photos as training data, and which of them are never trained on."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rdi.errors import InputError, TrainingDataError
from rdi.pictures import load_picture, picture_size

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
    """Decoded photos, kept in memory up to a budget; those beyond it are decoded each time.

    Fill it before the loader's workers fork: they share the pages instead of decoding anew.

    paths:    those that can be used
    skipped:  why the others cannot: too small for a crop, or damaged; one line for each
    """

    def __init__(self, paths: Sequence[Path], smallest: int, budget: int = MEMORY_BUDGET) -> None:
        """smallest: side of a crop, pixels. Raises TrainingDataError where no photo can be used."""
        self.paths: list[Path] = []
        self.skipped: list[str] = []
        self._kept: dict[int, NDArray[np.uint8]] = {}
        for path in paths:
            try:
                width, height = picture_size(path)
                if min(width, height) < smallest:
                    self.skipped.append(f"{path.name} is {width}x{height}, smaller than a crop of {smallest}")
                    continue
                budget -= width * height * 3
                if budget >= 0:
                    self._kept[len(self.paths)] = load_picture(path)
                self.paths.append(path)
            except InputError as error:
                self.skipped.append(str(error))
        if not self.paths:
            raise TrainingDataError(f"none of {len(paths)} photo(s) can be trained on: {self.skipped[0]}")

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB."""
        kept = self._kept.get(index)
        return load_picture(self.paths[index]) if kept is None else kept
