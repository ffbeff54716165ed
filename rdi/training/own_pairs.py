"""The user's own pairs, matched by file name.

In one folder, a dark raw file `NAME.ARW` (or any other raw format) belongs to the bright picture `NAME_long.ARW`, a raw
file, to `NAME_long.jpg`, a finished picture (`_bright` will do too), or to `NAME.png` or `NAME.tif`; not to `NAME.JPG`,
which cameras write beside their raw files and which is as dark. In two folders, `dark/` (or `short/`) and `bright/` (or
`long/`), it belongs to the file of the same name, whatever the suffix. A bright picture may serve several dark frames:
`NAME_1.ARW`, `NAME_2.ARW` belong to it too, unless they have one of their own.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from rdi.camera.containers import RAW_SUFFIXES
from rdi.errors import TrainingDataError
from rdi.training.pairs import Pair, SplitPairs, check_file, keep_usable
from rdi.training.photos import HELD_OUT_LISTS, HELD_OUT_SHARE, SUFFIXES, read_list

KIND = "own pairs"
ENDINGS = ("_long", "_bright")
CAMERA_PICTURES = (".jpg", ".jpeg")  # what a camera writes beside a raw file
FOLDERS = (("dark", "bright"), ("short", "long"))


def read_own_pairs(folder: Path, *, skip_missing: bool = False) -> SplitPairs:
    """The pairs of a folder, split into training and validation.

    VALIDATION.txt beside them may name the files (dark or bright) to validate with, one a line. Without it a twentieth
    of the scenes, at least one, is held out, chosen by the hash of the name; dark frames that share a bright picture
    stay together. Raises TrainingDataError where there is no pair, for a dark file without a bright picture and for
    files that cannot be used (unless `skip_missing`).
    """
    pairs, alone = _all_pairs(folder, skip_missing=skip_missing)
    usable, skipped = keep_usable(_split(folder, pairs), check_file, skip=skip_missing)
    return SplitPairs(KIND, folder, usable, (*alone, *skipped))


def match_own_pairs(folder: Path, *, skip_missing: bool = False) -> tuple[list[Pair], tuple[str, ...]]:
    """All pairs of a folder, not split, and why others were left out; the errors of `read_own_pairs`."""
    pairs, alone = _all_pairs(folder, skip_missing=skip_missing)
    usable, skipped = keep_usable({"all": pairs}, check_file, skip=skip_missing)
    return usable["all"], (*alone, *skipped)


def _all_pairs(folder: Path, *, skip_missing: bool) -> tuple[list[Pair], list[str]]:
    """Pairs, and a line for each dark file without a bright one; TrainingDataError where there is no pair."""
    if not folder.is_dir():
        raise TrainingDataError(f"{folder} is not a folder; give one with pairs of pictures")
    pairs, alone = _match(folder)
    if not pairs:
        raise TrainingDataError(
            f"{folder} holds no pair; name them NAME.ARW and NAME_long.ARW (or NAME_long.png), or put files of the "
            "same name into dark/ and bright/"
        )
    if alone and not skip_missing:
        raise TrainingDataError(f"{alone[0]} (of {len(alone)}); add it, or go on without with --skip-missing")
    return pairs, alone


def _match(folder: Path) -> tuple[list[Pair], list[str]]:
    """Pairs, and a line for each dark file without a bright one."""
    dark, bright = _dark_and_bright(folder)
    pairs, alone = list[Pair](), list[str]()
    for path in dark:
        names = [name for name in bright if path.stem == name or path.stem.startswith(f"{name}_")]
        if not names:
            alone.append(f"{path} has no bright picture of its name")
            continue
        files = bright[max(names, key=len)]
        if len(files) > 1:
            raise TrainingDataError(f"{path} has two bright pictures, {files[0].name} and {files[1].name}; leave one")
        pairs.append(Pair(path, files[0], str(path.name)))
    return pairs, alone


def _dark_and_bright(folder: Path) -> tuple[list[Path], dict[str, list[Path]]]:
    """Dark files, and bright ones by the name that they share with dark ones."""
    for dark, bright in FOLDERS:
        if (folder / dark).is_dir() and (folder / bright).is_dir():
            return _files(folder / dark, RAW_SUFFIXES), _by_name(_files(folder / bright, RAW_SUFFIXES | SUFFIXES))
    raws = _files(folder, RAW_SUFFIXES)
    dark_files = [path for path in raws if not path.stem.endswith(ENDINGS)]
    pictures = [
        path
        for path in _files(folder, SUFFIXES)
        if path.stem.endswith(ENDINGS) or path.suffix.lower() not in CAMERA_PICTURES
    ]
    return dark_files, _by_name([path for path in raws if path not in dark_files] + pictures)


def _files(folder: Path, suffixes: frozenset[str] | set[str]) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes and path.is_file())


def _by_name(files: Sequence[Path]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in files:
        name = next((path.stem.removesuffix(ending) for ending in ENDINGS if path.stem.endswith(ending)), path.stem)
        found.setdefault(name, []).append(path)
    return found


def _split(folder: Path, pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    listed = {name for file in HELD_OUT_LISTS for name in read_list(folder / file)}
    if listed:
        first = set(read_list(folder / HELD_OUT_LISTS[0]))
        unknown = sorted(first - {name for pair in pairs for name in (pair.dark.name, pair.bright.name)})
        if unknown:
            raise TrainingDataError(
                f"{folder / HELD_OUT_LISTS[0]} names {unknown[0]}, which belongs to no pair of the folder; write the "
                "name of a dark or a bright file as it is, or leave the line out"
            )
        validation = [pair for pair in pairs if {pair.dark.name, pair.bright.name} & first]
        training = [pair for pair in pairs if not {pair.dark.name, pair.bright.name} & listed]
    else:
        scenes = sorted({pair.bright.name for pair in pairs}, key=lambda name: hashlib.sha256(name.encode()).digest())
        held_out = set(scenes[: max(1, round(len(scenes) * HELD_OUT_SHARE))])
        validation = [pair for pair in pairs if pair.bright.name in held_out]
        training = [pair for pair in pairs if pair.bright.name not in held_out]
    if not training or not validation:
        raise TrainingDataError(
            f"{folder} holds {len(pairs)} pair(s), of which {len(training)} would be trained on and {len(validation)} "
            "validated with; at least one of each is needed: two scenes, or another VALIDATION.txt"
        )
    return {"train": training, "val": validation}
