import pytest

from rdi.errors import ProviderError, UsageError
from rdi.runtime import provider_options as module
from rdi.runtime.provider_options import openvino_devices, parse_device, provider_options
from rdi.runtime.providers import Provider


def pretend_devices(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr(module, "openvino_devices", lambda: list(names))


def test_the_cpu_has_no_settings() -> None:
    assert provider_options(Provider.CPU, 2) == {}


def test_cuda_computes_in_float32_on_the_gpu_that_was_named() -> None:
    assert provider_options(Provider.CUDA, 2) == {"use_tf32": "0"}
    assert provider_options(Provider.CUDA, 2, "1") == {"use_tf32": "0", "device_id": "1"}


def test_openvino_computes_in_float32_with_the_threads_that_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_devices(monkeypatch, "CPU", "GPU.0", "GPU.1")
    assert provider_options(Provider.OPENVINO, 3) == {"device_type": "CPU", "precision": "FP32", "num_of_threads": "3"}
    for device in ("GPU", "GPU.1"):
        assert provider_options(Provider.OPENVINO, 3, device) == {"device_type": device, "precision": "FP32"}


def test_an_openvino_device_that_is_not_here_is_refused_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_devices(monkeypatch, "CPU")
    with pytest.raises(ProviderError, match=r"device GPU .* is not here; there is CPU; a GPU needs Intel's driver"):
        provider_options(Provider.OPENVINO, 2, "GPU")
    pretend_devices(monkeypatch, "CPU", "GPU.0", "GPU.1")
    with pytest.raises(ProviderError, match=r"device GPU\.2 "):
        provider_options(Provider.OPENVINO, 2, "GPU.2")


def test_an_onnxruntime_without_openvino_lists_no_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    monkeypatch.delattr(onnxruntime.capi._pybind_state, "get_available_openvino_device_ids", raising=False)
    assert openvino_devices() == []


@pytest.mark.parametrize(
    ("provider", "device", "parsed"),
    [(Provider.OPENVINO, "gpu", "GPU"), (Provider.OPENVINO, "GPU.1", "GPU.1"), (Provider.CUDA, "0", "0")],
)
def test_devices_are_read_in_any_case(provider: Provider, device: str, parsed: str) -> None:
    assert parse_device(provider, device) == parsed
    assert parse_device(provider, None) is None


@pytest.mark.parametrize(
    ("provider", "device", "said"),
    [
        (Provider.OPENVINO, "NPU", "give CPU, GPU, or GPU.1"),
        (Provider.OPENVINO, "0", "give CPU, GPU, or GPU.1"),
        (Provider.CUDA, "GPU", "give the number of the GPU, from 0"),
        (Provider.CUDA, "-1", "give the number of the GPU, from 0"),
        (Provider.CPU, "CPU", "provider cpu has no devices"),
    ],
)
def test_devices_that_a_provider_cannot_have_are_refused(provider: Provider, device: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_device(provider, device)
