"""How close a batch comes to what the CPU work of its stages allows, and a single photo to the sum of its stages.

The work is CPU time, each stage alone and on one thread, so that waiting and spinning threads do not pass for work. No
arrangement of the stages can be faster than that work divided by the cores.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rdi.camera.photo import RawPhoto
from rdi.camera.reading import read_photo
from rdi.errors import InputError
from rdi.isolated import PHOTO_READING, IsolatedProcess
from rdi.runtime.batch import restore_files
from rdi.runtime.decoding import call_on_photo
from rdi.runtime.outcomes import Status
from rdi.runtime.pictures import save_picture
from rdi.runtime.restorer import Restorer
from rdi.runtime.targets import Job
from rdi.runtime.threads import physical_cores

_SAMPLED = 3  # photos whose stages are measured alone


@dataclass(frozen=True)
class BatchSpeed:
    """Figures of one batch.

    photos:      how many
    cores:       that rdi may use
    work:        CPU milliseconds of a photo: decode, restore, encode
    seconds:     that the batch took, with the start of its session and of LibRaw's process
    one_process: seconds of `rdi infer` on the first photo, as a whole process
    one_stages:  seconds that this process says its stages took
    """

    photos: int
    cores: int
    work: Mapping[str, float]
    seconds: float
    one_process: float
    one_stages: float

    @property
    def limit(self) -> float:
        """Pictures a second that the work allows on these cores."""
        return self.cores * 1000 / sum(self.work.values())

    @property
    def speed(self) -> float:
        """Pictures a second."""
        return self.photos / self.seconds

    def to_dict(self) -> dict[str, Any]:
        """The figures for programs."""
        return {
            **vars(self),
            "work": dict(self.work),
            "limit": self.limit,
            "speed": self.speed,
            "share_of_limit": self.speed / self.limit,
            "process_over_stages": self.one_process / self.one_stages,
        }

    def markdown(self) -> str:
        """The figures for people, as a list."""
        work = ", ".join(f"{stage} {time:.0f}" for stage, time in self.work.items())
        share, overhead = self.speed / self.limit, self.one_process / self.one_stages
        return (
            f"- CPU milliseconds of a photo: {work}; on {self.cores} cores at most {self.limit:.3g} pictures/s\n"
            f"- batch of {self.photos}: {self.seconds:.1f} s, {self.speed:.3g} pictures/s, {share:.2f} of that\n"
            f"- one photo as a process: {self.one_process:.2f} s, {overhead:.2f} times its stages"
        )


def measure_batch(photos: Sequence[Path], out: Path, model: Path | None = None) -> BatchSpeed:
    """Measure on raw photos of one size; an idle computer is needed for figures that mean anything.

    out: an empty folder for the pictures
    Raises InputError where a photo cannot be restored.
    """
    process, stages = _alone(photos[0], out / "alone.jpg", model)
    work = _work(photos[:_SAMPLED], out / "work.jpg", model)
    jobs = [Job(photo, out / f"{number}.jpg") for number, photo in enumerate(photos)]
    restorer = Restorer(model)
    begun = time.perf_counter()
    for outcome in restore_files(jobs, restorer):
        if outcome.status is not Status.RESTORED:
            raise InputError(f"{outcome.job.photo} cannot be measured: {outcome.error}")
    return BatchSpeed(len(photos), physical_cores(), work, time.perf_counter() - begun, process, stages)


def _alone(photo: Path, target: Path, model: Path | None) -> tuple[float, float]:
    """Seconds of a whole process and of its stages, the faster of three runs."""
    command = [sys.executable, "-m", "rdi.cli", "infer", str(photo), "--out", str(target), "--overwrite", "--json"]
    command += ["--model", str(model)] if model else []
    runs = []
    for _ in range(3):
        begun = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - begun
        if done.returncode:
            raise InputError(f"{photo} cannot be measured: {done.stderr.strip()}")
        runs.append((seconds, sum(json.loads(done.stdout)["milliseconds"].values()) / 1000))
    return min(runs)


def _work(photos: Sequence[Path], target: Path, model: Path | None) -> dict[str, float]:
    """CPU milliseconds of each stage, the mean over photos of the least of three runs."""
    restorer = Restorer(model, threads=1)
    totals = {"decode": 0.0, "restore": 0.0, "encode": 0.0}
    with IsolatedProcess(PHOTO_READING) as process:
        for path in photos:
            photo, decode = call_on_photo(process, _read, path).value
            restored = restorer.restore(photo)
            totals["decode"] += decode
            totals["restore"] += _cpu_milliseconds(partial(restorer.restore, photo))
            totals["encode"] += _cpu_milliseconds(partial(save_picture, restored, target, threads=1))
    return {stage: total / len(photos) for stage, total in totals.items()}


def _read(path: Path) -> tuple[RawPhoto, float]:
    """A photo, and the CPU milliseconds that reading it takes the process in which this is called."""
    return read_photo(path), _cpu_milliseconds(partial(read_photo, path))


def _cpu_milliseconds(call: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        begun = time.process_time()
        call()
        times.append((time.process_time() - begun) * 1000)
    return min(times)
