"""The training loop: steps, checkpoints, validation; can be stopped, killed and resumed at any time."""

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdi import __version__
from rdi.checkpoint import Checkpoint
from rdi.errors import TrainingDataError
from rdi.leftovers import remove_leftovers
from rdi.metadata import ModelMetadata
from rdi.network import RestorationNetwork
from rdi.runs import CHECKPOINT
from rdi.training.amplifications import write_wanted_tables
from rdi.training.batches import Batches, provenance
from rdi.training.interruption import interruption
from rdi.training.learner import Learner, StepResult
from rdi.training.loading import load, lost_workers_explained
from rdi.training.processes import Processes
from rdi.training.randomness import seed_all
from rdi.training.recorder import Recorder
from rdi.training.resume import differences, environment
from rdi.training.run import Run
from rdi.training.sample import Samples
from rdi.training.settings import Places, TrainingSettings
from rdi.training.sources import Source
from rdi.training.state import FOLDER, TrainingState
from rdi.training.validation import Validation, validate


@dataclass(frozen=True)
class Progress:
    """What a run reports after each step; `running_loss` is the mean over about the last 50 steps."""

    step: int
    steps: int
    images: int
    loss: float
    running_loss: float


@dataclass(frozen=True)
class Observer:
    """Who listens to a run; each callable may be left out."""

    on_start: Callable[[int, int, list[str]], None] = lambda *_: None  # pictures to train on, to validate with; notes
    on_step: Callable[[Progress], None] = lambda _: None
    on_validation: Callable[[Validation], None] = lambda _: None
    on_note: Callable[[str], None] = lambda _: None


def train(
    source: Source,
    run_folder: Path,
    settings: TrainingSettings,
    *,
    initial: Checkpoint | None = None,
    resume: TrainingState | None = None,
    places: Places | None = None,
    told: Mapping[str, Any] | None = None,
    processes: Processes | None = None,
    observer: Observer | None = None,
) -> Path:
    """Train on a source's pairs; returns the checkpoint's path.

    run_folder: exists (`prepare_run`); `state/` and `checkpoint.safetensors` in it are written every `checkpoint_every`
                steps and at the end
    initial:    weights to start from, instead of random ones
    resume:     the state to go on from; the weights then equal those of a run that was never stopped
    told:       what else the checkpoint should say of the run, such as its preset and configuration file
    processes:  who else trains along (`rdi.training.processes.joined`); only the first writes and observes
    Ctrl-C or a SIGTERM ends the run after the current step; the checkpoint then holds that step. Raises
    TrainingDataError for data that cannot be used and for a loss that is no longer finite.
    """
    observer, processes, places = (
        observer or Observer(),
        processes or Processes(device=settings.device),
        places or Places(),
    )
    seed_all(settings.seed)
    dataset = source.dataset()
    told_before = source.notes
    observer.on_start(source.training_count, source.validation_count, told_before)
    for note in differences(resume, source.describe(), environment(processes)) if resume else []:
        observer.on_note(note)
    if processes.first:
        write_wanted_tables(source, places, settings, only_missing=resume is not None)
    network = initial.network if initial else RestorationNetwork()
    training = _describe(source, settings, told or {}, initial, resume)
    metadata = ModelMetadata(
        rendering=settings.rendering,
        below_black=settings.below_black,
        companding=settings.companding,
        cfa=source.cfa,
        m=settings.m,
        white_balance=settings.white_balance,
        training=training,
    )
    run = Run(Learner(network, settings, processes, observer.on_note), metadata, run_folder, settings, places)
    if resume:
        run.restore(resume)
    if processes.first:
        averages = resume.facts["averages"] if resume else None
        for folder in (run_folder, run_folder / FOLDER, run.weights, run.pictures):
            remove_leftovers(folder)
        run.recorder = Recorder(run_folder, places, settings, run.step, averages)
        run.write_weights() if resume else run.save()
    try:
        with interruption() as interrupted, lost_workers_explained():
            _steps(run, source, dataset, observer, interrupted)
        if run.saved != run.step:
            run.save()
    finally:
        if run.recorder:
            run.recorder.close()
    for note in source.notes:
        if note not in told_before:
            observer.on_note(note)
    return run_folder / CHECKPOINT


def _steps(run: Run, source: Source, dataset: Samples, observer: Observer, interrupted: threading.Event) -> None:
    settings, processes = run.settings, run.learner.processes
    batches = Batches(run.step, settings, processes)
    for batch in load(dataset, batches, settings, observer.on_note):
        result = run.learner.step(run.step, batch)
        if not result.finite:
            raise _not_finite(run, result, dataset, batches.of(run.step))
        run.step += 1
        if run.recorder:
            running = run.recorder.step(run.step, result)
            observer.on_step(Progress(run.step, settings.steps, run.step * settings.batch, result.loss, running))
        if processes.mean(interrupted.is_set()):  # all of them stop after the same step
            return
        if run.recorder and (run.step % settings.validate_every == 0 or run.step == settings.steps):
            observer.on_validation(_validate(run, source, run.recorder))
        if run.step % settings.checkpoint_every == 0:
            run.save()
        else:
            run.keep()


def _validate(run: Run, source: Source, recorder: Recorder) -> Validation:
    captures = source.validation(run.settings.validation_frames)
    metadata = run.described()
    result = validate(
        run.learner.exported,
        metadata,
        captures,
        run.step,
        lambda number, frame: recorder.frame(number, frame, metadata, run.step),
    )
    run.quality = {
        "validation_psnr": round(result.psnr, 3),
        "validation_ssim": round(result.ssim, 4),
        "validation_frames": result.frames,
        "validation_step": run.step,
    }
    for name, (quality_psnr, _) in result.parts.items():
        run.quality[f"validation_psnr_{name}"] = round(quality_psnr, 3)
    recorder.validation(result)
    return result


def _not_finite(run: Run, result: StepResult, dataset: Samples, indices: list[int]) -> Exception:
    """The error of the first process; the others leave without a word of their own."""
    processes = run.learner.processes
    own = [] if math.isfinite(result.own_loss) else indices
    culprits = [index for part in processes.gather(own) for index in part]
    every = culprits or [index for part in processes.gather(indices) for index in part]
    if not processes.first:
        raise SystemExit(1)
    what = "loss" if culprits else "gradient's norm"
    value = result.loss if culprits else result.gradient_norm
    where = f"the checkpoint of step {run.saved} in {run.folder} is as it was" if run.saved else "nothing was saved yet"
    advice = "start again with a lower --learning-rate" + (
        f" and --init {run.folder / CHECKPOINT}" if run.saved else ""
    )
    said = "; ".join(provenance(dataset, every))
    return TrainingDataError(f"the {what} is {value} at step {run.step + 1}; {where}; {advice}. The batch: {said}")


def _describe(
    source: Source,
    settings: TrainingSettings,
    told: Mapping[str, Any],
    initial: Checkpoint | None,
    resume: TrainingState | None,
) -> dict[str, Any]:
    if resume:
        return {**resume.facts["training"], "settings": settings.to_dict()}
    described = {**source.describe(), "rdi": __version__, **told, "settings": settings.to_dict()}
    if initial:
        before = {"weights_sha256": initial.metadata.weights_sha256, **initial.metadata.training}
        described["started_from"] = before
    return described
