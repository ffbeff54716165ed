"""`rdi bench --training`."""

from pathlib import Path
from typing import Any, NamedTuple

from rdi.cli.benchmarks.request import Figures, Request, observe
from rdi.cli.train import prepare_threads
from rdi.errors import MissingPackageError
from rdi.extras import install_hint

STEPS = 50


class TrainingFigures(NamedTuple):
    """Throughput; on a cache the data path and the memory too."""

    parts: dict[str, Figures]

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {name: part.to_dict() for name, part in self.parts.items()}

    def markdown(self) -> str:
        """For people."""
        return "\n\n".join(part.markdown() for part in self.parts.values())


def measure(request: Request) -> Figures:
    """Time rdi's training steps against a plain loop's; on a cache, if one is named, its data path and memory."""
    prepare_threads()
    try:
        from rdi.training.benchmark.throughput import measure_throughput
    except ModuleNotFoundError as error:
        raise MissingPackageError(f"training needs {error.name}: {install_hint('train')}") from error
    cache = request.subject
    parts: dict[str, Figures] = {}
    if cache:
        parts |= _data(cache)
    parts["throughput"] = measure_throughput(cache, steps=request.runs or STEPS, threads=request.threads)
    return TrainingFigures(parts)


def _data(cache: Path) -> dict[str, Figures]:
    from rdi.training.benchmark.data_path import measure_data_path
    from rdi.training.benchmark.memory import measure_memory

    observe("memory of a training run")
    memory = measure_memory(cache)
    observe("data path")
    return {"memory": memory, "data_path": measure_data_path(cache)}
