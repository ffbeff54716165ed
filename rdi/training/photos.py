"""A folder of ordinary photos as training data, and which of them are never trained on."""

import hashlib
import logging
import shutil
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rdi.errors import InputError, TrainingDataError
from rdi.pictures import load_picture, picture_size, reduction_for
from rdi.training.picture_store import PictureStore, place_for_pictures

SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"}
HELD_OUT_LISTS = ("VALIDATION.txt", "HARDER.txt")  # file names, one a line, beside the photos
HELD_OUT_SHARE = 0.05  # of the photos, where no list names any
DISK_BUDGET = 16 * 1024**3  # bytes of decoded photos to keep on disk, at most; the rest is decoded again each time
WORTH_SAYING = 0.5  # gigabytes of disk
# Decoding one takes up to 10 bytes a pixel of memory, in each loader worker.
MAX_PIXELS = 16_000_000
SMALLEST_SHARE = 0.5  # of a crop's side: a photo is mirrored once to fill it, not more often


def find_photos(folder: Path) -> list[Path]:
    """All photos of a folder, sorted by name; raises TrainingDataError where there is none."""
    if not folder.is_dir():
        raise TrainingDataError(f"{folder} is not a folder; give one with photos ({', '.join(sorted(SUFFIXES))})")
    photos = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    if not photos:
        below = any(path.is_dir() for path in folder.iterdir())
        raise TrainingDataError(
            f"{folder} holds no photo ({', '.join(sorted(SUFFIXES))}); give a folder that does"
            + (": folders below it are not searched" if below else "")
        )
    return photos


def split_photos(folder: Path, leave_out: Sequence[str] = ()) -> tuple[list[Path], list[Path]]:
    """(training, validation) photos of a folder.

    leave_out: patterns of names, as a shell has them, of photos not to train on; what is validated with stays the same,
               so that runs with and without them can be compared

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
    return _without(training, leave_out), validation


def _without(photos: list[Path], patterns: Sequence[str]) -> list[Path]:
    kept = [path for path in photos if not any(fnmatchcase(path.name, pattern) for pattern in patterns)]
    if not kept:
        raise TrainingDataError(f"--leave-out {','.join(patterns)} leaves none of {len(photos)} photo(s) to train on")
    return kept


def first_decodable(photos: Sequence[Path], count: int, max_pixels: int) -> tuple[list[Path], list[str]]:
    """The first `count` photos that can be decoded, which is tried here, and why others before them cannot.

    For validation: a damaged photo would end a run after hours. Raises TrainingDataError where none can.
    """
    usable, problems = list[Path](), list[str]()
    for path in photos:
        if len(usable) == count:
            break
        try:
            load_picture(path, max_pixels)
            usable.append(path)
        except InputError as error:
            problems.append(str(error))
    if not usable:
        raise TrainingDataError(
            f"no photo can be validated with: {problems[0]}; mend it, or name others in {HELD_OUT_LISTS[0]}"
        )
    return usable, problems


def read_list(file: Path) -> list[str]:
    """The names in a list, one a line; empty where there is no such file."""
    if not file.is_file():
        return []
    return [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


class PhotoShelf:
    """Photos to take crops from: decoded when first needed, kept in a nameless file on disk, not in memory.

    Photos beyond the disk's share of it are decoded each time they are needed. A photo of more than 16 megapixels is
    halved while it is decoded, until it has no more: that bounds the memory of whoever decodes it, and its own noise
    and JPEG blocks are less in it, which makes it a better target.

    paths:    those that can be used
    skipped:  why the others cannot: far too small for a crop, or unreadable; one line for each
    notes:    what a user should know: photos left out, mirrored or halved, disk space that may be used
    """

    def __init__(
        self, paths: Sequence[Path], smallest: int, *, folder: Path | None = None, budget: int | None = None
    ) -> None:
        """smallest: side of a crop, pixels; smaller photos are mirrored to fill it, those below half of it left out.

        folder: of the file; by default `place_for_pictures()`
        budget: bytes that it may take; by default 16 GiB, at most half of what is free there
        Raises TrainingDataError where no photo can be used.
        """
        self.paths: list[Path] = []
        self.skipped: list[str] = []
        self._damaged: set[int] = set()
        sizes: list[tuple[int, int]] = []
        for path in paths:
            try:
                width, height = picture_size(path)
            except InputError as error:
                self.skipped.append(str(error))
                continue
            factor = reduction_for((width, height), MAX_PIXELS)
            size = -(-width // factor), -(-height // factor)
            if min(size) < smallest * SMALLEST_SHARE:
                self.skipped.append(f"{path.name} is {width}x{height}, less than half a crop of {smallest}")
                continue
            self.paths.append(path)
            sizes.append(size)
        if not self.paths:
            raise TrainingDataError(f"none of {len(paths)} photo(s) can be trained on: {self.skipped[0]}")
        folder = folder or place_for_pictures()
        self._store = _make_store(sizes, folder, _free_share(folder) if budget is None else budget)
        self.notes = self._say(sizes, smallest, folder)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB, not to be written to.

        A photo that turns out to be damaged is replaced by the next one of the list, whoever asks, and a warning in
        the log names it. Raises TrainingDataError where all are.
        """
        if not 0 <= index < len(self):
            raise IndexError(index)
        for offset in range(len(self)):
            candidate = (index + offset) % len(self)
            try:
                return self._load(candidate)
            except InputError as error:
                damage = error
                if candidate not in self._damaged:
                    logging.getLogger(__name__).warning("%s; the next photo stands in for it", damage)
                self._damaged.add(candidate)
        raise TrainingDataError(f"no photo can be decoded any more: {damage}")

    def _load(self, index: int) -> NDArray[np.uint8]:
        kept = self._store.get(index) if self._store and index < len(self._store) else None
        if kept is None:
            kept = load_picture(self.paths[index], MAX_PIXELS)
            if self._store and index < len(self._store):
                self._store.put(index, kept)
        return kept

    def _say(self, sizes: list[tuple[int, int]], smallest: int, folder: Path) -> list[str]:
        notes = []
        if self.skipped:
            notes.append(f"{len(self.skipped)} photo(s) left out, for example: {self.skipped[0]}")
        mirrored = [path.name for path, size in zip(self.paths, sizes, strict=True) if min(size) < smallest]
        if mirrored:
            notes.append(
                f"{len(mirrored)} photo(s) are smaller than a crop of {smallest} and mirrored at their borders to fill "
                f"it, for example {mirrored[0]}"
            )
        kept = len(self._store) if self._store else 0
        gigabytes = sum(width * height * 3 for width, height in sizes[:kept]) / 1e9
        if gigabytes >= WORTH_SAYING:
            notes.append(f"decoded photos take up to {gigabytes:.1f} GB of disk in {folder} while the run lasts")
        if kept < len(self):
            notes.append(f"{len(self) - kept} of {len(self)} photos have no room there and are decoded each time")
        return notes


def _make_store(sizes: list[tuple[int, int]], folder: Path, budget: int) -> PictureStore | None:
    """Room for as many of the first photos as the budget allows; None for none, or where no file can be made."""
    needed = np.cumsum([width * height * 3 for width, height in sizes])
    count = int(np.searchsorted(needed, budget, side="right"))
    try:
        return PictureStore([width * height * 3 for width, height in sizes[:count]], folder) if count else None
    except OSError:
        return None


def _free_share(folder: Path) -> int:
    try:
        return min(DISK_BUDGET, shutil.disk_usage(folder).free // 2)
    except OSError:
        return 0
