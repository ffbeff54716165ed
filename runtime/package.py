"""The onnxruntime package: which of its distributions is installed, and the errors it raises.

It comes from one of three extras that overwrite each other, so rdi does not depend on one of them: it asks.
"""

import os
import re
from importlib.metadata import packages_distributions, version
from typing import Any

from rdi.errors import MissingPackageError, ProviderError
from rdi.extras import install_command

_SOURCE = re.compile(
    r"\S+\.(?:cc|cpp|h):\d+ .*?\) "
)  # /onnxruntime_src/.../file.cc:729 void onnxruntime::Function(int)
DISTRIBUTIONS = {"onnxruntime": "cpu", "onnxruntime-gpu": "cuda", "onnxruntime-openvino": "openvino"}  # and its extra


def import_onnxruntime() -> Any:
    """The onnxruntime module, without its telemetry.

    From 1.32 on its Linux packages keep an identifier of the computer under ~/.cache, leave a file `.ses` in the folder
    for temporary files, and send events; a variable that is set before it is loaded is the only way to have none of it.
    Raises MissingPackageError where none is installed, ProviderError where what is installed is damaged (what one of
    two distributions leaves behind when the other is removed).
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"onnxruntime is not installed; run exactly one of these in rdi's checkout: {install_command('cpu')} "
            f"(any computer), {install_command('cuda')} (NVIDIA) or {install_command('openvino')} (Intel)"
        ) from error
    if not hasattr(onnxruntime, "InferenceSession"):
        raise ProviderError(f"the installed onnxruntime is damaged; {repair_command()}")
    return onnxruntime


def installed_distributions() -> dict[str, str]:
    """Name -> version of each installed distribution that brings a package `onnxruntime`; there should be one."""
    names = sorted(set(packages_distributions().get("onnxruntime", [])))
    return {name: version(name) for name in names}


def repair_command(extra: str = "cpu") -> str:
    """The commands that leave exactly one onnxruntime: the one of this extra."""
    names = " ".join(installed_distributions()) or " ".join(DISTRIBUTIONS)
    return f"run in rdi's checkout: pip uninstall -y {names} && {install_command(extra)}"


def session_errors() -> tuple[type[Exception], ...]:
    """Everything that onnxruntime raises for a file, a graph or an input it cannot take; they share no base class."""
    import onnxruntime.capi.onnxruntime_pybind11_state as state

    own = [item for item in vars(state).values() if isinstance(item, type) and issubclass(item, Exception)]
    return (*own, RuntimeError, ValueError)


def first_line(error: Exception) -> str:
    """What onnxruntime says, without its error codes and its own functions' names, in one line."""
    text = " ".join(str(error).split()).split(" : ")[-1]
    return _SOURCE.sub("", text)[:200]
