"""What is measured where, what is left out, and why."""

from pathlib import Path

import pytest

from rdi.errors import MissingPackageError, ProviderError, UsageError
from rdi.export.benchmarks import candidates
from rdi.export.benchmarks.backends import Backend, Candidate
from rdi.export.benchmarks.candidates import choose_candidates
from rdi.runtime.model import ModelFile, open_model
from rdi.runtime.providers import Provider


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> ModelFile:
    return open_model(tiny_model)


def test_without_a_compiler_the_others_are_measured_and_a_note_says_so(
    model: ModelFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    chosen, notes = choose_candidates(model, providers=["cpu"])
    assert Candidate(Backend.RDI) in chosen
    assert Candidate(Backend.COMPILED) not in chosen
    assert "left out: compiled: torch.compile needs a C++ compiler (no-such-compiler): install one" in notes


def test_what_was_named_and_cannot_run_is_an_error(model: ModelFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(MissingPackageError, match=r"C\+\+ compiler"):
        choose_candidates(model, [Backend.COMPILED])
    monkeypatch.setattr(candidates, "find_spec", lambda _: None)
    with pytest.raises(MissingPackageError, match="needs openvino"):
        choose_candidates(model, [Backend.OPENVINO_RDI])
    with pytest.raises(ProviderError, match="coreml cannot be used"):
        choose_candidates(model, [Backend.RDI], ["coreml"])
    with pytest.raises(UsageError, match="unknown provider 'tpu'"):
        choose_candidates(model, None, ["tpu"])
    with pytest.raises(UsageError, match="none of these backends runs on coreml"):
        choose_candidates(model, [Backend.RDI_STRIPS], ["coreml"])


def test_a_gpu_is_measured_with_what_can_use_it(model: ModelFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "_torch_has_cuda", lambda: True)
    monkeypatch.setattr(candidates, "available_providers", lambda: [Provider.CPU, Provider.CUDA])
    monkeypatch.setattr(candidates, "require_built_in", lambda _: None)

    class Loads:
        def __init__(self, _: ModelFile, provider: Provider) -> None:
            assert provider is Provider.CUDA

        def get(self, *size: int) -> None:
            assert size == (32, 32)

    monkeypatch.setattr(candidates, "Sessions", Loads)
    chosen, _ = choose_candidates(model, [Backend.PYTORCH, Backend.PLAIN, Backend.RDI, Backend.RDI_STRIPS])
    assert [str(candidate) for candidate in chosen] == [
        "pytorch",
        "plain",
        "rdi",
        "rdi-strips",
        "pytorch on cuda",
        "plain on cuda",
        "rdi on cuda",
    ]


def test_a_provider_that_does_not_load_is_a_note(model: ModelFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "available_providers", lambda: [Provider.CPU, Provider.COREML])
    chosen, notes = choose_candidates(model, [Backend.RDI])
    assert chosen == [Candidate(Backend.RDI)]
    assert len(notes) == 1
    assert notes[0].startswith("left out: rdi on coreml: provider coreml cannot be used")
