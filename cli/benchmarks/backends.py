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


def measure(request: Request) -> Figures:
    """Time and memory of PyTorch, the plain export, rdi's file and OpenVINO, interleaved."""
    require_packages()
    from rdi.export.benchmarks.backends import default_backends
    from rdi.export.benchmarks.speed import measure as measure_backends
    from rdi.models import shipped_model
    from rdi.runtime.threads import choose_threads

    model = request.model or shipped_model()
    with tempfile.TemporaryDirectory() as folder:
        return measure_backends(
            request.checkpoint or model.with_suffix(".safetensors"),
            model,
            request.size_list(SIZES),
            backends=_backends(request.backends) if request.backends else default_backends(),
            threads=choose_threads(request.threads),
            runs=request.rounds,
            folder=Path(folder),
            memory=request.memory is not False,
            observe=observe,
        )


def _backends(text: str) -> "list[Backend]":
    from rdi.export.benchmarks.backends import Backend

    known = {str(backend): backend for backend in Backend}
    unknown = [name for name in text.split(",") if name not in known]
    if unknown:
        raise UsageError(f"--backends {unknown[0]} is unknown; give some of {', '.join(known)}")
    return [known[name] for name in text.split(",")]
