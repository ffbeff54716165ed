from pathlib import Path

import numpy as np
import pytest

from rdi.errors import ProviderError
from rdi.runtime import sessions
from rdi.runtime.model import open_model
from rdi.runtime.providers import Provider
from rdi.runtime.sessions import Sessions, make_session, run_session


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
    fixed = make_session(content, Provider.CPU, 1, (64, 96))
    left_open = make_session(content, Provider.CPU, 1)
    assert fixed.get_inputs()[0].shape == [1, 1, 64, 96]
    assert left_open.get_inputs()[0].shape == [1, 1, "height", "width"]
    pictures = [run_session(session, inputs_of(frame(1)), "rgb")[0].astype(int) for session in (fixed, left_open)]
    assert np.abs(pictures[0] - pictures[1]).max() <= 2


def test_a_session_that_fell_back_to_another_provider_is_refused(
    exported_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "import_onnxruntime", lambda: Fallen)
    monkeypatch.setattr(sessions, "session_options", lambda *_: Options())
    with pytest.raises(ProviderError, match="cuda cannot be used"):
        make_session(b"", Provider.CUDA, 1, (64, 96))
    assert Fallen.asked == ["CUDAExecutionProvider", "CPUExecutionProvider"]


class Options:
    def add_free_dimension_override_by_name(self, *_: object) -> None: ...


class Fallen:
    """onnxruntime without a GPU: it takes the request and uses the CPU."""

    asked: list[str]

    class InferenceSession:
        def __init__(self, *_: object, providers: list[tuple[str, object]], **__: object) -> None:
            Fallen.asked = [name for name, _ in providers]

        def get_providers(self) -> list[str]:
            return ["CPUExecutionProvider"]
