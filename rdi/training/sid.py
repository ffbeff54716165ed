"""The See-in-the-Dark dataset (Chen et al., CVPR 2018): short and long exposures of the same scenes, by its lists.

`Sony_train_list.txt` and its like name the pairs, one a line:
`./Sony/short/00001_00_0.04s.ARW ./Sony/long/00001_00_10s.ARW ISO200 F8`; exposure times stand in the file names.
The Fuji part's lists and files are named alike.
"""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from rdi.errors import TrainingDataError
from rdi.training.choices import Camera
from rdi.training.pairs import HIGHEST_RATIO, Pair, SplitPairs, check_file, keep_usable

SPLITS = ("train", "val")
ALL_SPLITS = (*SPLITS, "test")  # for the final measurement, not for training
_EXPOSURE = re.compile(r"_(\d+(?:\.\d+)?)s\.\w+$")


def read_sid(
    folder: Path, camera: Camera = Camera.SONY, splits: Sequence[str] = SPLITS, *, skip_missing: bool = False
) -> SplitPairs:
    """The pairs that SID's lists name, with long / short (capped at 300) as the ratio.

    folder: holds `Sony/` or `Fuji/` (or is this folder itself); the lists lie in that folder or beside it
    Every file is looked at, but not decoded. Raises TrainingDataError for a list that is missing or cannot be read, and
    for a pair with a file that is missing or cut off (unless `skip_missing`), with list, line and file.
    """
    part = part_folder(folder, camera)
    named = {split: read_list(part, find_list(part, camera, split)) for split in splits}
    usable, skipped = keep_usable(named, check_file, skip=skip_missing)
    return SplitPairs(kind_of(camera), part.parent, usable, tuple(skipped))


def kind_of(camera: Camera) -> str:
    """How a part of SID is called in descriptions."""
    return f"See-in-the-Dark (SID), {camera.title()} part"


def part_folder(folder: Path, camera: Camera) -> Path:
    """The folder that holds a camera's `short/` and `long/`: `Sony/` in the folder given, or this folder itself."""
    inside = folder / camera.title()
    if inside.is_dir():
        return inside
    itself = folder.absolute()
    if (itself / "short").is_dir() and itself.name == camera.title():
        return itself
    if not folder.is_dir():
        raise TrainingDataError(f"{folder} is not a folder; give the one that holds SID's {camera.title()}/ with --sid")
    raise TrainingDataError(
        f"{folder} holds no {camera.title()}/; give the folder that holds SID's {camera.title()}/ with --sid"
        + ("" if camera is Camera.FUJI else ", or --camera fuji for the Fuji part")
    )


def find_list(part: Path, camera: Camera, split: str) -> Path:
    """`Sony_train_list.txt` or its like, inside of `Sony/` or beside it."""
    name = f"{camera.title()}_{split}_list.txt"
    file = next((place / name for place in (part.parent, part) if (place / name).is_file()), None)
    if file is None:
        raise TrainingDataError(f"{name} is missing: it lies neither in {part} nor beside it; SID comes with it")
    return file


def read_list(part: Path, file: Path) -> list[Pair]:
    """The pairs of one list; raises TrainingDataError that names the line that cannot be understood."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingDataError(f"{file} cannot be read: {error}") from error
    pairs = [_read_line(part, file, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not pairs:
        raise TrainingDataError(f"{file} names no pair")
    return pairs


def _read_line(part: Path, file: Path, number: int, line: str) -> Pair:
    place = f"{file}, line {number}"
    names = line.split()[:2]
    exposures = [_EXPOSURE.search(name) for name in names]
    if len(names) < 2 or not all(exposures):
        raise TrainingDataError(
            f"{place}: {line[:80]!r} does not name two files with exposure times; lines read "
            "./Sony/short/00001_00_0.04s.ARW ./Sony/long/00001_00_10s.ARW ISO200 F8"
        )
    short, long = (float(found[1]) for found in exposures if found)
    if not 0 < short <= long:
        raise TrainingDataError(f"{place}: the exposures {short:g} s and {long:g} s are not a short and a long one")
    return Pair(_file(part, names[0]), _file(part, names[1]), place, min(long / short, HIGHEST_RATIO))


def _file(part: Path, name: str) -> Path:
    """Where a listed file lies: lists name it from the folder that holds `Sony/`, wherever that is here."""
    parts = PurePosixPath(name).parts
    within = parts[parts.index(part.name) + 1 :] if part.name in parts else parts
    return part.joinpath(*within)
