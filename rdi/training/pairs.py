"""Pairs of recorded pictures: a dark raw file and a bright picture of the same scene."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rdi.camera.containers import RAW_SUFFIXES, check_container
from rdi.errors import InputError, RdiError, TrainingDataError
from rdi.pictures import picture_size

HIGHEST_RATIO = 300.0  # the network never learns to amplify more


@dataclass(frozen=True)
class Pair:
    """Two files, not read yet.

    dark:   raw file
    bright: long exposure (raw) or reference picture (JPEG, PNG, TIFF)
    place:  where the pair is named, for messages: `Sony_train_list.txt, line 3`
    ratio:  bright / dark exposure, at most 300; None where the files themselves have to say
    """

    dark: Path
    bright: Path
    place: str
    ratio: float | None = None


@dataclass(frozen=True)
class SplitPairs:
    """The pairs of a data set.

    kind:    `SID, Sony part` or `own pairs`
    root:    folder that the files' names are relative to
    splits:  training and validation (and test) pairs by the name of the split: train, val, test
    skipped: why pairs were left out, one line for each
    """

    kind: str
    root: Path
    splits: dict[str, list[Pair]]
    skipped: tuple[str, ...] = ()

    def name_of(self, path: Path) -> str:
        """A file's name relative to the data set, with slashes."""
        return path.relative_to(self.root).as_posix()

    def files(self) -> tuple[list[Path], list[Path]]:
        """Dark and bright files of all splits, each once, in order."""
        pairs = [pair for split in self.splits.values() for pair in split]
        return list(dict.fromkeys(p.dark for p in pairs)), list(dict.fromkeys(p.bright for p in pairs))

    def without(self, failures: dict[Path, RdiError]) -> "SplitPairs":
        """Without the pairs of files that failed; each of these pairs is one line in `skipped`."""
        kept, skipped = keep_usable(self.splits, lambda file: _raise(failures.get(file)), skip=True)
        return SplitPairs(self.kind, self.root, kept, (*self.skipped, *skipped))


def is_raw(path: Path) -> bool:
    """Whether a file is a raw file by its name, and not a finished picture."""
    return path.suffix.lower() in RAW_SUFFIXES


def check_file(path: Path) -> None:
    """Refuse a file that is missing, cut off or of the wrong kind, as far as its header tells; raises InputError."""
    if is_raw(path):
        check_container(path)
    else:
        picture_size(path)


def keep_usable(
    splits: dict[str, list[Pair]], check: Callable[[Path], None], *, skip: bool
) -> tuple[dict[str, list[Pair]], list[str]]:
    """The pairs whose files pass a check, and a line for each of the others: where it is named, file, reason.

    check: raises an RdiError for a file that cannot be used; asked once for each file
    skip:  go on without the others
    Raises TrainingDataError for the first pair that cannot be used, unless they are skipped, and for a split without
    any pair left.
    """
    known: dict[Path, RdiError | None] = {}
    skipped = list[str]()
    kept: dict[str, list[Pair]] = {}
    for name, pairs in splits.items():
        kept[name] = []
        for pair in pairs:
            error = next(filter(None, (_ask(check, file, known) for file in (pair.dark, pair.bright))), None)
            if error is None:
                kept[name].append(pair)
            else:
                skipped.append(f"{pair.place}: {error}")
        if skipped and not skip:
            raise TrainingDataError(_refusal(skipped, known))
        if not kept[name]:
            raise TrainingDataError(f"none of the {len(pairs)} pairs of {name} can be used; {skipped[-1]}")
    return kept, skipped


def summary_of(skipped: Sequence[str]) -> list[str]:
    """One line for the user on what was left out; none where nothing was."""
    return [f"{len(skipped)} pair(s) left out, for example: {skipped[0]}"] if skipped else []


def exposure_ratio(dark: float | None, bright: float | None, pair: Pair) -> float | None:
    """Bright / dark exposure, each seconds times ISO, at most 300; None where one of them is not known.

    Raises TrainingDataError where the bright one is not brighter.
    """
    if bright is None or dark is None:
        return None
    if bright <= dark:
        raise TrainingDataError(
            f"{pair.place}: {pair.bright} was exposed {bright / dark:.3g} times as much as {pair.dark} (time x ISO); "
            "the bright one must have more"
        )
    return min(bright / dark, HIGHEST_RATIO)


def size_mismatch(place: str, target: tuple[int, ...], mosaic: tuple[int, ...]) -> str:
    """What to say of a pair whose pictures differ in size."""
    return (
        f"{place}: the bright picture has {target[1]}x{target[0]} pixels, the dark frame {mosaic[1]}x{mosaic[0]}; a "
        "raw converter may have cut off margins: give a picture of the full size, or a long exposure as a raw file"
    )


def _ask(check: Callable[[Path], None], file: Path, known: dict[Path, RdiError | None]) -> RdiError | None:
    if file not in known:
        try:
            check(file)
            known[file] = None
        except RdiError as error:
            known[file] = error
    return known[file]


def _refusal(skipped: Sequence[str], known: dict[Path, RdiError | None]) -> str:
    files = sum(error is not None for error in known.values())
    more = f" ({len(skipped)} pairs suffer from {files} such file(s))" if len(skipped) > 1 else ""
    return f"{skipped[0]}{more}; mend it, or go on without with --skip-missing"


def _raise(error: RdiError | None) -> None:
    if error is not None:
        raise error if isinstance(error, InputError) else InputError(str(error))
