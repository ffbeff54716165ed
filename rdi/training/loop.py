"""The training loop: steps, checkpoints, validation; can be stopped, killed and resumed at any time."""

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rdi import __version__
from rdi.checkpoint import Checkpoint, save_checkpoint, weights_digest
from rdi.errors import CheckpointError, OutputError, TrainingDataError
from rdi.metadata import ModelMetadata
from rdi.network import RestorationNetwork
from rdi.runs import CHECKPOINT
from rdi.training.amplifications import write_wanted_tables
from rdi.training.batches import Batches, Samples, provenance
from rdi.training.interruption import interruption
from rdi.training.learner import Learner, StepResult
from rdi.training.loading import load, lost_workers_explained
from rdi.training.processes import Processes
from rdi.training.randomness import random_tensors, restore_random, seed_all
from rdi.training.recorder import Recorder
from rdi.training.resume import differences, environment
from rdi.training.settings import Places, TrainingSettings
from rdi.training.sources import Source
from rdi.training.state import FOLDER, TrainingState, remove_leftovers, save_state
from rdi.training.validation import Validation, validate

_OF_A_RUN = (  # what an earlier run left in its folder, and would be taken for the new one's
    f"{FOLDER}/*.safetensors",
    "weights/step-*.safetensors",
    "pictures/step-*.jpg",
    "tensorboard/events.out.tfevents.*",
)


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


@dataclass(eq=False)
class _Run:
    """What changes while a run goes on, and how it is saved."""

    learner: Learner
    metadata: ModelMetadata
    folder: Path
    settings: TrainingSettings
    places: Places
    recorder: Recorder | None  # the first process's
    step: int = 0
    saved: int = 0
    quality: dict[str, Any] = field(default_factory=dict)

    @property
    def weights(self) -> Path:
        """Where numbered weights go."""
        return self.places.weights_folder or self.folder / "weights"

    @property
    def pictures(self) -> Path:
        """Where restored pictures go."""
        return self.places.pictures_folder or self.folder / "pictures"

    def described(self) -> ModelMetadata:
        training = {**self.metadata.training, "steps_done": self.step}
        return self.metadata.replace(training=training, quality=dict(self.quality))

    def save(self) -> None:
        """Tables, then the state, then what is exported: whatever comes between, the newest state is whole."""
        if self.recorder is None:
            return
        facts = {
            "averages": self.recorder.flush(),
            "settings": self.settings.to_dict(),
            "places": {name: str(Path(path).absolute()) for name, path in asdict(self.places).items() if path},
            "training": self.metadata.training,
            "quality": self.quality,
            "environment": environment(self.learner.processes),
            "weights_sha256": weights_digest(self.learner.exported),
        }
        save_state(self.folder, TrainingState(self.step, self.learner.tensors() | random_tensors(), facts))
        self.write_weights()
        self.saved = self.step

    def write_weights(self) -> None:
        """The file for `rdi export`, and under the step's number if it is one to keep."""
        if self.step == 0:
            return
        save_checkpoint(self.learner.exported, self.described(), self.folder / CHECKPOINT)
        self.keep()

    def keep(self) -> None:
        """Weights under the step's number, if it is one to keep."""
        if self.recorder is not None and kept(self.step, self.settings):
            self.weights.mkdir(parents=True, exist_ok=True)
            save_checkpoint(self.learner.exported, self.described(), self.weights / f"step-{self.step:08d}.safetensors")

    def restore(self, state: TrainingState) -> None:
        """Stand where the state was saved."""
        try:
            self.learner.restore(state.tensors)
        except (KeyError, RuntimeError) as error:
            raise CheckpointError(f"the state of step {state.step} in {self.folder} does not fit: {error}") from error
        restore_random(state.tensors)
        self.step = self.saved = state.step
        self.quality = dict(state.facts["quality"])


def prepare_run(folder: Path, *, overwrite: bool = False) -> Path:
    """Make a new run's folder, before anything is decoded.

    Raises OutputError for one that cannot be made or that holds an earlier run.
    """
    for earlier in (folder / CHECKPOINT, folder / FOLDER):
        if earlier.exists() and not overwrite:
            raise OutputError(
                f"{earlier} exists from an earlier run; give another --out, --resume {folder} to go on with it, or "
                "--overwrite to lose it"
            )
    make_folder(folder / FOLDER)
    for pattern in _OF_A_RUN:
        for path in folder.glob(pattern):
            path.unlink()
    return folder


def make_folder(folder: Path) -> None:
    """Raises OutputError where that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the run's folder {folder} cannot be made: {error.strerror}; give another --out") from error


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
    metadata = ModelMetadata(cfa=source.cfa, m=settings.m, white_balance=settings.white_balance, training=training)
    run = _Run(Learner(network, settings, processes, observer.on_note), metadata, run_folder, settings, places, None)
    if resume:
        run.restore(resume)
    if processes.first:
        averages = resume.facts["averages"] if resume else None
        remove_leftovers((run_folder, run_folder / FOLDER, run.weights, run.pictures))
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


def _steps(run: _Run, source: Source, dataset: Samples, observer: Observer, interrupted: threading.Event) -> None:
    settings, processes = run.settings, run.learner.processes
    batches = Batches(run.step, settings, processes)
    for inputs, target in load(dataset, batches, settings, observer.on_note):
        result = run.learner.step(run.step, inputs, target)
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


def _validate(run: _Run, source: Source, recorder: Recorder) -> Validation:
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


def kept(step: int, settings: TrainingSettings) -> bool:
    """Whether a step's weights are kept under its number: in `keep_at`, or every `keep_every` after the last of it."""
    after = step - max(settings.keep_at, default=0)
    return step in settings.keep_at or (settings.keep_every > 0 and after > 0 and after % settings.keep_every == 0)


def _not_finite(run: _Run, result: StepResult, dataset: Samples, indices: list[int]) -> Exception:
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
