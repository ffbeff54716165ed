"""Restore files: decode, restore, write, one photo after the other; a damaged one does not stop the rest."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rdi.camera.photo import RawPhoto
from rdi.errors import InputError, LevelsError, ModelError, OutputError, RdiError
from rdi.runtime.exposure import Amplification, Exposure
from rdi.runtime.pictures import PictureSettings, save_picture
from rdi.runtime.providers import Provider
from rdi.runtime.restorer import Restored, Restorer, Stopwatch
from rdi.runtime.targets import Job
from rdi.runtime.white_balance import WhiteBalance


class Status(StrEnum):
    """What became of a photo."""

    RESTORED = "restored"
    SKIPPED = "skipped"  # its output exists and must not be overwritten
    FAILED = "failed"


@dataclass(frozen=True)
class Summary:
    """How a photo was restored; everything but the pixels, so that a batch keeps no picture in memory.

    camera, iso:   as the file says; iso is None where it does not
    width, height: of the picture, pixels
    white_balance: gains of red, green and blue
    amplification: the factor and why
    provider:      what ran the network
    model:         name of its weights
    milliseconds:  by stage: decode, align, exposure, session, network, encode
    warnings:      what the file lacked
    """

    camera: str
    iso: float | None
    width: int
    height: int
    white_balance: tuple[float, ...]
    amplification: Amplification
    provider: Provider
    model: str
    milliseconds: Mapping[str, float]
    warnings: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        chosen = self.amplification
        return {
            **vars(self),
            "amplification": {**vars(chosen), "held_back": chosen.held_back},
            "milliseconds": {stage: round(time, 1) for stage, time in self.milliseconds.items()},
        }


@dataclass(frozen=True)
class Outcome:
    """What became of one photo.

    job:     the photo and its output
    status:  restored, skipped or failed
    summary: how it was restored; None otherwise
    error:   why it failed; None otherwise
    """

    job: Job
    status: Status
    summary: Summary | None = None
    error: RdiError | None = None

    def as_json(self) -> dict[str, Any]:
        """One object for programs; `output` is None for a failed photo."""
        return {
            "photo": str(self.job.photo),
            "status": str(self.status),
            "output": None if self.error else str(self.job.target),
            "error": str(self.error) if self.error else None,
            **(self.summary.as_json() if self.summary else {}),
        }


def restore_files(
    jobs: Sequence[Job],
    restorer: Restorer,
    *,
    exposure: Exposure | None = None,
    white_balance: WhiteBalance | None = None,
    settings: PictureSettings | None = None,
    overwrite: bool = False,
) -> Iterator[Outcome]:
    """Restore photos into files, yielding what became of each as it is done.

    Errors of a photo or of its output are its outcome; those of a provider or of the options are raised.
    """
    white_balance = white_balance or WhiteBalance()
    white_balance.require_usable(restorer.model)
    for job in jobs:
        if job.target.exists() and not overwrite:
            yield Outcome(job, Status.SKIPPED)
            continue
        try:
            summary = _restore_file(job, restorer, exposure, white_balance, settings)
            yield Outcome(job, Status.RESTORED, summary)
        except (InputError, LevelsError, ModelError, OutputError) as error:
            yield Outcome(job, Status.FAILED, error=error)


def _restore_file(
    job: Job,
    restorer: Restorer,
    exposure: Exposure | None,
    white_balance: WhiteBalance,
    settings: PictureSettings | None,
) -> Summary:
    from rdi.camera.reading import read_photo

    before, after = Stopwatch(), Stopwatch()
    with before.measure("decode"):
        photo = white_balance.apply(read_photo(job.photo))
    restored = restorer.restore(photo, exposure)
    with after.measure("encode"):
        save_picture(restored, job.target, settings)
    return _summarise(photo, restored, {**before.timings, **restored.timings, **after.timings})


def _summarise(photo: RawPhoto, restored: Restored, milliseconds: Mapping[str, float]) -> Summary:
    height, width = restored.image.shape[:2]
    return Summary(
        camera=photo.camera,
        iso=photo.iso,
        width=width,
        height=height,
        white_balance=tuple(photo.white_balance.tolist()),
        amplification=restored.amplification,
        provider=restored.provider,
        model=restored.model.variant,
        milliseconds=milliseconds,
        warnings=photo.warnings,
    )
