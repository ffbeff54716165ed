"""How fast pictures are written, against Pillow and against the network: in turn, on a picture that rdi restored."""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rdi.camera.photo import RawPhoto
from rdi.camera.reading import read_photo
from rdi.depth import to_8_bits
from rdi.models import shipped_sample
from rdi.runtime.pictures import Format, PictureSettings, save_picture
from rdi.runtime.restorer import Restored, Restorer

JPEG, PNG, PNG_16, TIFF = "JPEG, quality 95", "PNG", "PNG, 16 bits", "TIFF, 16 bits"
_OURS = {
    JPEG: PictureSettings(),
    PNG: PictureSettings(Format.PNG, 8),
    PNG_16: PictureSettings(Format.PNG, 16),
    TIFF: PictureSettings(Format.TIFF, 16),
}


@dataclass(frozen=True)
class EncoderSpeed:
    """Figures of one encoder; times are the least of all runs, milliseconds.

    name:    what is written
    ours:    with profile, EXIF and the wait until the disk has it
    pillow:  the same 8 bits written by Pillow (a PNG at its fastest level, 1); None where Pillow has no such format
    network: the network's time for the same frame
    bytes:   of our file
    """

    name: str
    ours: float
    pillow: float | None
    network: float
    bytes: int

    def to_dict(self) -> dict[str, Any]:
        """The figures for programs."""
        return {**vars(self), "times_pillow": self.ours / self.pillow if self.pillow else None}


@dataclass(frozen=True)
class EncoderSpeeds:
    """Figures of all encoders on one frame."""

    encoders: tuple[EncoderSpeed, ...]

    def to_dict(self) -> dict[str, Any]:
        """The figures for programs."""
        return {"encoders": [encoder.to_dict() for encoder in self.encoders]}

    def markdown(self) -> str:
        """The figures as a table."""
        lines = ["| written | ms | times Pillow's | of the network's time | MB |", "|---|---|---|---|---|"]
        for item in self.encoders:
            ratio = f"{item.ours / item.pillow:.2f}" if item.pillow else "-"
            share = f"{item.ours / item.network:.0%}"
            lines.append(f"| {item.name} | {item.ours:.0f} | {ratio} | {share} | {item.bytes / 1e6:.1f} |")
        return "\n".join(lines)


def measure_encoders(restorer: Restorer, size: tuple[int, int], runs: int = 7) -> EncoderSpeeds:
    """Time the encoders, Pillow's and the network in turn, after one round that is not timed.

    size: (height, width) of the frame: the shipped sample, repeated
    """
    photo = _repeated(read_photo(shipped_sample()), size)
    restored = restorer.restore(photo)
    with tempfile.TemporaryDirectory() as folder:
        calls = {"network": lambda: restorer.restore(photo).timings["network"], **_writers(restored, Path(folder))}
        rounds = [{name: call() for name, call in calls.items()} for _ in range(1 + runs)][1:]
        least = {name: min(times[name] for times in rounds) for name in calls}
        sizes = {name: (Path(folder) / f"{name}{item.format.suffix}").stat().st_size for name, item in _OURS.items()}
    # Pillow has no PNG of 16 bits a channel: its PNG of 8 stands in.
    pillow = {JPEG: least["Pillow JPEG"], PNG: least["Pillow PNG"], PNG_16: least["Pillow PNG"]}
    found = (EncoderSpeed(name, least[name], pillow.get(name), least["network"], sizes[name]) for name in _OURS)
    return EncoderSpeeds(tuple(found))


def _repeated(photo: RawPhoto, size: tuple[int, int]) -> RawPhoto:
    period = photo.cfa.period
    cell = photo.mosaic[: photo.height // period * period, : photo.width // period * period]
    times = [-(-wanted // have) for wanted, have in zip(size, cell.shape, strict=True)]
    return photo.replace(mosaic=np.ascontiguousarray(np.tile(cell, times)[: size[0], : size[1]]))


def _writers(restored: Restored, folder: Path) -> Mapping[str, Callable[[], float]]:
    """Name -> a call that writes a file and returns the milliseconds it took."""
    from PIL import Image

    def pillow(name: str, **options: Any) -> None:
        Image.fromarray(to_8_bits(restored.image)).save(folder / name, **options)

    writers: dict[str, Callable[[], object]] = {
        name: partial(save_picture, restored, folder / f"{name}{item.format.suffix}", item)
        for name, item in _OURS.items()
    }
    writers["Pillow JPEG"] = partial(pillow, "a.jpg", quality=95, subsampling="4:4:4")
    writers["Pillow PNG"] = partial(pillow, "a.png", compress_level=1)
    return {name: partial(_milliseconds, write) for name, write in writers.items()}


def _milliseconds(write: Callable[[], object]) -> float:
    begun = time.perf_counter()
    write()
    return (time.perf_counter() - begun) * 1000
