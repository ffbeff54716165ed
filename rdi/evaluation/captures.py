"""Dark captures whose pictures are known: photos darkened by the quality protocol, SID's pairs, the user's own."""

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rdi import protocol
from rdi.camera.cfa import Cfa
from rdi.camera.photo import RawPhoto
from rdi.errors import RdiError, TrainingDataError
from rdi.isolated import PHOTO_READING, IsolatedProcess
from rdi.orientation import sensor_view
from rdi.simulate import Sensor
from rdi.training.choices import Camera
from rdi.training.isolated_files import read_pair
from rdi.training.own_pairs import KIND, match_own_pairs
from rdi.training.pairs import Pair, exposure_ratio, size_mismatch
from rdi.training.sid import kind_of, read_sid
from rdi.training.targets import WHITE

# Scenes of SID's Sony test list whose short and long exposures lie some pixels apart: no restoration can match them.
MISALIGNED = ("10034", "10045", "10172")


@dataclass(frozen=True, eq=False)
class Scene:
    """A capture, decoded; mosaic and target in the sensor's direction.

    photo:  the dark capture, orientation 1
    target: (H, W, 3) float32 sRGB in [0, 1]
    ratio:  the true exposure ratio; None where the files do not tell
    """

    photo: RawPhoto
    target: NDArray[np.float32]
    ratio: float | None


@dataclass(frozen=True)
class Listed:
    """A capture that was not looked at yet.

    name:       of its file
    ratio:      the true exposure ratio, as far as known before it is decoded
    identity:   all that decides what it shows: two captures with the same identity are the same
    misaligned: whether its target is known to lie elsewhere
    """

    name: str
    ratio: float | None
    identity: dict[str, Any]
    misaligned: bool = False


class Source(Protocol):
    """Captures to measure on.

    settings: what they are, for people and for JSON
    listed:   all of them, in the order in which opening costs least
    notes:    what a user should know, such as pairs that were left out
    """

    settings: dict[str, Any]
    listed: Sequence[Listed]
    notes: tuple[str, ...]

    def open(self, index: int) -> Scene:
        """Decode or simulate one; an RdiError where it cannot be."""


class DarkenedPhotos:
    """The quality protocol (`rdi.protocol`): each photo at each ratio, its balance and seed by its place in the list.

    cfa:     RGGB, or XTRANS for models of it
    cameras: whose colour matrices take the place of the Sony A7S II's, one after the other; noise and levels stay
    """

    def __init__(
        self,
        photos: Sequence[Path],
        ratios: Sequence[float],
        iso: float = protocol.ISO,
        cfa: Cfa = Cfa.RGGB,
        cameras: Sequence[Sensor] = (),
    ) -> None:
        own = Sensor(cfa=cfa)
        own.noise_at(iso)  # refuses an ISO without calibration now, not after the first photo
        self._iso = iso
        sensors = [own.with_colours_of(camera) for camera in cameras] or [own]
        self._places = [
            (path, place, sensor, ratio)
            for place, path in enumerate(photos)
            for sensor in sensors
            for ratio in ratios  # last: a photo is decoded and seen by a camera once for all of them
        ]
        self._photo: tuple[Path, Sensor, protocol.BrightPhoto] | None = None  # that was opened last
        self.settings: dict[str, Any] = {
            "data": "photos darkened by the quality protocol, fixed seeds",
            "photos": len(photos),
            "iso": iso,
            "ratios": [*ratios],
            "cfa": str(cfa),
            **({"matrices of": [camera.name for camera in cameras]} if cameras else {}),
        }
        self.listed: Sequence[Listed] = [
            Listed(
                f"{path.name} by {sensor.name}" if cameras else path.name,
                ratio,
                {**_file(path), "place": place, "ratio": ratio, "iso": iso, "cfa": str(cfa)}
                | ({"matrix": sensor.camera_from_xyz} if cameras else {}),
            )
            for path, place, sensor, ratio in self._places
        ]
        self.notes: tuple[str, ...] = ()

    def open(self, index: int) -> Scene:
        """Take a photo in the dark."""
        path, place, sensor, ratio = self._places[index]
        if self._photo is None or self._photo[:2] != (path, sensor) or self._photo[2].place != place:
            self._photo = path, sensor, protocol.BrightPhoto(path, place, sensor)
        capture = self._photo[2].capture(ratio, self._iso)
        return Scene(capture.raw, capture.target, ratio)


class RecordedCaptures:
    """Pairs of files: a dark raw photo and a bright picture of the same scene."""

    def __init__(self, pairs: Sequence[Pair], settings: dict[str, Any], notes: Sequence[str] = ()) -> None:
        self._pairs = [*pairs]
        self._process: IsolatedProcess | None = None
        misaligned = MISALIGNED if settings["data"] == kind_of(Camera.SONY) else ()
        self.settings = {**settings, "pairs": len(pairs)}
        self.listed: Sequence[Listed] = [
            Listed(
                pair.dark.name,
                pair.ratio,
                {"dark": _file(pair.dark), "bright": _file(pair.bright), "ratio": pair.ratio},
                pair.dark.name.split("_")[0] in misaligned,
            )
            for pair in pairs
        ]
        self.notes = tuple(notes)

    def open(self, index: int) -> Scene:
        """Decode both files, in a process of their own; the raw file's errors, with the place where it is listed."""
        pair = self._pairs[index]
        try:
            photo, bright = read_pair(self._reader(), pair.dark, pair.bright)
            dark_exposure = photo.exposure_time * photo.iso if photo.exposure_time and photo.iso else None
            ratio = pair.ratio or exposure_ratio(dark_exposure, bright.exposure, pair)
        except RdiError as error:
            raise TrainingDataError(f"{pair.place}: {error}") from error
        picture = sensor_view(bright.picture, photo.orientation) if bright.upright else bright.picture
        if picture.shape[:2] != photo.mosaic.shape:
            raise TrainingDataError(size_mismatch(pair.place, picture.shape[:2], photo.mosaic.shape))
        target = np.ascontiguousarray(picture).astype(np.float32)
        target /= WHITE
        return Scene(photo.replace(orientation=1), target, ratio)

    def _reader(self) -> IsolatedProcess:
        """The process that decodes; it ends with this source."""
        if self._process is None:
            self._process = IsolatedProcess(PHOTO_READING)
            weakref.finalize(self, self._process.close)
        return self._process


def sid_captures(folder: Path, camera: Camera, split: str, *, skip_missing: bool = False) -> RecordedCaptures:
    """One split (train, val or test) of a part of SID; TrainingDataError for what is missing in it."""
    pairs = read_sid(folder, camera, (split,), skip_missing=skip_missing)
    return RecordedCaptures(pairs.splits[split], {"data": pairs.kind, "split": split}, pairs.skipped)


def own_captures(folder: Path, *, skip_missing: bool = False) -> RecordedCaptures:
    """All pairs of a folder, matched by name as for training; TrainingDataError where there is none."""
    pairs, skipped = match_own_pairs(folder, skip_missing=skip_missing)
    return RecordedCaptures(pairs, {"data": KIND}, skipped)


def _file(path: Path) -> dict[str, Any]:
    return {"file": path.name, "bytes": path.stat().st_size}
