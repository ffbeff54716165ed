"""What the cache says of each decoded file: where it came from, where its array lies, and how to read it.

Each array has its entry beside it, written after it: an entry stands for a whole array. That is the journal by which a
preparation that was broken off goes on.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.amplifier import WeightedSums
from rdi.atomic import atomic_path
from rdi.camera.cfa import Cfa
from rdi.camera.photo import RawPhoto
from rdi.errors import TrainingDataError
from rdi.strict_json import read_object

ENTRY_FORMAT = 1
MOSAICS, TARGETS = "mosaics", "targets"
# What numpy raises for a file that is no .npy, or whose header, a line of Python, is none.
_NO_ARRAY = (OSError, ValueError, TypeError, EOFError, OverflowError, MemoryError, SyntaxError, TokenError)


@dataclass(frozen=True)
class SourceFile:
    """A file that was decoded.

    name:     relative to the data set's folder, with slashes
    bytes, mtime_ns, sha256: by which a changed one is told
    """

    name: str
    bytes: int
    mtime_ns: int
    sha256: str

    def is_unchanged(self, path: Path) -> bool:
        """Whether a file still has the size and the time that it had when it was decoded."""
        try:
            status = path.stat()
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (self.bytes, self.mtime_ns)


@dataclass(frozen=True)
class StoredArray:
    """An array of uint16 in a .npy file.

    file:   relative to the cache, with slashes
    shape:  (H, W) or (H, W, 3)
    bytes:  of the whole file
    sha256: of the whole file
    """

    file: str
    shape: tuple[int, ...]
    bytes: int
    sha256: str


@dataclass(frozen=True)
class TargetEntry:
    """A bright picture; `upright` and `exposure` as in `rdi.training.targets.Target`."""

    source: SourceFile
    array: StoredArray
    upright: bool
    exposure: float | None

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TargetEntry":
        """What `to_dict` gave."""
        source = _source(values)
        return cls(source, _array(values, TARGETS, source), bool(values["upright"]), _number(values["exposure"]))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class MosaicEntry:
    """A dark photo without its mosaic.

    photo: fields of `RawPhoto`, numbers as lists
    sums:  of Eq. 5, for any m
    """

    source: SourceFile
    array: StoredArray
    photo: dict[str, Any]
    sums: WeightedSums

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "MosaicEntry":
        """What `to_dict` gave."""
        sums = WeightedSums(float(values["sums"]["total"]), float(values["sums"]["weighted"]))
        source = _source(values)
        return cls(source, _array(values, MOSAICS, source), dict(values["photo"]), sums)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def raw_photo(self, mosaic: NDArray[np.uint16]) -> RawPhoto:
        """The photo again, around its mosaic; `path` names the source, relative to its data set."""
        photo, matrix = self.photo, self.photo["camera_from_xyz"]
        return RawPhoto(
            mosaic=mosaic,
            cfa=Cfa(photo["cfa"]),
            phase=(int(photo["phase"][0]), int(photo["phase"][1])),
            black_level=np.array(photo["black_level"], dtype=np.float64),
            white_level=float(photo["white_level"]),
            white_balance=np.array(photo["white_balance"], dtype=np.float64),
            camera_to_srgb=np.array(photo["camera_to_srgb"], dtype=np.float64),
            camera_from_xyz=None if matrix is None else np.array(matrix, dtype=np.float64),
            iso=_number(photo["iso"]),
            exposure_time=_number(photo["exposure_time"]),
            orientation=int(photo["orientation"]),
            make=str(photo["make"]),
            model=str(photo["model"]),
            path=Path(self.source.name),
            warnings=tuple(photo["warnings"]),
        )


def describe_photo(photo: RawPhoto) -> dict[str, Any]:
    """The fields of a photo that its entry keeps; exact: JSON's numbers are written in full."""
    arrays = ("black_level", "white_balance", "camera_to_srgb", "camera_from_xyz")
    plain = ("white_level", "iso", "exposure_time", "orientation", "make", "model")
    return {
        "cfa": str(photo.cfa),
        "phase": list(photo.phase),
        **{name: None if (value := getattr(photo, name)) is None else value.tolist() for name in arrays},
        **{name: getattr(photo, name) for name in plain},
        "warnings": list(photo.warnings),
    }


def array_name(kind: str, source: str) -> str:
    """Where the array of a source file lies: its name for people, a hash of the whole of it against confusion."""
    digest = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{kind}/{Path(source).stem[:80]}-{digest}.npy"


def entry_file(cache: Path, kind: str, source: str) -> Path:
    """Where the entry lies: beside the array."""
    return (cache / array_name(kind, source)).with_suffix(".json")


def write_entry(cache: Path, kind: str, entry: MosaicEntry | TargetEntry) -> None:
    """Write an entry, whole or not at all."""
    with atomic_path(entry_file(cache, kind, entry.source.name)) as temporary:
        temporary.write_text(json.dumps({"format": ENTRY_FORMAT, **entry.to_dict()}), encoding="utf-8")


def read_entry(cache: Path, kind: str, source: str) -> MosaicEntry | TargetEntry | None:
    """The entry of a source file, if it is there, can be understood, and its array has the size it tells of."""
    try:
        values = read_object(entry_file(cache, kind, source).read_bytes())
        if values["format"] != ENTRY_FORMAT or values["source"]["name"] != source:
            return None
        entry = (MosaicEntry if kind == MOSAICS else TargetEntry).from_dict(values)
        return entry if (cache / entry.array.file).stat().st_size == entry.array.bytes else None
    except (OSError, ValueError, LookupError, TypeError, OverflowError):
        return None


def open_array(cache: Path, array: StoredArray) -> NDArray[np.uint16]:
    """Map an array: only the parts that are looked at are read. Raises TrainingDataError where it is damaged."""
    path = cache / array.file
    try:
        if path.stat().st_size != array.bytes:
            raise ValueError(f"it has {path.stat().st_size:,} bytes, not {array.bytes:,}")
        mapped = np.lib.format.open_memmap(path, mode="r")  # not np.load, which takes zip files and pickles too
    except _NO_ARRAY as error:
        raise TrainingDataError(f"{path} is damaged ({error}); the `rdi prepare` of its data makes it again") from error
    if mapped.dtype != np.uint16 or mapped.shape != array.shape:
        raise TrainingDataError(f"{path} holds {mapped.dtype} {mapped.shape}, not uint16 {array.shape}")
    plain: NDArray[np.uint16] = mapped.view(np.ndarray)  # without np.memmap's cost for each slice
    return plain


def _source(values: dict[str, Any]) -> SourceFile:
    source = values["source"]
    return SourceFile(str(source["name"]), int(source["bytes"]), int(source["mtime_ns"]), str(source["sha256"]))


def _array(values: dict[str, Any], kind: str, source: SourceFile) -> StoredArray:
    """Raises ValueError for a file that lies anywhere but in its place: it could be any file of this computer."""
    array = values["array"]
    if array["file"] != array_name(kind, source.name):
        raise ValueError(f"the array of {source.name} is said to be {array['file']}")
    shape = tuple(int(extent) for extent in array["shape"])
    return StoredArray(str(array["file"]), shape, int(array["bytes"]), str(array["sha256"]))


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
