"""Which photo becomes which file: worked out, and checked, before any work is done."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rdi.camera.containers import RAW_SUFFIXES
from rdi.errors import InputError, OutputError, UsageError
from rdi.runtime.pictures.formats import SUFFIXES, PictureSettings, format_of


@dataclass(frozen=True)
class Job:
    """One photo and the file that its restored picture goes into."""

    photo: Path
    target: Path


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


def plan(photos: Sequence[Path], out: Path | None, settings: PictureSettings) -> list[Job]:
    """Give each photo its output: `NAME_restored.jpg` beside it, in the folder `out`, or the file `out`.

    Photos that differ by suffix alone keep it: night.ARW and night.dng become night.ARW_restored.jpg and
    night.dng_restored.jpg. Raises UsageError where two photos would share one output, OutputError where an output would
    replace a photo or its folder is missing or cannot be written.
    """
    if out is not None and is_file(out):
        if len(photos) > 1:
            raise UsageError(f"{len(photos)} photos cannot all become {out}; give a folder with --out")
        jobs = [Job(photos[0], out)]
    else:
        jobs = _jobs_by_name(photos, out, settings.format.suffix)
    _refuse_shared_targets(jobs)
    _refuse_photos_as_targets(jobs)
    # A photo that is missing is reported as such, not as a missing folder beside it.
    for folder in {job.target.parent for job in jobs if out is not None or job.photo.exists()}:
        require_writable(folder)
    return jobs


def _jobs_by_name(photos: Sequence[Path], out: Path | None, suffix: str) -> list[Job]:
    folders = [out or photo.parent for photo in photos]
    wanted = Counter((folder, photo.stem) for folder, photo in zip(folders, photos, strict=True))
    return [
        Job(photo, folder / f"{photo.stem if wanted[folder, photo.stem] == 1 else photo.name}_restored{suffix}")
        for folder, photo in zip(folders, photos, strict=True)
    ]


def _refuse_shared_targets(jobs: Sequence[Job]) -> None:
    owners: dict[Path, Path] = {}
    for job in jobs:
        other = owners.setdefault(job.target.resolve(), job.photo)
        if other != job.photo:
            raise UsageError(f"{other} and {job.photo} would both become {job.target}; restore them one at a time")


def _refuse_photos_as_targets(jobs: Sequence[Job]) -> None:
    photos = {job.photo.resolve() for job in jobs}
    for job in jobs:
        if job.target.resolve() in photos:
            raise OutputError(f"{job.target} is a photo to be restored; give another name with --out")


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
