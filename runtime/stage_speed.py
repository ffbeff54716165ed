"""What each stage of a photo costs, from raw file to JPEG: each alone, in turn, and all of them as one."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdi.camera.photo import RawPhoto
from rdi.isolated import PHOTO_READING, IsolatedProcess
from rdi.models import shipped_model
from rdi.runtime.decoding import read_isolated
from rdi.runtime.engine import Engine
from rdi.runtime.exposure import Exposure, choose_amplification
from rdi.runtime.model import open_model
from rdi.runtime.pictures import save_picture
from rdi.runtime.providers import Provider
from rdi.runtime.restorer import Restored, Restorer
from rdi.runtime.sessions import Sessions
from rdi.runtime.timing import Latency, counted, interleaved

_EXPLAINED = {
    "decode": "LibRaw, levels and EXIF",
    "exposure": "histogram and amplifier",
    "align": "to the model's phase and size, with mirrored margins",
    "session": "the model is read and ONNX Runtime makes a session; a batch of one camera needs one",
    "network": "levels and gains included",
    "encode": "JPEG of quality 95 with profile and EXIF, until the disk has it",
}


@dataclass(frozen=True)
class StageSpeeds:
    """Figures of one photo.

    photo:  its file's name
    stages: name -> milliseconds; together one call after the other with a session made anew
    whole:  read, `Restorer.restore` and `save_picture` with a new Restorer, in which the session is made while the
            exposure is chosen
    """

    photo: str
    width: int
    height: int
    threads: int
    runs: int
    stages: Mapping[str, Latency]
    whole: Latency

    @property
    def total(self) -> float:
        """Milliseconds of all stages, by the minima."""
        return sum(latency.minimum for latency in self.stages.values())

    def to_dict(self) -> dict[str, Any]:
        """The figures for programs."""
        stages = {name: vars(latency) for name, latency in self.stages.items()}
        return {**vars(self), "stages": stages, "whole": vars(self.whole), "sum_of_stages": self.total}

    def markdown(self) -> str:
        """The figures as a table."""
        lines = [
            f"{self.photo}, {self.width}x{self.height} ({self.width * self.height / 1e6:.1f} megapixels), "
            f"{counted(self.threads, 'thread')}, {counted(self.runs, 'run')} in turn.",
            "",
            "| stage | min ms | median | p95 | share | |",
            "|---|---|---|---|---|---|",
            *(
                f"| {name} | {_milliseconds(latency)} | {latency.minimum / self.total:.0%} | {_EXPLAINED[name]} |"
                for name, latency in self.stages.items()
            ),
            f"| sum of the minima | {self.total:.1f} | | | 100% | |",
            f"| in one go, by `Restorer` | {_milliseconds(self.whole)} | {self.whole.minimum / self.total:.0%} "
            "| the session is made while the exposure is chosen |",
        ]
        return "\n".join(lines)


def measure_stages(path: Path, model: Path | None = None, threads: int | None = None, runs: int = 7) -> StageSpeeds:
    """Time the stages of restoring a raw photo whole, after one round that is not timed.

    It is decoded in a process of its own, as by `rdi infer`. Raises the errors of `read_isolated` and `Restorer`.
    """
    with tempfile.TemporaryDirectory() as folder, IsolatedProcess(PHOTO_READING) as process:
        photo = _Photo(path, model or shipped_model(), threads, Path(folder), process)
        times = interleaved({**photo.stages(), "whole": photo.restore_whole}, runs)
    latencies = {name: Latency.of(taken) for name, taken in times.items()}
    whole = latencies.pop("whole")
    used = photo.engine.sessions.threads
    return StageSpeeds(path.name, photo.raw.width, photo.raw.height, used, runs, latencies, whole)


class _Photo:
    """A photo, and what each stage hands to the next."""

    def __init__(self, path: Path, model: Path, threads: int | None, folder: Path, process: IsolatedProcess) -> None:
        self.path, self.model, self.threads, self.target = path, model, threads, folder / "picture.jpg"
        self._process = process
        self.raw = self.read()
        self.engine = self._engine()
        self.prepared = self.engine.prepare(self.raw, 8)
        self.restored = Restorer(model, threads=threads).restore(self.raw, bits=8)

    def stages(self) -> dict[str, Callable[[], object]]:
        """Each as a call that can be repeated."""
        value = self.restored.amplification.value
        return {
            "decode": self.read,
            "exposure": lambda: choose_amplification(self.raw, self.engine.metadata, Exposure()),
            "align": lambda: self.engine.prepare(self.raw, 8),
            "session": lambda: self._engine().load(self.prepared),
            "network": lambda: self.engine.run(self.prepared, value),
            "encode": lambda: save_picture(self.restored, self.target),
        }

    def read(self) -> RawPhoto:
        """From the file."""
        return read_isolated(self._process, self.path).value

    def restore_whole(self) -> Restored:
        """As `rdi infer` does it, one call after the other."""
        restored = Restorer(self.model, threads=self.threads).restore(self.read(), bits=8)
        save_picture(restored, self.target)
        return restored

    def _engine(self) -> Engine:
        return Engine(Sessions(open_model(self.model), Provider.CPU, self.threads))


def _milliseconds(latency: Latency) -> str:
    return f"{latency.minimum:.1f} | {latency.median:.1f} | {latency.p95:.1f}"
