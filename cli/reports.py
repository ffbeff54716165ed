"""What `rdi infer` says of each picture, while a batch runs and at its end: results to stdout, the rest to stderr."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

import typer

from rdi.cli.terminal import one_line, show, show_json, tell
from rdi.runtime.outcomes import Outcome, Tally
from rdi.runtime.targets import Job


class Bar(Protocol):
    """Shows how far a batch has come."""

    def advance(self) -> None:
        """One more picture is done."""

    def hidden(self) -> AbstractContextManager[object]:
        """While in it, the terminal is free for whole lines."""


@contextmanager
def reporting(jobs: Sequence[Job], as_json: bool) -> Iterator[Callable[[Outcome], None]]:
    """A call that prints an outcome; at the end, for more than one photo, a summary; exits with 1 if any failed."""
    tally, begun, wanted = Tally(), time.monotonic(), len(jobs)
    try:
        with _progress(0 if as_json else wanted) as bar:
            yield _Reporter(tally, wanted, as_json, bar).tell
    finally:
        if len({job.photo for job in jobs}) > 1:
            _complain(tally.describe(wanted, time.monotonic() - begun))
    if tally.failed:
        raise typer.Exit(1)


class _Reporter:
    """Prints outcomes as they come."""

    def __init__(self, tally: Tally, wanted: int, as_json: bool, bar: Bar) -> None:
        self._tally, self._wanted, self._as_json, self._bar = tally, wanted, as_json, bar
        self._told = set[str]()

    def tell(self, outcome: Outcome) -> None:
        """Count and print one; called on the thread that writes, for one after the other."""
        self._tally.add(outcome)
        counter = f"[{self._tally.total}/{self._wanted}] " if self._wanted > 1 else ""
        with self._bar.hidden():
            for text in complaints(outcome):
                if text not in self._told:  # the pictures of a bracket share what there is to say of their photo
                    _complain(text)
            _print_result(outcome, counter, self._as_json)
        self._told.update(complaints(outcome))
        self._bar.advance()


def _complain(text: str) -> None:
    tell(f"rdi: {text}")


def _print_result(outcome: Outcome, counter: str, as_json: bool) -> None:
    """Written out at once: for a program that reads along, and so that a full disk is known before the next picture."""
    if as_json:
        show_json(outcome.as_json())
    elif not outcome.error:
        show(counter + describe(outcome))


def complaints(outcome: Outcome) -> list[str]:
    """Warnings and the error, each with its photo."""
    name = str(outcome.job.photo)
    texts = [*(outcome.summary.warnings if outcome.summary else ()), *([str(outcome.error)] if outcome.error else [])]
    return [text if name in text else f"{name}: {text}" for text in texts]


def describe(outcome: Outcome) -> str:
    """A restored or skipped picture for people."""
    summary = outcome.summary
    if summary is None:
        return f"{one_line(outcome.job.photo)}: {_left(outcome)}"
    iso = f"ISO {summary.iso:g}" if summary.iso else "ISO unknown"
    chosen = summary.amplification
    stages = ", ".join(f"{stage} {time:.0f}" for stage, time in summary.milliseconds.items())
    return (
        f"{one_line(outcome.job.photo)}: {one_line(summary.camera)}, {iso}, {summary.width}x{summary.height}\n"
        f"  amplification {chosen.value:.4g} ({chosen.describe()})\n"
        f"  provider {summary.provider}{', in strips' if summary.in_strips else ''}; milliseconds: {stages}\n"
        f"  {', '.join(map(one_line, outcome.written))}" + (f"\n  {_left(outcome)}" if outcome.kept else "")
    )


def _left(outcome: Outcome) -> str:
    names = ", ".join(map(one_line, outcome.kept))
    if len(outcome.kept) == 1:
        return f"{names} exists and was left as it is; --overwrite replaces it"
    return f"{names} exist and were left as they are; --overwrite replaces them"


class _NoBar:
    def advance(self) -> None:
        pass

    def hidden(self) -> AbstractContextManager[object]:
        return nullcontext()


@contextmanager
def _progress(wanted: int) -> Iterator[Bar]:
    """A bar on stderr, with pictures a second and the time left; only for a batch, and only on a terminal."""
    if wanted < 2 or not sys.stderr.isatty():
        yield _NoBar()
        return
    from rdi.cli.progress import batch_progress

    with batch_progress(wanted) as bar:
        yield bar
