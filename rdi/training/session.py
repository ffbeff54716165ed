"""One call of `rdi train`: a new run or one that goes on, with the processes that train along."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from rdi.checkpoint import load_checkpoint
from rdi.errors import CheckpointError, UsageError
from rdi.locks import writer_lock
from rdi.runs import CHECKPOINT, new_run
from rdi.training.amplifications import require_tables
from rdi.training.choices import Device
from rdi.training.configuration import Configuration
from rdi.training.loop import Observer, train
from rdi.training.processes import Processes, joined
from rdi.training.resume import newest_run, resumed
from rdi.training.run import make_folder, prepare_run
from rdi.training.setting_fields import option_name
from rdi.training.settings import Places, TrainingSettings
from rdi.training.sources import open_source
from rdi.training.state import TrainingState, load_newest_state


@dataclass(frozen=True, eq=False)
class Session:
    """What is about to be trained.

    run:       its folder; None: a new one, named by the date
    state:     where it stands; None at its begin
    notes:     what the user should know before
    overwrite: whether a new run may replace an earlier one
    """

    configuration: Configuration
    run: Path | None = None
    state: TrainingState | None = None
    notes: tuple[str, ...] = ()
    overwrite: bool = False

    @property
    def settings(self) -> TrainingSettings:
        """Of the run."""
        return self.configuration.settings

    @property
    def start(self) -> int:
        """Steps done before."""
        return self.state.step if self.state else 0

    def train(self, observer: Observer) -> Path | None:
        """Train to the end; returns the checkpoint's path, None in all processes but the first."""
        if self.settings.device is Device.CUDA and not torch.cuda.is_available():
            raise UsageError(
                "--device cuda: this PyTorch sees no CUDA device; install a CUDA build or give --device cpu"
            )
        if self.settings.threads:
            torch.set_num_threads(self.settings.threads)
        with joined(self.settings.device) as processes:
            return self._train(processes, observer if processes.first else Observer())

    def _train(self, processes: Processes, observer: Observer) -> Path | None:
        places = self.configuration.places
        processes.share(self.settings.batch)  # refused before anything is made
        initial = load_checkpoint(places.init) if places.init and not self.state else None
        _require_places(places)
        source = open_source(places, self.settings)
        require_tables(source, places)
        for note in self.notes:
            observer.on_note(note)
        folder = processes.agree(self.run or places.out or new_run())
        with self._held(folder) if processes.first else nullcontext():
            path = train(
                source,
                folder,
                self.settings,
                initial=initial,
                resume=self.state,
                places=places,
                told=self.configuration.describe(),
                processes=processes,
                observer=observer,
            )
            return path if processes.first else None

    @contextmanager
    def _held(self, folder: Path) -> Iterator[None]:
        """Keep other processes from writing the run; a new one's folder is made.

        Raises OutputError where one does already, CheckpointError where one went on with it meanwhile.
        """
        make_folder(folder)
        with writer_lock(folder, f"another `rdi train` is writing {folder}; wait for it, or give another --out"):
            if self.state is None:
                prepare_run(folder, overwrite=self.overwrite)
            elif load_newest_state(folder)[0].step != self.state.step:
                raise CheckpointError(f"{folder} was trained on by another process just now; give --resume again")
            yield


def _require_places(places: Places) -> None:
    """Raises UsageError now for what would end the run at its first validation."""
    for name in ("weights_folder", "pictures_folder"):
        folder: Path | None = getattr(places, name)
        if folder and folder.exists() and not folder.is_dir():
            raise UsageError(f"{option_name(name)} {folder} is a file; give a folder, which is made if missing")
    for name in ("losses_file", "averages_file", "train_amplification_file", "validation_amplification_file"):
        file: Path | None = getattr(places, name)
        if file and file.is_dir():
            raise UsageError(f"{option_name(name)} {file} is a folder; give the name of a CSV file")


def new_session(configuration: Configuration, *, overwrite: bool = False) -> Session:
    """A run that begins; its folder is made when it trains."""
    return Session(configuration, overwrite=overwrite)


def resumed_session(run: Path | None, given: Mapping[str, Any], file: Path | None = None) -> Session:
    """A run that goes on from its newest whole state.

    run:   its folder; None: the newest one under runs/
    given: settings that were given anew, by field name
    Raises CheckpointError where there is no state, UsageError for settings that do not go with it.
    """
    folder = run or newest_run()
    state, problems = load_newest_state(folder)
    notes = [f"{problem}; going on from step {state.step}" for problem in problems]
    configuration = resumed(state, given, file, unwritten=not _weights_are_written(folder, state))
    return Session(configuration, folder, state, tuple(notes))


def _weights_are_written(folder: Path, state: TrainingState) -> bool:
    try:
        written = load_checkpoint(folder / CHECKPOINT).metadata.weights_sha256
    except CheckpointError:
        return False
    return bool(written == state.facts["weights_sha256"])
