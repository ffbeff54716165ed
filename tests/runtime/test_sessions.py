from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from rdi.errors import ProviderError
from rdi.runtime import package, sessions
from rdi.runtime.given_inputs import without_defaults
from rdi.runtime.model import open_model
from rdi.runtime.providers import Provider
from rdi.runtime.sessions import GIVEN, Sessions, make_session, run_session

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


def inputs_of(mosaic: np.ndarray) -> dict[str, np.ndarray]:
    return {"mosaic": mosaic[None, None], "amplification": np.array(20, dtype=np.float32)}


def frame(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(512, 900, (64, 96)).astype(np.uint16)


def test_a_picture_outlives_later_runs_and_its_session(exported_model: Path) -> None:
    made = Sessions(open_model(exported_model), Provider.CPU)
    session = made.get(64, 96)
    first = run_session(session, inputs_of(frame(1)), "rgb")
    copied = first.copy()
    others = [run_session(session, inputs_of(frame(seed)), "rgb") for seed in range(2, 8)]
    del session, made
    assert np.array_equal(first, copied)
    assert all(not np.array_equal(first, other) for other in others)


def test_a_mosaic_in_another_memory_order_is_read_as_what_it_is(exported_model: Path) -> None:
    session = Sessions(open_model(exported_model), Provider.CPU).get(64, 96)
    plain, turned = (run_session(session, inputs_of(f), "rgb") for f in (frame(1), np.asfortranarray(frame(1))))
    assert np.array_equal(plain, turned)


def test_sizes_are_fixed_or_left_open(exported_model: Path) -> None:
    content = exported_model.read_bytes()
    fixed = make_session(content, Provider.CPU, 1, {"height": 64, "width": 96})
    left_open = make_session(content, Provider.CPU, 1)
    assert fixed.get_inputs()[0].shape == [1, 1, 64, 96]
    assert left_open.get_inputs()[0].shape == [1, 1, "height", "width"]
    pictures = [run_session(session, inputs_of(frame(1)), "rgb")[0].astype(int) for session in (fixed, left_open)]
    assert np.abs(pictures[0] - pictures[1]).max() <= 2


def test_a_scalar_stays_a_scalar(monkeypatch: pytest.MonkeyPatch) -> None:
    """As (1,) it would break the graph's If in onnxruntime 1.24, which onnxruntime-openvino has."""
    given: dict[str, tuple[int, ...]] = {}

    class Session:
        def run_with_ort_values(self, _: list[str], values: dict[str, Any]) -> list[Any]:
            given.update({name: tuple(value.shape()) for name, value in values.items()})
            return [values["mosaic"]]

    run_session(Session(), {"mosaic": frame(1)[None, None], "amplification": np.array(20, dtype=np.float32)}, "rgb")
    assert given == {"mosaic": (1, 1, 64, 96), "amplification": ()}


@pytest.mark.parametrize(
    ("listed", "placed", "said"),
    [
        ([CPU], CPU, "cuda cannot be used: it is in onnxruntime, but did not load"),
        ([CUDA, CPU], CPU, "it loads, but runs only 0 of 1 convolutions"),
        (RuntimeError("CUDA failure 100: no device"), CPU, r"did not load \(CUDA failure 100: no device\)"),
    ],
)
def test_a_session_that_does_not_run_on_the_provider_is_refused(
    monkeypatch: pytest.MonkeyPatch, listed: list[str] | Exception, placed: str, said: str
) -> None:
    pretend(monkeypatch, listed, placed)
    with pytest.raises(ProviderError, match=said):
        make_session(b"", Provider.CUDA, 1)


def test_a_session_that_runs_on_the_provider_is_used_with_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = pretend(monkeypatch, [CUDA, CPU], CUDA)
    make_session(b"", Provider.CUDA, 1, None, "1")
    assert asked == [(CUDA, {"use_tf32": "0", "device_id": "1"}), (CPU, {})]


def test_a_provider_other_than_the_cpu_gets_a_model_without_defaults(
    exported_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents: dict[Provider, bytes] = {}
    monkeypatch.setattr(sessions, "require_built_in", lambda _: None)
    monkeypatch.setattr(sessions, "make_session", lambda content, provider, *_: contents.update({provider: content}))
    for provider in (Provider.CPU, Provider.OPENVINO):
        Sessions(open_model(exported_model), provider).get(64, 96)
    content = exported_model.read_bytes()
    assert contents == {Provider.CPU: content, Provider.OPENVINO: without_defaults(content, GIVEN)}


def pretend(monkeypatch: pytest.MonkeyPatch, listed: list[str] | Exception, placed: str) -> list[tuple[str, object]]:
    """Make onnxruntime one with CUDA, whose sessions list these providers and run a convolution on this one."""
    asked: list[tuple[str, object]] = []

    class Session:
        def __init__(self, *_: object, providers: list[tuple[str, object]], **__: object) -> None:
            asked.extend(providers)
            if isinstance(listed, Exception):
                raise listed

        def get_providers(self) -> list[str]:
            return cast(list[str], listed)

        def get_provider_graph_assignment_info(self) -> list[Any]:
            return [SimpleNamespace(ep_name=placed, get_nodes=lambda: [SimpleNamespace(op_type="Conv")])]

    real = package.import_onnxruntime()
    fake = SimpleNamespace(InferenceSession=Session, set_default_logger_severity=real.set_default_logger_severity)
    options = SimpleNamespace(add_free_dimension_override_by_name=lambda *_: None)
    options.add_session_config_entry = lambda *_: None
    monkeypatch.setattr(sessions, "import_onnxruntime", lambda: fake)
    monkeypatch.setattr(sessions, "session_options", lambda *_: options)
    monkeypatch.setattr(sessions, "prepare", lambda _: None)
    monkeypatch.setattr(package, "packages_distributions", lambda: {"onnxruntime": ["onnxruntime"]})
    return asked


@pytest.mark.parametrize("size", [(64, 64), (2848, 4256)])
def test_threads_spin_shortly_between_operators(exported_model: Path, size: tuple[int, int]) -> None:
    session = Sessions(open_model(exported_model), Provider.CPU, 1).get(*size)
    assert session.get_session_options().get_session_config_entry("session.intra_op.spin_duration_us") == "100"
