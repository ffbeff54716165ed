"""The bar that a batch shows on a terminal; `rich` is loaded here only."""

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
    def hidden(self) -> Iterator[None]:
        """Take the bar away while whole lines are printed: rich would wrap what it prints above a bar itself."""
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()


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
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with progress:
        yield BatchBar(progress, progress.add_task("", total=wanted))
