"""`rdi bench` without a mode: the backends against each other."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rdi.cli.benchmarks.request import Figures, Request, observe
from rdi.cli.export import require_packages
from rdi.errors import UsageError

if TYPE_CHECKING:
    from rdi.export.benchmarks.backends import Backend

SIZES = "832x1248,1408x2112,2848x4256,4000x6016"
TRIALS = 100  # the paper's


def measure(request: Request) -> Figures:
    """Time and memory of PyTorch, the plain export, rdi's file and OpenVINO, interleaved."""
    require_packages()
    from rdi.export.benchmarks.backend_speed import measure_backends
    from rdi.export.benchmarks.candidates import choose_candidates
    from rdi.models import shipped_model
    from rdi.runtime.model import open_model
    from rdi.runtime.threads import choose_threads

    if request.memory is False and request.trials is not None:
        raise UsageError("--no-memory measures no memory, so --trials has nothing to count; leave one of them out")
    model = request.model or shipped_model()
    providers = request.providers.split(",") if request.providers else None
    candidates, notes = choose_candidates(open_model(model), _backends(request.backends), providers)
    with tempfile.TemporaryDirectory() as folder:
        return measure_backends(
            request.checkpoint or model.with_suffix(".safetensors"),
            model,
            request.size_list(SIZES),
            candidates=candidates,
            threads=choose_threads(request.threads),
            runs=request.rounds,
            folder=Path(folder),
            trials=0 if request.memory is False else request.trials or TRIALS,
            notes=notes,
            observe=observe,
        )


def _backends(text: str | None) -> "list[Backend] | None":
    from rdi.export.benchmarks.backends import Backend

    if text is None:
        return None
    known = {str(backend): backend for backend in Backend}
    unknown = [name for name in text.split(",") if name not in known]
    if unknown:
        raise UsageError(f"--backends {unknown[0]} is unknown; give some of {', '.join(known)}")
    return [known[name] for name in text.split(",")]
