"""`rdi bench --training`."""

from typing import TYPE_CHECKING, Any, NamedTuple

from rdi.cli.benchmarks.request import Figures, Request, observe
from rdi.cli.train import prepare_threads
from rdi.errors import MissingPackageError
from rdi.extras import install_hint

if TYPE_CHECKING:
    from rdi.training.settings import Places

STEPS = 50


class TrainingFigures(NamedTuple):
    """Throughput; on a cache or photos the data path and the memory too."""

    parts: dict[str, Figures]

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {name: part.to_dict() for name, part in self.parts.items()}

    def markdown(self) -> str:
        """For people."""
        return "\n\n".join(part.markdown() for part in self.parts.values())


def measure(request: Request) -> Figures:
    """Time rdi's training steps against a plain loop's; on data that are named their path and memory too."""
    prepare_threads()
    try:
        from rdi.training.benchmark.subject import places_of
        from rdi.training.benchmark.throughput import measure_throughput
    except ModuleNotFoundError as error:
        raise MissingPackageError(f"training needs {error.name}: {install_hint('train')}") from error
    places = places_of(request.subject) if request.subject else None
    parts: dict[str, Figures] = _data(places) if places else {}
    parts["throughput"] = measure_throughput(places, steps=request.runs or STEPS, threads=request.threads)
    return TrainingFigures(parts)


def _data(places: "Places") -> dict[str, Figures]:
    from rdi.training.benchmark.data_path import measure_data_path
    from rdi.training.benchmark.memory import measure_memory

    observe("memory of a training run")
    memory = measure_memory(places)
    observe("data path")
    return {"memory": memory, "data_path": measure_data_path(places)}
