"""What each provider is told: the device to use, and to compute in float32 as the network was verified."""

import re
from typing import Any

from rdi.errors import ProviderError, UsageError
from rdi.runtime.package import import_onnxruntime
from rdi.runtime.providers import Provider

# How a device is named, and the names for people.
_NUMBERED = (re.compile(r"\d{1,3}"), "the number of the GPU, from 0")
_DEVICES = {
    Provider.CUDA: _NUMBERED,
    Provider.TENSORRT: _NUMBERED,
    Provider.DML: _NUMBERED,
    # No NPU: it computes in float16 alone, and onnxruntime would put the CPU in its place silently.
    Provider.OPENVINO: (re.compile(r"CPU|GPU(\.\d)?"), "CPU, GPU, or GPU.1 for the second one"),
}


def parse_device(provider: Provider, device: str | None) -> str | None:
    """A device of this provider, in the spelling that onnxruntime wants; None for the provider's default.

    Raises UsageError for a device that the provider cannot have.
    """
    if device is None:
        return None
    if provider not in _DEVICES:
        raise UsageError(f"provider {provider} has no devices to choose from; leave out device {device!r}")
    pattern, allowed = _DEVICES[provider]
    if not pattern.fullmatch(device.upper()):
        raise UsageError(f"device {device!r} is unknown to provider {provider}; give {allowed}")
    return device.upper()


def provider_options(provider: Provider, threads: int, device: str | None = None) -> dict[str, str]:
    """The settings of a provider, as onnxruntime takes them.

    Raises ProviderError for a device of OpenVINO that this computer has not.
    """
    if provider is Provider.OPENVINO:
        return _openvino_options(threads, device or "CPU")
    options = {"device_id": device} if device else {}
    if provider is Provider.CUDA:
        options["use_tf32"] = "0"  # TF32 has ten bits of mantissa: not the network's float32 any more
    return options


def openvino_devices() -> list[str]:
    """The devices that onnxruntime's OpenVINO finds here; empty where this onnxruntime cannot say."""
    # Public in name only: onnxruntime documents it, but keeps it here.
    listed: Any = getattr(import_onnxruntime().capi._pybind_state, "get_available_openvino_device_ids", list)
    return [str(device) for device in listed()]


def _openvino_options(threads: int, device: str) -> dict[str, str]:
    found = openvino_devices()
    # A single GPU is listed as GPU, several as GPU.0, GPU.1; GPU alone then means the first.
    if found and not any(name == device or name.startswith(f"{device}.") for name in found):
        raise ProviderError(
            f"device {device} of provider openvino is not here; there is {', '.join(found)}; "
            "a GPU needs Intel's driver (intel-opencl-icd on Linux)"
        )
    # On a GPU the default would be float16. On CPUs with AMX bfloat16 halves the time, but leaves 48 dB.
    options = {"device_type": device, "precision": "FP32"}
    if device == "CPU":
        options["num_of_threads"] = str(threads)
    return options
