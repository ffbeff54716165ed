"""Which photo becomes which file: worked out, and checked, before any work is done."""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rdi.camera.containers import RAW_SUFFIXES
from rdi.errors import InputError, OutputError, UsageError
from rdi.runtime.exposure import stops_name
from rdi.runtime.pictures.formats import SUFFIXES, PictureSettings

# An output that ends so is meant to be a file, if not always one that rdi writes, not a folder with a dot in its name.
_FILE_SUFFIXES = RAW_SUFFIXES | SUFFIXES.keys()
_FILE_SUFFIXES |= {".avif", ".bmp", ".exr", ".gif", ".heic", ".heif", ".jp2", ".jxl", ".psd", ".webp"}


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
    def existing(self) -> tuple[Path, ...]:
        """Those of these files that are there already; a picture is done when all are."""
        return tuple(path for path in self.outputs if path.exists())


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


@dataclass(frozen=True)
class Found:
    """A photo to be restored.

    path:   of the raw file
    folder: in which it lies below the folder that was named; the current one, `.`, for a photo named itself
    """

    path: Path
    folder: Path = Path()


def find_photos(paths: Sequence[Path], *, recursive: bool = False) -> list[Found]:
    """Photos as named, folders replaced by the raw files in them (by suffix, in the order of their names).

    recursive: also those in the folders below, each after its folder's own photos

    Hidden files and folders are left out: macOS puts a `._photo.ARW` beside each photo on a card, which is none. Links
    to folders are not followed. Raises InputError for a folder that cannot be read or without a raw file.
    """
    found: dict[Path, Found] = {}
    for path in paths:
        for photo in _in_folder(path, recursive) if _seen(path.is_dir) else [Found(path)]:
            found.setdefault(photo.path, photo)
    return list(found.values())


def _seen(ask: Callable[[], bool]) -> bool:
    """What a path says of itself; False in a folder that must not be read, as whoever opens the file will report."""
    try:
        return ask()
    except OSError:
        return False


def _in_folder(top: Path, recursive: bool) -> list[Found]:
    found = []
    for folder, subfolders, names in os.walk(top, onerror=_refuse_unreadable):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith(".")) if recursive else []
        for path in (Path(folder, name) for name in sorted(names)):
            if path.suffix.lower() in RAW_SUFFIXES and not path.name.startswith(".") and path.is_file():
                found.append(Found(path, Path(folder).relative_to(top)))
    if not found:
        where = "nor do the folders below it" if recursive else "itself; --recursive looks into the folders below it"
        raise InputError(f"folder {top} holds no camera raw file (.arw, .cr2, .cr3, .nef, .raf, .dng, ...) {where}")
    return found


def _refuse_unreadable(error: OSError) -> None:
    raise InputError(f"folder {error.filename} cannot be read: {error.strerror}") from error


def is_file(out: Path) -> bool:
    """Whether an output path means a file: it is one, or would be one by its suffix."""
    return _seen(out.is_file) or (not _seen(out.is_dir) and out.suffix.lower() in _FILE_SUFFIXES)


def plan(
    photos: Sequence[Found], out: Path | None, settings: PictureSettings, extras: Extras | None = None
) -> list[Job]:
    """Give each photo its outputs: `NAME_restored.jpg` beside it, in the folder `out`, or the file `out`.

    Below `out` photos keep the folder they were found in; `out` and these folders are made when the first picture is
    written, but the folder in which `out` lies must be there. Photos that differ by suffix alone keep it: night.ARW and
    night.dng become night.ARW_restored.jpg and night.dng_restored.jpg. The pictures of a bracket are named
    NAME_restored_-1EV.jpg, _0EV, _+1EV, and follow each other.

    Raises UsageError where two photos would share one output, OutputError where an output would replace a photo or
    cannot be written.
    """
    if out is not None and is_file(out):
        if len(photos) > 1:
            raise UsageError(f"{len(photos)} photos cannot all become {out}; give a folder with --out")
        named = [(photos[0].path, out, out.stem)]
    else:
        named = _targets_by_name(photos, out, settings.format.suffix)
    jobs = [job for photo, target, name in named for job in _jobs(photo, target, name, extras or Extras())]
    _refuse_shared_targets(jobs)
    _refuse_photos_as_targets(jobs)
    if out is not None and not out.exists():
        require_writable(out.parent)
    # A photo that is missing is reported as such, not as a missing folder beside it.
    for folder in {job.target.parent for job in jobs if _seen(job.photo.exists)}:
        require_writable(next(place for place in (folder, *folder.absolute().parents) if place.exists()))
    return jobs


def _targets_by_name(photos: Sequence[Found], out: Path | None, suffix: str) -> list[tuple[Path, Path, str]]:
    """(photo, picture, NAME) of each."""
    folders = [out / photo.folder if out else photo.path.parent for photo in photos]
    stems = [(folder, photo.path.stem.casefold()) for folder, photo in zip(folders, photos, strict=True)]
    wanted = Counter(stems)  # a.dng and A.ARW too: to some systems A.jpg and a.jpg are one file
    named = []
    for folder, photo, stem in zip(folders, photos, stems, strict=True):
        name = photo.path.stem if wanted[stem] == 1 else photo.path.name
        named.append((photo.path, folder / f"{name}_restored{suffix}", name))
    return named


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
        with tempfile.TemporaryFile(prefix=".rdi-", dir=folder):  # without a name on Linux: a kill leaves nothing
            pass
    except OSError as error:
        raise OutputError(f"cannot write into {folder}: {error.strerror}; give another place with --out") from error
