"""What `rdi train` shows on stderr: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from rdi.cli.terminal import one_line, tell

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from rdi.training.loop import Observer, Progress
    from rdi.training.validation import Validation

LINE_EVERY = 30.0  # seconds, where stderr is no terminal
MEMORY = 0.9  # of the speed: how much of the measured one stays


class Display:
    """Steps, loss, images a second and time left; a line for each validation and each note."""

    def __init__(self, steps: int, start: int = 0) -> None:
        """start: steps that were done before."""
        self.steps, self.done = steps, start
        self._bar: Bar | None = None
        self._speed: float | None = None  # steps a second
        self._stepped = self._lined = time.monotonic()

    def __enter__(self) -> "Display":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()

    def observer(self) -> "Observer":
        """What the loop tells it."""
        from rdi.training.loop import Observer

        return Observer(on_start=self._start, on_step=self._step, on_validation=self._validation, on_note=self._say)

    def _start(self, training: int, validation: int, notes: list[str]) -> None:
        for note in notes:
            self._say(note)
        self._say(f"{training} pictures to train on, {validation} held out for validation")
        if self.done:
            self._say(f"going on from step {self.done}")
        if sys.stderr.isatty():
            self._bar = _make_bar()
            self._bar.add_task("training", total=self.steps, completed=self.done, loss="-", speed="-", left="")
            self._bar.start()
        self._stepped = self._lined = time.monotonic()

    def _step(self, progress: "Progress") -> None:
        now = time.monotonic()
        newest = 1 / max(now - self._stepped, 1e-9)
        self._speed = newest if self._speed is None else 1 / (MEMORY / self._speed + (1 - MEMORY) / newest)
        self._stepped, self.done = now, progress.step
        images = f"{self._speed * progress.images / progress.step:.1f}"
        left = _duration((progress.steps - progress.step) / self._speed)
        if self._bar:
            task = self._bar.task_ids[0]
            self._bar.update(
                task, completed=progress.step, loss=f"{progress.running_loss:.4f}", speed=images, left=left
            )
        elif now - self._lined > LINE_EVERY:
            self._lined = now
            done = f"step {progress.step} of {progress.steps}"
            self._say(f"{done}: loss {progress.running_loss:.4f}, {images} images/s, {left} left")

    def _validation(self, result: "Validation") -> None:
        parts = "".join(f"; {name} {psnr:.2f} dB, {ssim:.4f}" for name, (psnr, ssim) in result.parts.items())
        frames = f"{result.frames} frame{'s' * (result.frames > 1)}"
        figures = f"PSNR {result.psnr:.2f} dB, SSIM {result.ssim:.4f} ({frames}{parts})"
        self._say(f"step {result.step}: validation {figures}")
        self._stepped = time.monotonic()

    def _say(self, text: str) -> None:
        if self._bar:
            self._bar.console.print(one_line(text), markup=False, highlight=False, soft_wrap=True)
        else:
            tell(text)


def _make_bar() -> "Bar":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    return Progress(
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]}"),
        TextColumn("{task.fields[speed]} images/s"),
        TextColumn("{task.fields[left]} left"),
        console=Console(stderr=True),
    )


def _duration(seconds: float) -> str:
    """1:02:03, or 2:03 below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
