"""Which photo becomes which file: worked out, and checked, before any work is done."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rdi.camera.containers import RAW_SUFFIXES
from rdi.errors import InputError, OutputError, UsageError
from rdi.runtime.exposure import stops_name
from rdi.runtime.pictures.formats import SUFFIXES, PictureSettings, format_of


@dataclass(frozen=True)
class Job:
    """One picture to be made: a photo and the files that come of it.

    photo:    the raw file
    target:   the restored picture
    ev:       stops by which this picture of a bracket is brighter than the exposure chosen; 0 without a bracket
    sidecar:  the JSON file that says how the picture was made; None for none
    compared: the camera's rendering and the restored picture side by side; None for none
    """

    photo: Path
    target: Path
    ev: float = 0.0
    sidecar: Path | None = None
    compared: Path | None = None

    @property
    def outputs(self) -> tuple[Path, ...]:
        """Every file that is written."""
        return tuple(path for path in (self.target, self.sidecar, self.compared) if path is not None)

    @property
    def existing(self) -> Path | None:
        """The first of these files that is there already; None where there is none."""
        return next((path for path in self.outputs if path.exists()), None)


@dataclass(frozen=True)
class Extras:
    """What each photo becomes beside one picture.

    bracket:  stops; a picture for each of them; () for one picture at the exposure chosen
    sidecar:  also a JSON file beside each picture, NAME_restored.jpg.json
    compared: also the camera's rendering and the restored picture side by side, NAME_compared.jpg
    """

    bracket: tuple[float, ...] = ()
    sidecar: bool = False
    compared: bool = False


def find_photos(paths: Sequence[Path]) -> list[Path]:
    """Photos as named, folders replaced by the raw files in them (by suffix, in the order of their names).

    Raises InputError for a folder without a raw file.
    """
    photos: list[Path] = []
    for path in paths:
        photos += _raw_files(path) if path.is_dir() else [path]
    return list(dict.fromkeys(photos))


def _raw_files(folder: Path) -> list[Path]:
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in RAW_SUFFIXES and path.is_file())
    except OSError as error:
        raise InputError(f"folder {folder} cannot be read: {error.strerror}") from error
    if not files:
        raise InputError(f"folder {folder} holds no camera raw file (.arw, .cr2, .cr3, .nef, .raf, .dng, ...)")
    return files


def is_file(out: Path) -> bool:
    """Whether an output path means a file: it is one, or would be one by its suffix."""
    return out.is_file() or (not out.is_dir() and format_of(out) is not None)


def plan(
    photos: Sequence[Path], out: Path | None, settings: PictureSettings, extras: Extras | None = None
) -> list[Job]:
    """Give each photo its outputs: `NAME_restored.jpg` beside it, in the folder `out`, or the file `out`.

    Photos that differ by suffix alone keep it: night.ARW and night.dng become night.ARW_restored.jpg and
    night.dng_restored.jpg. The pictures of a bracket are named NAME_restored_-1EV.jpg, _0EV, _+1EV, and follow each
    other. Raises UsageError where two photos would share one output, OutputError where an output would replace a photo
    or its folder is missing or cannot be written.
    """
    if out is not None and is_file(out):
        if len(photos) > 1:
            raise UsageError(f"{len(photos)} photos cannot all become {out}; give a folder with --out")
        named = [(photos[0], out, out.stem)]
    else:
        named = _targets_by_name(photos, out, settings.format.suffix)
    jobs = [job for photo, target, name in named for job in _jobs(photo, target, name, extras or Extras())]
    _refuse_shared_targets(jobs)
    _refuse_photos_as_targets(jobs)
    # A photo that is missing is reported as such, not as a missing folder beside it.
    for folder in {job.target.parent for job in jobs if out is not None or job.photo.exists()}:
        require_writable(folder)
    return jobs


def _targets_by_name(photos: Sequence[Path], out: Path | None, suffix: str) -> list[tuple[Path, Path, str]]:
    """(photo, picture, NAME) of each."""
    folders = [out or photo.parent for photo in photos]
    wanted = Counter((folder, photo.stem) for folder, photo in zip(folders, photos, strict=True))
    names = [
        photo.stem if wanted[folder, photo.stem] == 1 else photo.name
        for folder, photo in zip(folders, photos, strict=True)
    ]
    targets = [folder / f"{name}_restored{suffix}" for folder, name in zip(folders, names, strict=True)]
    return list(zip(photos, targets, names, strict=True))


def _jobs(photo: Path, target: Path, name: str, extras: Extras) -> list[Job]:
    """One job, or one for each picture of the bracket."""
    jobs = []
    for ev in extras.bracket or (0.0,):
        mark = f"_{stops_name(ev)}" if extras.bracket else ""
        picture = target.with_name(f"{target.stem}{mark}{target.suffix}")
        sidecar = picture.with_name(f"{picture.name}.json") if extras.sidecar else None
        compared = target.with_name(f"{name}_compared{mark}.jpg") if extras.compared else None
        jobs.append(Job(photo, picture, ev, sidecar, compared))
    return jobs


def _refuse_shared_targets(jobs: Sequence[Job]) -> None:
    owners: dict[Path, Path] = {}
    for job in jobs:
        for output in job.outputs:
            other = owners.setdefault(output.resolve(), job.photo)
            if other != job.photo:
                raise UsageError(
                    f"{other} and {job.photo} would both become {output}; "
                    "restore them one by one, each with its own --out"
                )


def _refuse_photos_as_targets(jobs: Sequence[Job]) -> None:
    photos = {job.photo.resolve() for job in jobs}
    for output in (output for job in jobs for output in job.outputs):
        if output.resolve() in photos:
            raise OutputError(f"{output} is a photo to be restored; give another name with --out")


def require_writable(folder: Path) -> None:
    """Refuse a folder that is missing or in which no file can be made: OutputError."""
    if not folder.exists():
        endings = ", ".join(SUFFIXES)
        raise OutputError(f"folder {folder} does not exist; make it first, or name a picture ({endings}) with --out")
    if not folder.is_dir():
        raise OutputError(f"{folder} is a file, not a folder to write into; give another place with --out")
    try:
        with tempfile.NamedTemporaryFile(prefix=".rdi-", dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"cannot write into {folder}: {error.strerror}; give another place with --out") from error
