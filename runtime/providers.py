"""Execution providers: the hardware that runs the network. What was asked for is used, or refused with a reason."""

import contextlib
import ctypes
import io
from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path

from rdi.errors import ProviderError, UsageError
from rdi.extras import install_hint
from rdi.runtime.package import DISTRIBUTIONS, import_onnxruntime, installed_distributions, repair_command


class Provider(StrEnum):
    """The providers that rdi knows by name."""

    CPU = "cpu"
    CUDA = "cuda"
    OPENVINO = "openvino"
    TENSORRT = "tensorrt"
    COREML = "coreml"
    DML = "dml"

    @property
    def onnx_name(self) -> str:
        """What onnxruntime calls it."""
        return _ONNX_NAMES[self]


_ONNX_NAMES = {
    Provider.CPU: "CPUExecutionProvider",
    Provider.CUDA: "CUDAExecutionProvider",
    Provider.OPENVINO: "OpenVINOExecutionProvider",
    Provider.TENSORRT: "TensorrtExecutionProvider",
    Provider.COREML: "CoreMLExecutionProvider",
    Provider.DML: "DmlExecutionProvider",
}

# What brings a provider that this onnxruntime was built without: an extra of rdi, or what to do instead.
_EXTRAS = {Provider.CPU: "cpu", Provider.CUDA: "cuda", Provider.TENSORRT: "cuda", Provider.OPENVINO: "openvino"}
_ELSEWHERE = {
    Provider.COREML: "the onnxruntime package has it on macOS only",
    Provider.DML: "install onnxruntime-directml in place of onnxruntime, on Windows",
}
# What a provider needs from the computer, where this onnxruntime has it but cannot load it.
_NEEDS = {
    Provider.CUDA: "needs an NVIDIA driver (`nvidia-smi` must list the GPU) and the CUDA 12 or 13 and cuDNN 9 "
    f"libraries: {install_hint('cuda')}",
    Provider.TENSORRT: "needs an NVIDIA driver, CUDA, and TensorRT's libraries where the system's linker finds them "
    "(on Linux: name their folder in LD_LIBRARY_PATH)",
    Provider.OPENVINO: f"needs the OpenVINO libraries of the same version: {install_hint('openvino')}",
    Provider.COREML: "needs macOS 10.15 or newer",
    Provider.DML: "needs a GPU with DirectX 12",
}
_DRIVER = "libcuda.so"  # comes with the driver alone: no package brings it
_NEEDS_DRIVER = "needs the NVIDIA driver: install it as your system does, until `nvidia-smi` lists the GPU"


def parse_provider(name: str) -> Provider:
    """The provider of this name; raises UsageError, which lists the known ones."""
    try:
        return Provider(name.lower())
    except ValueError as error:
        raise UsageError(f"unknown provider {name!r}; choose one of {', '.join(Provider)}") from error


def available_providers() -> list[Provider]:
    """The providers that this onnxruntime was built with; whether they load shows only in a session."""
    built_in = import_onnxruntime().get_available_providers()
    return [provider for provider in Provider if provider.onnx_name in built_in]


def require_built_in(provider: Provider) -> None:
    """Refuse a provider that this onnxruntime was built without: ProviderError with the command that mends it."""
    if provider not in available_providers():
        raise ProviderError(f"provider {provider} cannot be used: {missing_reason(provider)}")


def require_used(provider: Provider, session_providers: Sequence[str]) -> None:
    """Refuse a session that runs without the provider it was made for: onnxruntime falls back to the CPU silently."""
    if provider.onnx_name not in session_providers:
        raise ProviderError(f"provider {provider} cannot be used: {load_failure_reason(provider)}")


def missing_reason(provider: Provider) -> str:
    """Why this onnxruntime has no such provider, and the command that mends it."""
    found = installed_distributions()
    if len(found) > 1:
        return two_distributions_reason(provider)
    if provider in _ELSEWHERE:
        return f"the installed {_name(found)} was built without it; {_ELSEWHERE[provider]}"
    extra = _EXTRAS[provider]
    if DISTRIBUTIONS.get(_name(found)) == extra:  # the right package, built for another processor or system
        return f"this computer's build of {_name(found)} has no {provider}; use the provider cpu"
    return f"the installed {_name(found)} was built without it; {repair_command(extra)}"


def load_failure_reason(provider: Provider, said: str = "") -> str:
    """Why a provider of this onnxruntime did not load, and what it needs.

    said: by onnxruntime, if it said anything; the system's linker knows better where a library is missing
    """
    found = installed_distributions()
    if len(found) > 1:
        return two_distributions_reason(provider)
    said = missing_library(provider) or said
    needs = _NEEDS_DRIVER if said.startswith(_DRIVER) else _NEEDS.get(provider, "does not run here")
    return f"it is in {_name(found)}, but did not load{f' ({said})' if said else ''}; it {needs}"


def missing_library(provider: Provider) -> str:
    """What the system's linker says of the provider's own library: the library that this one misses; "" for none."""
    folder = Path(str(import_onnxruntime().__file__)).parent / "capi"
    for library in folder.glob(f"*onnxruntime_providers_{provider}.*"):
        try:
            ctypes.CDLL(str(library))
        except OSError as error:
            return " ".join(str(error).split())
    return ""


def two_distributions_reason(provider: Provider = Provider.CPU) -> str:
    """What is wrong with two onnxruntime distributions in one environment, and the commands that mend it."""
    names = " and ".join(installed_distributions())
    return f"{names} are installed and overwrite each other; {repair_command(_EXTRAS.get(provider, 'cpu'))}"


@cache
def prepare(provider: Provider) -> None:
    """Make the provider's own libraries loadable, before its first session; what is missing shows in the session."""
    if provider in (Provider.CUDA, Provider.TENSORRT):
        with contextlib.redirect_stdout(io.StringIO()):  # onnxruntime prints there, where our results belong
            # CUDA and cuDNN lie in site-packages/nvidia, where the dynamic linker does not look.
            import_onnxruntime().preload_dlls()


def _name(found: dict[str, str]) -> str:
    return next(iter(found), "onnxruntime")
