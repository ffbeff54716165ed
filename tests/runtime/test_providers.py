from pathlib import Path
from types import SimpleNamespace

import pytest

from rdi.errors import ProviderError, UsageError
from rdi.runtime import Provider, package, providers
from rdi.runtime.package import installed_distributions
from rdi.runtime.providers import (
    available_providers,
    load_failure_reason,
    missing_library,
    missing_reason,
    parse_provider,
    prepare,
    require_built_in,
    require_used,
)


def pretend_installed(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr(package, "packages_distributions", lambda: {"onnxruntime": [*names, *names]})
    monkeypatch.setattr(package, "version", lambda _: "1.32.0")


def test_the_cpu_is_always_there() -> None:
    assert Provider.CPU in available_providers()
    require_built_in(Provider.CPU)


def test_names_are_read_in_any_case_and_unknown_ones_refused() -> None:
    assert parse_provider("CUDA") is Provider.CUDA
    with pytest.raises(UsageError, match=r"'npu'; choose one of cpu, cuda, openvino, tensorrt, coreml, dml"):
        parse_provider("npu")


def test_one_onnxruntime_is_installed_here() -> None:
    assert len(installed_distributions()) == 1


@pytest.mark.parametrize(
    ("provider", "extra"), [(Provider.CUDA, "cuda"), (Provider.TENSORRT, "cuda"), (Provider.OPENVINO, "openvino")]
)
def test_a_provider_of_another_package_names_the_command_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, provider: Provider, extra: str
) -> None:
    pretend_installed(monkeypatch, "onnxruntime")
    reason = missing_reason(provider)
    assert "onnxruntime was built without it" in reason
    assert f'pip uninstall -y onnxruntime && pip install ".[{extra}]"' in reason


def test_a_provider_that_this_build_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = next(provider for provider in Provider if provider not in available_providers())
    with pytest.raises(ProviderError, match=f"provider {absent} cannot be used"):
        require_built_in(absent)


def test_the_right_package_without_the_provider_sends_nobody_in_circles(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_installed(monkeypatch, "onnxruntime-gpu")
    assert "pip" not in missing_reason(Provider.CUDA)


def test_two_onnxruntimes_are_the_first_diagnosis(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_installed(monkeypatch, "onnxruntime", "onnxruntime-gpu")
    for reason in (missing_reason(Provider.CUDA), load_failure_reason(Provider.CUDA)):
        assert "onnxruntime and onnxruntime-gpu are installed and overwrite each other" in reason
        assert 'pip uninstall -y onnxruntime onnxruntime-gpu && pip install ".[cuda]"' in reason


def test_a_session_that_fell_back_to_the_cpu_is_refused_with_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_installed(monkeypatch, "onnxruntime-gpu")
    with pytest.raises(ProviderError, match=r"onnxruntime-gpu, but did not load.*NVIDIA driver.*cuDNN"):
        require_used(Provider.CUDA, ["CPUExecutionProvider"])


@pytest.mark.parametrize(
    ("linker", "needs"),
    [
        ("libcudnn.so.9: cannot open shared object file", 'cuDNN 9 libraries: pip install ".[cuda]"'),
        ("libcuda.so.1: cannot open shared object file", "needs the NVIDIA driver: install it as your system does"),
    ],
)
def test_a_missing_library_is_named_with_what_brings_it(
    monkeypatch: pytest.MonkeyPatch, linker: str, needs: str
) -> None:
    pretend_installed(monkeypatch, "onnxruntime-gpu")
    monkeypatch.setattr(providers, "missing_library", lambda _: linker)
    reason = load_failure_reason(Provider.CUDA, "what onnxruntime says is vaguer")
    assert f"did not load ({linker}); it" in reason
    assert needs in reason


def test_the_systems_linker_is_asked_for_the_providers_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "capi").mkdir()
    (tmp_path / "capi" / "libonnxruntime_providers_cuda.so").write_bytes(b"no library")
    module = SimpleNamespace(__file__=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(providers, "import_onnxruntime", lambda: module)
    assert "libonnxruntime_providers_cuda.so" in missing_library(Provider.CUDA)
    assert missing_library(Provider.OPENVINO) == ""


def test_what_onnxruntime_prints_while_loading_libraries_is_kept_off_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import onnxruntime

    loaded = []

    def preload() -> None:
        loaded.append("CUDA")
        print("Failed to load libcudnn.so.9: gone")

    monkeypatch.setattr(onnxruntime, "preload_dlls", preload)
    prepare.cache_clear()
    prepare(Provider.CUDA)
    prepare(Provider.CUDA)
    prepare(Provider.CPU)
    prepare.cache_clear()
    assert loaded == ["CUDA"]
    assert capsys.readouterr().out == ""


def test_a_session_that_uses_the_provider_is_accepted() -> None:
    require_used(Provider.CUDA, ["CUDAExecutionProvider", "CPUExecutionProvider"])


def test_a_damaged_onnxruntime_is_told_from_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    import types

    monkeypatch.setitem(sys.modules, "onnxruntime", types.ModuleType("onnxruntime"))
    with pytest.raises(ProviderError, match="damaged; run in rdi's checkout: pip uninstall"):
        package.import_onnxruntime()


def test_onnxruntimes_words_lose_its_own_functions_names() -> None:
    said = "/onnxruntime_src/a/state.cc:729 void onnxruntime::Register(Options&, const Options&) Please install it."
    assert package.first_line(RuntimeError(said)) == "Please install it."
    assert package.first_line(RuntimeError("[ONNXRuntimeError] : 1 : FAIL : no\nmemory (left)")) == "no memory (left)"
