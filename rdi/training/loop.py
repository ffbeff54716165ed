"""The training loop: steps, checkpoints, validation; can be stopped at any time."""

import math
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from rdi import __version__, protocol, reference
from rdi.checkpoint import load_checkpoint, save_checkpoint
from rdi.errors import TrainingDataError
from rdi.metadata import ModelMetadata
from rdi.metrics import psnr
from rdi.network import RestorationNetwork
from rdi.training.captures import SimulatedCaptures
from rdi.training.loss import restoration_loss
from rdi.training.photos import PhotoShelf, split_photos
from rdi.training.settings import TrainingSettings

CHECKPOINT = "checkpoint.safetensors"
VALIDATION_RATIO = 100.0
VALIDATION_PHOTOS = 12  # at most: full frames, every validate_every steps
FINAL_LEARNING_RATE = 0.01  # share of the highest
GRADIENT_NORM = 1.0  # larger gradients are scaled down to it; a rare all-dark batch would throw the weights far off


@dataclass(frozen=True)
class Progress:
    """What a run reports after each step."""

    step: int
    steps: int
    images: int
    loss: float


@dataclass(frozen=True)
class Validation:
    """Quality on photos that are never trained on (the quality protocol at ratio 100)."""

    step: int
    psnr: float
    ssim: float
    photos: int


@dataclass(frozen=True)
class Observer:
    """Who listens to a run; each callable may be left out."""

    on_start: Callable[[int, int], None] = lambda *_: None  # numbers of training and validation photos
    on_step: Callable[[Progress], None] = lambda _: None
    on_validation: Callable[[Validation], None] = lambda _: None


@dataclass(eq=False)
class _Run:
    """What changes while a run goes on."""

    network: RestorationNetwork
    metadata: ModelMetadata
    path: Path
    step: int = 0
    validation: dict[str, Any] = field(default_factory=dict)

    def save(self) -> None:
        training = {**self.metadata.training, "steps_done": self.step}
        quality = dict(self.validation)
        save_checkpoint(self.network, self.metadata.replace(training=training, quality=quality), self.path)


def train_on_photos(
    folder: Path,
    run_folder: Path,
    settings: TrainingSettings,
    *,
    initial: Path | None = None,
    device: str = "cpu",
    observer: Observer | None = None,
) -> Path:
    """Train on simulated captures of a folder's photos; returns the checkpoint's path.

    folder:     JPEG, PNG or TIFF photos; VALIDATION.txt and HARDER.txt in it name those never trained on
    run_folder: where `checkpoint.safetensors` is written, every `checkpoint_every` steps and at the end
    initial:    weights to start from, instead of random ones
    Ctrl-C ends the run after the current step; the checkpoint then holds that step. Raises TrainingDataError for data
    that cannot be used and for a loss that is no longer finite.
    """
    observer = observer or Observer()
    torch.manual_seed(settings.seed)
    training, validation = split_photos(folder)
    observer.on_start(len(training), len(validation))
    shelf = PhotoShelf(training, smallest=settings.crop)
    network = (load_checkpoint(initial).network if initial else RestorationNetwork()).to(device).train()
    run_folder.mkdir(parents=True, exist_ok=True)
    metadata = ModelMetadata(white_balance=settings.white_balance, training=_describe(settings, folder, training))
    run = _Run(network, metadata, run_folder / CHECKPOINT)
    with _interruption() as interrupted:
        _steps(run, SimulatedCaptures(shelf, settings), settings, validation, observer, interrupted)
    run.save()
    return run.path


def _steps(
    run: _Run,
    captures: SimulatedCaptures,
    settings: TrainingSettings,
    validation: list[Path],
    observer: Observer,
    interrupted: threading.Event,
) -> None:
    optimiser = torch.optim.AdamW(
        run.network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: learning_rate_factor(step, settings))
    for inputs, target in _loader(captures, settings):
        loss = _step(run.network, optimiser, inputs, target, settings.mixed_precision)
        schedule.step()
        run.step += 1
        if not math.isfinite(loss):
            raise TrainingDataError(
                f"the loss is {loss} at step {run.step}; the last checkpoint is from before it: "
                "start from it with --init and a lower --learning-rate"
            )
        observer.on_step(Progress(run.step, settings.steps, run.step * settings.batch, loss))
        if interrupted.is_set():
            return
        if run.step % settings.validate_every == 0 or run.step == settings.steps:
            _validate(run, validation, observer)
        if run.step % settings.checkpoint_every == 0:
            run.save()


def _step(
    network: RestorationNetwork, optimiser: torch.optim.Optimizer, inputs: Tensor, target: Tensor, mixed: bool
) -> float:
    device = next(network.parameters()).device
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=mixed):
        restored = network.unclamped(inputs.to(device))
    loss = restoration_loss(restored.float(), target.to(device))
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_NORM)
    optimiser.step()
    return float(loss.detach())


def learning_rate_factor(step: int, settings: TrainingSettings) -> float:
    """Share of the highest learning rate at a step: a linear rise, then a cosine down to a hundredth."""
    if step < settings.warm_up:
        return (step + 1) / settings.warm_up
    progress = min((step - settings.warm_up) / max(settings.steps - settings.warm_up, 1), 1.0)
    return FINAL_LEARNING_RATE + (1 - FINAL_LEARNING_RATE) * 0.5 * (1 + math.cos(math.pi * progress))


def _loader(captures: SimulatedCaptures, settings: TrainingSettings) -> DataLoader[tuple[Tensor, Tensor]]:
    return DataLoader(
        captures,
        batch_size=settings.batch,
        num_workers=settings.workers,
        prefetch_factor=4 if settings.workers else None,
        worker_init_fn=_prepare_worker,
    )


def _prepare_worker(worker: int) -> None:  # noqa: ARG001 (the signature is the loader's)
    """Ctrl-C reaches the whole process group; the workers leave it to the training process, which stops them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)


def _validate(run: _Run, photos: list[Path], observer: Observer) -> None:
    from pytorch_msssim import ssim

    run.network.eval()
    figures = []
    for capture in protocol.captures(photos[:VALIDATION_PHOTOS], VALIDATION_RATIO):
        restored = reference.restore(run.network, run.metadata, capture.raw, capture.ratio)
        pair = [torch.from_numpy(picture).permute(2, 0, 1)[None] for picture in (restored, capture.target)]
        figures.append((psnr(restored, capture.target), float(ssim(*pair, data_range=1.0))))
    run.network.train()
    mean_psnr, mean_ssim = (sum(column) / len(figures) for column in zip(*figures, strict=True))
    result = Validation(run.step, mean_psnr, mean_ssim, len(figures))
    run.validation = {
        "validation_psnr": round(mean_psnr, 3),
        "validation_ssim": round(mean_ssim, 4),
        "validation_photos": len(figures),
        "validation_step": run.step,
        "validation_protocol": f"simulated A7S II, ISO {protocol.ISO:g}, ratio {VALIDATION_RATIO:g}, true ratio",
    }
    observer.on_validation(result)


def _describe(settings: TrainingSettings, folder: Path, photos: list[Path]) -> dict[str, Any]:
    return {
        "data": "simulated Sony A7S II captures of photos",
        "folder": folder.name,
        "photos": len(photos),
        "rdi": __version__,
        "settings": settings.to_dict(),
    }


@contextmanager
def _interruption() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets, instead of breaking off in the middle of a step; a second Ctrl-C does break off."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        if event.is_set():
            raise KeyboardInterrupt
        event.set()

    previous = signal.signal(signal.SIGINT, interrupt)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, previous)
