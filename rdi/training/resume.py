"""Going on with a run: which one, and what may be chosen anew."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch

from rdi.errors import CheckpointError, UsageError
from rdi.model_kinds import BelowBlack, Companding
from rdi.runs import RUNS
from rdi.training.acceleration import multiplies_bfloat16
from rdi.training.configuration import Configuration, configure
from rdi.training.conversion import all_fields, convert, written
from rdi.training.processes import Processes
from rdi.training.setting_fields import option_name
from rdi.training.settings import TrainingSettings
from rdi.training.state import FOLDER, TrainingState

# What runs were begun with before there was a choice.
UNSAID = {"below_black": str(BelowBlack.CUT), "companding": str(Companding.NONE)}


def newest_run() -> Path:
    """The run under runs/ whose state was written last; CheckpointError where there is none."""
    states = [path for path in RUNS.glob(f"*/{FOLDER}/*.safetensors") if not path.name.startswith(".")]
    if not states:
        raise CheckpointError(f"there is no run to resume under {RUNS}/; give its folder: rdi train --resume RUN")
    return max(states, key=lambda path: path.stat().st_mtime).parent.parent


def resumed(
    state: TrainingState, given: Mapping[str, Any], file: Path | None = None, *, unwritten: bool = False
) -> Configuration:
    """The run's own settings and places, with what was given anew.

    unwritten: whether the run was killed before the state's weights were written: that is left to do, if no step is
    Raises UsageError for a setting with which the run would no longer be the one that was begun.
    """
    stored = UNSAID | state.facts["settings"] | state.facts["places"]
    names = all_fields()
    earlier = {
        name: convert(name, tuple(value) if isinstance(value, list) else value, name)
        for name, value in stored.items()
        if name in names and value is not None
    }
    configuration = configure(given, file, base=earlier)
    for item in fields(TrainingSettings):
        before, now = earlier.get(item.name), getattr(configuration.settings, item.name)
        if item.name in stored and before != now and not item.metadata["resume"]:
            raise UsageError(
                f"{option_name(item.name)} {written(now)} does not fit: the run was begun with {written(before)}; "
                "leave it out, or start another run from its weights with --init"
            )
    steps = configuration.settings.steps
    if steps < state.step or (steps == state.step and not unwritten):
        raise UsageError(f"the run has done its {state.step} steps; give more with --steps to go on")
    return configuration


def environment(processes: Processes) -> dict[str, Any]:
    """What else the last bits of a result depend on."""
    return {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "processes": processes.count,
        "bfloat16 on this processor": multiplies_bfloat16(processes.device),
    }


def differences(state: TrainingState, data: Mapping[str, Any], environment: Mapping[str, Any]) -> list[str]:
    """Why the run will not go on bit for bit as it would have; one note for each reason.

    Raises UsageError for other data than it was begun with.
    """
    for key, value in data.items():
        before = state.facts["training"].get(key, value)
        if before != value:
            raise UsageError(f"the run was begun with other data ({key}: {before}, now {value}); start another one")
    before = state.facts["environment"]
    return [
        f"{name} was {before[name]}, now {value}: the last bits of the weights will differ from an uninterrupted run's"
        for name, value in environment.items()
        if before.get(name, value) != value
    ]
