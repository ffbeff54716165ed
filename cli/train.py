"""`rdi train`."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rdi.cli.train_options import with_settings
from rdi.errors import MissingPackageError, UsageError
from rdi.extras import install_hint
from rdi.training.configuration import configure

if TYPE_CHECKING:
    from rdi.training.configuration import Configuration
    from rdi.training.loop import Observer
    from rdi.training.settings import TrainingSettings

CHOICES = """nothing to train on: there is no ./Sony folder with Sony_train_list.txt here. Choose one:
  rdi train --photos DIR    simulated dark captures of your own photos (JPEG, PNG, TIFF)
  rdi train --sid DIR       the See-in-the-Dark dataset: the folder that holds Sony/ and its lists"""


@with_settings
def train(
    config: Annotated[
        Path | None,
        typer.Option(help="TOML file with settings, by their names here without the dashes.", metavar="FILE"),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="default, or paper: as published.", metavar="default|paper", show_default=False)
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the checkpoint of an earlier run.")] = False,
    **given: Any,
) -> None:
    """Train the network and write runs/DATE/checkpoint.safetensors; Ctrl-C keeps the last step.

    Trains on simulated dark captures of your photos or on SID; bare, on the SID that lies in the current folder. Photos
    named in VALIDATION.txt or HARDER.txt beside them are never trained on. Options overrule the file, which overrules
    the preset.

    Example: rdi train --photos ~/Pictures --steps 20000
    """
    configuration = _configure(config, preset, given)
    settings, places = configuration.settings, configuration.places
    _prepare(settings)
    from rdi.checkpoint import load_checkpoint
    from rdi.runs import new_run
    from rdi.training.loop import prepare_run
    from rdi.training.loop import train as run_training
    from rdi.training.sources import open_source

    initial = load_checkpoint(places.init) if places.init else None
    source = open_source(places, settings)
    run_folder = prepare_run(places.out or new_run(), overwrite=overwrite)
    with _Display(settings.steps) as display:
        path = run_training(source, run_folder, settings, initial=initial, observer=display.observer())
    print(
        f"wrote {path} after {display.done} steps; export it with: rdi export --checkpoint {path} --out models/rdi.onnx"
    )


def _configure(config: Path | None, preset: str | None, given: dict[str, Any]) -> "Configuration":
    # Threads that spin while they wait take the core from the process they wait for: with two loader workers on two
    # cores a step took 0.95 s, with passive waiting 0.27 s. Read when torch is loaded, hence here.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        configuration = configure(given, config, preset)
    except ModuleNotFoundError as error:
        raise MissingPackageError(f"training needs {error.name}: {install_hint('train')}") from error
    places = configuration.places
    if not any((places.photos, places.sid, places.pairs, places.cache)):
        places = replace(places, sid=_sid_here())
    return replace(configuration, places=places)


def _sid_here() -> Path:
    here = Path()
    if (here / "Sony").is_dir() and (here / "Sony_train_list.txt").is_file():
        return here
    raise UsageError(CHOICES)


def _prepare(settings: "TrainingSettings") -> None:
    import torch

    if settings.device == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device cuda: this PyTorch sees no CUDA device; install a CUDA build or give --device cpu")
    if settings.threads:
        torch.set_num_threads(settings.threads)


class _Display:
    """Progress on stderr: a bar with loss, images/s and time left; a line for each validation."""

    def __init__(self, steps: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self.console = Console(file=sys.stderr)
        self.bar = Bar(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]}"),
            TextColumn("{task.fields[speed]} images/s"),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
        )
        self.task = self.bar.add_task("training", total=steps, loss="-", speed="-")
        self.done = 0
        self.average: float | None = None

    def __enter__(self) -> "_Display":
        return self

    def __exit__(self, *raised: object) -> None:
        self.bar.stop()

    def observer(self) -> "Observer":
        from rdi.training.loop import Observer, Progress, Validation

        def start(training: int, validation: int, notes: list[str]) -> None:
            for note in notes:
                self.console.print(note)
            self.bar.start()
            self.console.print(f"{training} pictures to train on, {validation} held out for validation")

        def step(progress: Progress) -> None:
            self.done = progress.step
            self.average = progress.loss if self.average is None else 0.98 * self.average + 0.02 * progress.loss
            speed = self.bar.tasks[self.task].speed
            images = progress.images // progress.step
            self.bar.update(
                self.task,
                completed=progress.step,
                loss=f"{self.average:.4f}",
                speed=f"{speed * images:.1f}" if speed else "-",
            )

        def validation(result: Validation) -> None:
            self.console.print(
                f"step {result.step}: validation PSNR {result.psnr:.2f} dB, SSIM {result.ssim:.4f} "
                f"({result.frames} frames), loss {self.average:.4f}"
            )

        return Observer(on_start=start, on_step=step, on_validation=validation)
