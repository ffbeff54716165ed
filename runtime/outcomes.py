"""What became of the pictures of a batch."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from rdi.errors import RdiError
from rdi.runtime.summary import Summary
from rdi.runtime.targets import Job


class Status(StrEnum):
    """What became of a picture."""

    RESTORED = "restored"
    SKIPPED = "skipped"  # its outputs exist and must not be overwritten
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """What became of one picture.

    job:      the photo and its outputs
    status:   restored, skipped or failed
    summary:  how it was restored; None otherwise
    error:    why it failed; None otherwise; one and the same for all pictures of a photo that cannot be read
    written:  the outputs that were written, which may be some even where it failed
    kept:     the outputs that were there and had to be left as they were
    """

    job: Job
    status: Status
    summary: Summary | None = None
    error: RdiError | None = None
    written: tuple[Path, ...] = ()
    kept: tuple[Path, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """One object for programs; `output`, `sidecar` and `compared` are None where the file is not there."""
        job = self.job
        outputs = {"output": job.target, "sidecar": job.sidecar, "compared": job.compared}
        there = {*self.written, *self.kept}
        return {
            "photo": str(job.photo),
            "status": str(self.status),
            **{name: str(path) if path in there else None for name, path in outputs.items()},
            "error": str(self.error) if self.error else None,
            **(self.summary.as_json() if self.summary else {}),
        }


class Tally:
    """Counts outcomes, for the line at the end."""

    def __init__(self) -> None:
        self._counts: Counter[Status] = Counter()

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        self._counts[outcome.status] += 1

    @property
    def total(self) -> int:
        """How many there were so far."""
        return self._counts.total()

    @property
    def failed(self) -> int:
        """How many failed."""
        return self._counts[Status.FAILED]

    def describe(self, wanted: int, seconds: float) -> str:
        """One line: `20 pictures: 17 restored, 2 skipped, 1 failed; 14.2 s, 1.41 pictures/s`.

        wanted:  how many there should have been; where the batch was broken off, the rest is `not begun`
        seconds: since the batch began
        """
        parts = [f"{self._counts[status]} {status}" for status in Status if self._counts[status]]
        if rest := wanted - self.total:
            parts.append(f"{rest} not done")
        restored = self._counts[Status.RESTORED]
        speed = f", {restored / seconds:.3g} pictures/s" if restored else ""
        return f"{wanted} pictures: {', '.join(parts)}; {seconds:.1f} s{speed}"
