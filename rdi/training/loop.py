"""The training loop: steps, checkpoints, validation; can be stopped at any time."""

import math
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from rdi import __version__, reference
from rdi.checkpoint import Checkpoint, save_checkpoint
from rdi.errors import OutputError, TrainingDataError
from rdi.metadata import ModelMetadata
from rdi.metrics import psnr
from rdi.network import RestorationNetwork
from rdi.runs import CHECKPOINT
from rdi.training.loss import restoration_loss
from rdi.training.settings import TrainingSettings
from rdi.training.sources import Source

VALIDATION_FRAMES = 12  # at most, every validate_every steps


@dataclass(frozen=True)
class Progress:
    """What a run reports after each step."""

    step: int
    steps: int
    images: int
    loss: float


@dataclass(frozen=True)
class Validation:
    """Mean quality on full frames that are never trained on; SSIM with a Gaussian window of 11."""

    step: int
    psnr: float
    ssim: float
    frames: int


@dataclass(frozen=True)
class Observer:
    """Who listens to a run; each callable may be left out."""

    on_start: Callable[[int, int, list[str]], None] = lambda *_: None  # pictures to train on, to validate with; notes
    on_step: Callable[[Progress], None] = lambda _: None
    on_validation: Callable[[Validation], None] = lambda _: None


@dataclass(eq=False)
class _Run:
    """What changes while a run goes on."""

    network: RestorationNetwork
    metadata: ModelMetadata
    path: Path
    step: int = 0
    saved: int = 0
    validation: dict[str, Any] = field(default_factory=dict)

    def save(self) -> None:
        training = {**self.metadata.training, "steps_done": self.step}
        quality = dict(self.validation)
        save_checkpoint(self.network, self.metadata.replace(training=training, quality=quality), self.path)
        self.saved = self.step


def prepare_run(folder: Path, *, overwrite: bool = False) -> Path:
    """Make a run's folder, before anything is decoded.

    Raises OutputError for one that cannot be made or that holds the checkpoint of an earlier run.
    """
    if (folder / CHECKPOINT).exists() and not overwrite:
        raise OutputError(
            f"{folder / CHECKPOINT} exists from an earlier run; give another --out, or --overwrite to lose it"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the run's folder {folder} cannot be made: {error.strerror}; give another --out") from error
    return folder


def train(
    source: Source,
    run_folder: Path,
    settings: TrainingSettings,
    *,
    initial: Checkpoint | None = None,
    observer: Observer | None = None,
) -> Path:
    """Train on a source's pairs; returns the checkpoint's path.

    run_folder: exists (`prepare_run`); its `checkpoint.safetensors` is written every `checkpoint_every` steps and at
                the end
    initial:    weights to start from, instead of random ones
    Ctrl-C or a SIGTERM ends the run after the current step; the checkpoint then holds that step. Raises
    TrainingDataError for data that cannot be used and for a loss that is no longer finite.
    """
    observer = observer or Observer()
    torch.manual_seed(settings.seed)
    dataset = source.dataset()
    observer.on_start(source.training_count, source.validation_count, source.notes)
    network = (initial.network if initial else RestorationNetwork()).to(settings.device).train()
    metadata = ModelMetadata(
        cfa=source.cfa, white_balance=settings.white_balance, training=_describe(source, settings, initial)
    )
    run = _Run(network, metadata, run_folder / CHECKPOINT)
    with _interruption() as interrupted:
        _steps(run, source, _loader(dataset, settings), settings, observer, interrupted)
    run.save()
    return run.path


def _steps(
    run: _Run,
    source: Source,
    batches: Iterable[tuple[Tensor, Tensor]],
    settings: TrainingSettings,
    observer: Observer,
    interrupted: threading.Event,
) -> None:
    optimiser = torch.optim.AdamW(
        run.network.parameters(),
        lr=settings.learning_rate,
        betas=(settings.beta1, settings.beta2),
        weight_decay=settings.weight_decay,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: learning_rate_factor(step, settings))
    for inputs, target in batches:
        loss = _step(run.network, optimiser, inputs, target, settings)
        schedule.step()
        run.step += 1
        if not math.isfinite(loss):
            raise TrainingDataError(
                f"the loss is {loss} at step {run.step}; start again with a lower --learning-rate"
                + (f", or with --init {run.path} from step {run.saved}" if run.saved else "")
            )
        observer.on_step(Progress(run.step, settings.steps, run.step * settings.batch, loss))
        if interrupted.is_set():
            return
        if run.step % settings.validate_every == 0 or run.step == settings.steps:
            _validate(run, source, observer)
        if run.step % settings.checkpoint_every == 0:
            run.save()


def _step(
    network: RestorationNetwork,
    optimiser: torch.optim.Optimizer,
    inputs: Tensor,
    target: Tensor,
    settings: TrainingSettings,
) -> float:
    device = next(network.parameters()).device
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=settings.mixed_precision):
        restored = network.unclamped(inputs.to(device))
    loss = restoration_loss(restored.float(), target.to(device))
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), settings.clip or math.inf)
    optimiser.step()
    return float(loss.detach())


def learning_rate_factor(step: int, settings: TrainingSettings) -> float:
    """Share of the highest learning rate at a step: a linear rise, then a cosine down to a hundredth."""
    if step < settings.warm_up:
        return (step + 1) / settings.warm_up
    progress = min((step - settings.warm_up) / max(settings.steps - settings.warm_up, 1), 1.0)
    return settings.final_share + (1 - settings.final_share) * 0.5 * (1 + math.cos(math.pi * progress))


def _loader(dataset: Dataset[tuple[Tensor, Tensor]], settings: TrainingSettings) -> Iterable[tuple[Tensor, Tensor]]:
    return DataLoader(
        dataset,
        batch_size=settings.batch,
        num_workers=settings.workers,
        prefetch_factor=4 if settings.workers else None,
        worker_init_fn=_prepare_worker,
    )


def _prepare_worker(worker: int) -> None:  # noqa: ARG001 (the signature is the loader's)
    """Ctrl-C reaches the whole process group; the workers leave it to the training process, which stops them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # that is how the loader stops them
    torch.set_num_threads(1)


def _validate(run: _Run, source: Source, observer: Observer) -> None:
    from pytorch_msssim import ssim

    run.network.eval()
    figures = []
    for capture in source.validation(VALIDATION_FRAMES):
        restored = reference.restore(run.network, run.metadata, capture.raw, capture.ratio)
        pair = [torch.from_numpy(picture).permute(2, 0, 1)[None] for picture in (restored, capture.target)]
        figures.append((psnr(restored, capture.target), float(ssim(*pair, data_range=1.0))))
    run.network.train()
    mean_psnr, mean_ssim = (sum(column) / len(figures) for column in zip(*figures, strict=True))
    result = Validation(run.step, mean_psnr, mean_ssim, len(figures))
    run.validation = {
        "validation_psnr": round(mean_psnr, 3),
        "validation_ssim": round(mean_ssim, 4),
        "validation_frames": len(figures),
        "validation_step": run.step,
    }
    observer.on_validation(result)


def _describe(source: Source, settings: TrainingSettings, initial: Checkpoint | None) -> dict[str, Any]:
    described = {**source.describe(), "rdi": __version__, "settings": settings.to_dict()}
    if initial:
        before = {"weights_sha256": initial.metadata.weights_sha256, **initial.metadata.training}
        described["started_from"] = before
    return described


@contextmanager
def _interruption() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, instead of breaking off within a step; a second one does break off."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        if event.is_set():
            raise KeyboardInterrupt
        event.set()

    previous = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
