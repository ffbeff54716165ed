"""`rdi train`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rdi.errors import MissingPackageError, UsageError
from rdi.extras import install_hint

if TYPE_CHECKING:
    from rdi.training.loop import Observer
    from rdi.training.settings import TrainingSettings

CHOICES = """nothing to train on: there is no ./Sony folder with Sony_train_list.txt here. Choose one:
  rdi train --photos DIR    simulated dark captures of your own photos (JPEG, PNG, TIFF)
  rdi train --sid DIR       the See-in-the-Dark dataset: the folder that holds Sony/ and its lists"""


def train(
    photos: Annotated[Path | None, typer.Option(help="Folder of ordinary photos to simulate dark captures of.")] = None,
    sid: Annotated[
        Path | None, typer.Option(help="Folder that holds SID's Sony/ and its lists; by default this one, if it does.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run; by default runs/ and the date and time.")] = None,
    init: Annotated[Path | None, typer.Option(help="Weights to start from (.safetensors); default: random.")] = None,
    steps: Annotated[int, typer.Option(help="Optimiser steps.", min=1)] = 20_000,
    batch: Annotated[int, typer.Option(help="Crops in a step.", min=1)] = 8,
    crop: Annotated[int, typer.Option(help="Side of a crop in pixels, a multiple of 32 above 160.")] = 256,
    learning_rate: Annotated[float, typer.Option(help="AdamW's, at its highest; cosine decay.")] = 1e-3,
    iso: Annotated[str, typer.Option(help="Simulated ISO, LOW-HIGH, log-uniform, within 50-25600.")] = "400-12800",
    ratio: Annotated[str, typer.Option(help="Exposure ratio, LOW-HIGH, log-uniform.")] = "2-300",
    white_balance: Annotated[
        str, typer.Option(help="input: gains multiply the mosaic; baked: the paper's way, one camera's daylight.")
    ] = "input",
    seed: Annotated[int, typer.Option(help="Of data and initial weights.", min=0)] = 0,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    threads: Annotated[int | None, typer.Option(help="CPU threads; default: PyTorch's choice.", min=1)] = None,
    workers: Annotated[int, typer.Option(help="Processes that simulate captures; 0 = none beside.", min=0)] = 1,
    mixed_precision: Annotated[
        bool, typer.Option(help="Convolutions in bfloat16; weights and loss stay float32.")
    ] = True,
    checkpoint_every: Annotated[int, typer.Option(help="Steps between two checkpoints.", min=1)] = 500,
    validate_every: Annotated[int, typer.Option(help="Steps between two validations.", min=1)] = 2_000,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the checkpoint of an earlier run.")] = False,
) -> None:
    """Train the network and write runs/DATE/checkpoint.safetensors; Ctrl-C keeps the last step.

    Trains on simulated dark captures of your photos or on SID; bare, on the SID that lies in the current folder. Photos
    named in VALIDATION.txt or HARDER.txt beside them are never trained on.

    Example: rdi train --photos ~/Pictures --steps 20000
    """
    if photos is None and sid is None:
        sid = _sid_here()
    if photos and sid:
        raise UsageError("--photos and --sid exclude each other; give one of them")
    settings = _settings(
        steps=steps,
        batch=batch,
        crop=crop,
        learning_rate=learning_rate,
        iso=_range("--iso", iso),
        ratio=_range("--ratio", ratio),
        white_balance=white_balance,
        seed=seed,
        mixed_precision=mixed_precision,
        workers=workers,
        checkpoint_every=checkpoint_every,
        validate_every=validate_every,
    )
    _prepare(device, threads)
    from rdi.checkpoint import load_checkpoint
    from rdi.runs import new_run
    from rdi.training.loop import prepare_run
    from rdi.training.loop import train as run_training
    from rdi.training.sources import PhotoSource, SidSource

    initial = load_checkpoint(init) if init else None
    source = PhotoSource(photos, settings) if photos else SidSource(sid or Path(), settings)
    run_folder = prepare_run(out or new_run(), overwrite=overwrite)
    with _Display(settings.steps) as display:
        path = run_training(source, run_folder, settings, initial=initial, device=device, observer=display.observer())
    print(
        f"wrote {path} after {display.done} steps; export it with: rdi export --checkpoint {path} --out models/rdi.onnx"
    )


def _sid_here() -> Path:
    here = Path()
    if (here / "Sony").is_dir() and (here / "Sony_train_list.txt").is_file():
        return here
    raise UsageError(CHOICES)


def _settings(white_balance: str, **values: object) -> "TrainingSettings":
    # Threads that spin while they wait take the core from the process they wait for: with two loader workers on two
    # cores a step took 0.95 s, with passive waiting 0.27 s. Read when torch is loaded, hence here.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from rdi.training.settings import TrainingSettings
    except ModuleNotFoundError as error:
        raise MissingPackageError(f"training needs {error.name}: {install_hint('train')}") from error
    from rdi.metadata import WhiteBalance

    if white_balance not in list(WhiteBalance):
        raise UsageError(f"--white-balance {white_balance} is unknown; give input or baked")
    return TrainingSettings(white_balance=WhiteBalance(white_balance), **values)  # type: ignore[arg-type]


def _range(option: str, text: str) -> tuple[float, float]:
    """LOW-HIGH, or one number for both."""
    low, _, high = text.partition("-")
    try:
        return float(low), float(high or low)
    except ValueError as error:
        raise UsageError(f"{option} {text} is no range; give LOW-HIGH, for example 400-12800") from error


def _prepare(device: str, threads: int | None) -> None:
    import torch

    if device not in ("cpu", "cuda"):
        raise UsageError(f"--device {device} is unknown; give cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device cuda: this PyTorch sees no CUDA device; install a CUDA build or give --device cpu")
    if threads:
        torch.set_num_threads(threads)


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
