"""What a resume needs, on disk: one safetensors file for each generation, the last two of them kept.

A generation holds everything (live weights, their mean, the optimiser's moments, random states as tensors; step,
settings, places and running figures as JSON), so that there is no pair of files that could disagree: it is renamed into
its place when it is whole, and `checkpoint.safetensors` beside it can be written again from it at any time. Nothing in
it is executed when it is read.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from rdi.checkpoint import write_tensors
from rdi.errors import CheckpointError
from rdi.regular_file import require_regular
from rdi.runs import CHECKPOINT

FORMAT = "rdi-training-1"
FOLDER = "state"
GENERATIONS = 2
LARGEST = 1 << 30  # bytes; four times the weights, a few million each
_FACTS = ("settings", "places", "training", "quality", "environment", "averages")


@dataclass(frozen=True, eq=False)
class TrainingState:
    """One generation.

    step:    steps done
    tensors: of the learner (`Learner.tensors`) and the random generators
    facts:   everything else, as JSON has it
    """

    step: int
    tensors: dict[str, Tensor]
    facts: dict[str, Any]


def save_state(run: Path, state: TrainingState) -> Path:
    """Write a generation whole or not at all, then drop all but the last two; returns its path."""
    folder = run / FOLDER
    folder.mkdir(exist_ok=True)
    path = folder / f"{state.step:08d}.safetensors"
    facts = json.dumps(state.facts | {"step": state.step}, sort_keys=True)
    strings = {"format": FORMAT, "facts": facts, "sha256": _digest(state.tensors, facts)}
    write_tensors(state.tensors, path, strings)
    for old in generations(run)[GENERATIONS:]:
        old.unlink(missing_ok=True)
    return path


def load_newest_state(run: Path) -> tuple[TrainingState, list[str]]:
    """The newest generation that is whole, and why newer ones are not.

    Raises CheckpointError where there is none.
    """
    problems: list[str] = []
    for path in generations(run):
        try:
            return load_state(path), problems
        except CheckpointError as error:
            problems.append(str(error))
    said = (
        f": {problems[0]}; start another run from its last weights with --init {run / CHECKPOINT}"
        if problems
        else "; give the folder of a run of `rdi train`, such as runs/DATE"
    )
    raise CheckpointError(f"{run} holds no training state to resume from{said}")


def load_state(path: Path) -> TrainingState:
    """Read one generation; raises CheckpointError for one that is damaged or foreign."""
    try:
        require_regular(path, LARGEST, "training state")
        with safe_open(path, framework="pt") as file:
            strings = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        if strings.get("format") != FORMAT:
            raise CheckpointError(f"{path} has format {strings.get('format')!r}; this rdi reads {FORMAT!r}")
        if _digest(tensors, strings["facts"]) != strings["sha256"]:
            raise CheckpointError(f"{path} is damaged: its content does not match the hash beside it")
        return _state(tensors, json.loads(strings["facts"]))
    except (SafetensorError, OSError, KeyError, ValueError, TypeError, RuntimeError, MemoryError) as error:
        raise CheckpointError(f"{path} is no readable training state ({error})") from error


def _state(tensors: dict[str, Tensor], facts: Any) -> TrainingState:
    """Raises ValueError for facts that lack what a run goes on by."""
    if not isinstance(facts, dict) or not all(isinstance(facts.get(name), dict) for name in _FACTS):
        raise ValueError(f"of {', '.join(_FACTS)} something is missing")
    step = facts.get("step")
    if type(step) is not int or step < 0:
        raise ValueError(f"its step is {step!r}")
    return TrainingState(step, tensors, facts)


def generations(run: Path) -> list[Path]:
    """Files of a run's generations, newest first."""
    return sorted((run / FOLDER).glob("[0-9]*.safetensors"), reverse=True)


def _digest(tensors: dict[str, Tensor], facts: str) -> str:
    digest = hashlib.sha256(facts.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
