"""Which backends can run here, on which providers, and why the others cannot."""

import os
import shutil
import sysconfig
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from rdi.errors import MissingPackageError, ProviderError, RdiError, UsageError
from rdi.export.benchmarks.backends import CPU, Backend, Candidate
from rdi.extras import install_hint
from rdi.runtime.model import ModelFile
from rdi.runtime.providers import Provider, available_providers, parse_provider, require_built_in
from rdi.runtime.sessions import Sessions

CUDA = "cuda"
_PYTORCH = (Backend.PYTORCH, Backend.COMPILED)
_BY_DEFAULT = [backend for backend in Backend if not backend.pretended]
_ANYWHERE = (Backend.PLAIN, Backend.RDI)  # on any provider of ONNX Runtime; the others on the CPU alone
_COMPILERS = ("g++", "clang++", "c++", "cl")


def choose_candidates(
    model: ModelFile, backends: Sequence[Backend] | None = None, providers: Sequence[str] | None = None
) -> tuple[list[Candidate], list[str]]:
    """What is to be measured, and a note for each that is left out because it cannot run here.

    backends:  those that are wanted; None: all that can run here
    providers: likewise, as rdi names them
    Raises UsageError for an unknown provider, and RdiError with the reason where something that was named cannot run.
    """
    wanted = [parse_provider(name).value for name in providers] if providers else _present_providers()
    candidates, notes = [], []
    for provider in dict.fromkeys(wanted):
        for backend in backends or _BY_DEFAULT:
            candidate = Candidate(backend, provider)
            if not _fits(candidate):
                continue
            try:
                require_runnable(candidate, model)
            except RdiError as error:
                if (backends and provider == CPU) or (providers and backend in _ANYWHERE):
                    raise
                notes.append(f"left out: {candidate}: {error}")
            else:
                candidates.append(candidate)
    if not candidates:
        raise UsageError(f"none of these backends runs on {', '.join(wanted)}; give others, or another provider")
    return candidates, notes


def _present_providers() -> Iterator[str]:
    """The CPU, what ONNX Runtime was built with, and CUDA where PyTorch has it."""
    yield CPU
    yield from (provider.value for provider in available_providers())
    if _torch_has_cuda():
        yield CUDA


def _fits(candidate: Candidate) -> bool:
    if candidate.provider == CPU:
        return True
    return candidate.backend in _ANYWHERE or (candidate.backend in _PYTORCH and candidate.provider == CUDA)


def require_runnable(candidate: Candidate, model: ModelFile) -> None:
    """RdiError that says what is missing, where a candidate cannot run here."""
    if candidate.backend.needs_openvino and not find_spec("openvino"):
        raise MissingPackageError(f"needs openvino: {install_hint('bench')}")
    if candidate.backend is Backend.COMPILED:
        _require_compiler()
    if candidate.backend in _PYTORCH and candidate.provider == CUDA and not _torch_has_cuda():
        raise ProviderError("this PyTorch finds no CUDA device")
    if candidate.backend in _ANYWHERE and candidate.provider != CPU:
        provider, smallest = Provider(candidate.provider), model.metadata.size_multiple
        require_built_in(provider)
        Sessions(model, provider).get(smallest, smallest)


def _require_compiler() -> None:
    """`torch.compile` writes C++, which takes a compiler and Python's headers."""
    compilers = (os.environ["CXX"],) if os.environ.get("CXX") else _COMPILERS
    if not any(map(shutil.which, compilers)):
        raise MissingPackageError(f"torch.compile needs a C++ compiler ({', '.join(compilers)}): install one")
    headers = Path(sysconfig.get_path("include")) / "Python.h"
    if not headers.is_file():
        raise MissingPackageError(f"torch.compile needs Python's headers ({headers}): install python3-dev")


def _torch_has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()
