"""A run: its folder, where it stands, and what is saved of it."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rdi.checkpoint import save_checkpoint, weights_digest
from rdi.errors import CheckpointError, OutputError
from rdi.metadata import ModelMetadata
from rdi.runs import CHECKPOINT
from rdi.training.learner import Learner
from rdi.training.randomness import random_tensors, restore_random
from rdi.training.recorder import Recorder
from rdi.training.resume import environment
from rdi.training.settings import Places, TrainingSettings
from rdi.training.state import FOLDER, TrainingState, generations, save_state

_OF_A_RUN = (  # what an earlier run left in its folder, and would be taken for the new one's
    f"{FOLDER}/*.safetensors",
    "weights/step-*.safetensors",
    "pictures/step-*.jpg",
    "tensorboard/events.out.tfevents.*",
)


@dataclass(eq=False)
class Run:
    """What changes while a run goes on, and how it is saved.

    recorder: the first process's; None in all others, which write nothing
    step:     steps done
    saved:    the step of the newest state
    quality:  figures of the newest validation
    """

    learner: Learner
    metadata: ModelMetadata
    folder: Path
    settings: TrainingSettings
    places: Places
    recorder: Recorder | None = None
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
        """What the weights file says of the run so far."""
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
        self.keep()
        # The last of all: where it has the state's weights, nothing of that step is left to write.
        save_checkpoint(self.learner.exported, self.described(), self.folder / CHECKPOINT)

    def keep(self) -> None:
        """Weights under the step's number, if it is one to keep."""
        if self.recorder is not None and kept(self.step, self.settings):
            self.weights.mkdir(parents=True, exist_ok=True)
            save_checkpoint(self.learner.exported, self.described(), self.weights / f"step-{self.step:08d}.safetensors")

    def restore(self, state: TrainingState) -> None:
        """Stand where the state was saved; raises CheckpointError for the state of another network or program."""
        try:
            self.learner.restore(state.tensors)
            restore_random(state.tensors)
        except (KeyError, RuntimeError, ValueError, TypeError, OverflowError) as error:
            raise CheckpointError(f"the state of step {state.step} in {self.folder} does not fit: {error}") from error
        self.step = self.saved = state.step
        self.quality = dict(state.facts["quality"])


def prepare_run(folder: Path, *, overwrite: bool = False) -> Path:
    """Make a new run's folder, before anything is decoded.

    Raises OutputError for one that cannot be made or that holds an earlier run.
    """
    for earlier in (folder / CHECKPOINT, *generations(folder)):
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


def kept(step: int, settings: TrainingSettings) -> bool:
    """Whether a step's weights are kept under its number: in `keep_at`, or every `keep_every` after the last of it."""
    after = step - max(settings.keep_at, default=0)
    return step in settings.keep_at or (settings.keep_every > 0 and after > 0 and after % settings.keep_every == 0)
