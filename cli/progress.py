"""The bar that a batch shows on a terminal; `rich` is loaded here only."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TaskID, TimeRemainingColumn
from rich.text import Text


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.3g} pictures/s" if task.speed else "", style="progress.data.speed")


class BatchBar:
    """A running bar; `advance` moves it on by one picture."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def advance(self) -> None:
        """One more picture is done."""
        self._progress.advance(self._task)


@contextmanager
def batch_progress(wanted: int) -> Iterator[BatchBar]:
    """Show a bar on stderr: pictures done, pictures a second, time left; it goes away at the end."""
    progress = Progress(
        BarColumn(),
        MofNCompleteColumn(),
        _Speed(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        # Results printed on the same terminal go above the bar; into a file they go past it, as they are.
        redirect_stdout=sys.stdout.isatty(),
        redirect_stderr=True,
    )
    with progress:
        yield BatchBar(progress, progress.add_task("", total=wanted))
