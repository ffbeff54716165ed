"""Restore files: decode, restore, write, one photo after the other; a damaged one does not stop the rest."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Any

from rdi.camera.photo import RawPhoto
from rdi.errors import InputError, LevelsError, ModelError, OutputError, RdiError
from rdi.runtime.exposure import Exposure
from rdi.runtime.pictures import PictureSettings, save_picture
from rdi.runtime.rendering import save_comparison
from rdi.runtime.restorer import Restored, Restorer, Stopwatch
from rdi.runtime.summary import Summary, summarise, write_sidecar
from rdi.runtime.targets import Job
from rdi.runtime.white_balance import WhiteBalance

PHOTO_ERRORS = (InputError, LevelsError, ModelError, OutputError)  # of one photo: they do not stop the others


class Status(StrEnum):
    """What became of a photo."""

    RESTORED = "restored"
    SKIPPED = "skipped"  # its output exists and must not be overwritten
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """What became of one picture.

    job:      the photo and its outputs
    status:   restored, skipped or failed
    summary:  how it was restored; None otherwise
    error:    why it failed; None otherwise; one and the same for all pictures of a photo that cannot be read
    existing: the output because of which it was skipped; None otherwise
    """

    job: Job
    status: Status
    summary: Summary | None = None
    error: RdiError | None = None
    existing: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """One object for programs; `output` is None for a failed photo."""
        job = self.job
        written = {"output": job.target, "sidecar": job.sidecar, "compared": job.compared}
        return {
            "photo": str(job.photo),
            "status": str(self.status),
            **{name: None if self.error or path is None else str(path) for name, path in written.items()},
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

    Jobs of one photo that follow each other, a bracket, share one decoding. Errors of a photo or of its output are its
    outcome; those of a provider or of the options are raised.
    """
    white_balance = white_balance or WhiteBalance()
    white_balance.require_usable(restorer.model)
    for _, bracket in groupby(jobs, key=lambda job: job.photo):
        wanted = []
        for job in bracket:
            existing = None if overwrite else job.existing
            if existing is None:
                wanted.append(job)
            else:
                yield Outcome(job, Status.SKIPPED, existing=existing)
        yield from _restore_photo(wanted, restorer, exposure, white_balance, settings)


def _restore_photo(
    jobs: Sequence[Job],
    restorer: Restorer,
    exposure: Exposure | None,
    white_balance: WhiteBalance,
    settings: PictureSettings | None,
) -> Iterator[Outcome]:
    """The pictures of one photo, each an outcome: read and aligned once, restored and written one after the other."""
    from rdi.camera.reading import read_photo

    left = deque(jobs)
    if not left:
        return
    decoding = Stopwatch()
    try:
        with decoding.measure("decode"):
            photo = white_balance.apply(read_photo(left[0].photo))
        for restored in restorer.restore_bracket(photo, exposure, [job.ev for job in jobs]):
            yield _write(left.popleft(), photo, restored, decoding.timings, settings)
    except PHOTO_ERRORS as error:
        yield from (Outcome(job, Status.FAILED, error=error) for job in left)


def _write(
    job: Job,
    photo: RawPhoto,
    restored: Restored,
    decoding: Mapping[str, float],
    settings: PictureSettings | None,
) -> Outcome:
    """Write the files of one picture."""
    encoding = Stopwatch()
    try:
        with encoding.measure("encode"):
            save_picture(restored, job.target, settings)
        summary = summarise(photo, restored, {**decoding, **restored.timings, **encoding.timings})
        if job.sidecar is not None:
            write_sidecar(job.photo, job.target, summary, job.sidecar)
        if job.compared is not None:
            save_comparison(photo, restored, job.compared)
    except PHOTO_ERRORS as error:
        return Outcome(job, Status.FAILED, error=error)
    return Outcome(job, Status.RESTORED, summary)
