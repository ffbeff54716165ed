"""Weights that are damaged, foreign or made to do harm: one line says why, and nothing of them is executed."""

import json
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from rdi import checkpoint as checkpoint_module
from rdi.checkpoint import load_checkpoint, load_published, published_layers, weights_digest
from rdi.errors import CheckpointError
from rdi.metadata import ModelMetadata
from rdi.models import shipped_model
from rdi.network import RestorationNetwork
from rdi.training.state import FORMAT, TrainingState, generations, load_newest_state, load_state, save_state

FACTS: dict[str, Any] = {name: {} for name in ("settings", "places", "training", "quality", "environment", "averages")}


def require_one_line(error: Exception) -> None:
    assert "\n" not in str(error), str(error)


@pytest.fixture(scope="module")
def whole() -> bytes:
    return shipped_model().with_suffix(".safetensors").read_bytes()


def refusal(path: Path, load: Any = load_checkpoint) -> str:
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def headed(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def header_of(content: bytes) -> tuple[dict[str, Any], bytes]:
    length = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def test_no_flip_or_cut_of_a_checkpoint_changes_what_is_loaded(whole: bytes, tmp_path: Path) -> None:
    """A flip in the description may change a text of it that no computation rests on; never a weight."""
    path, generator = tmp_path / "a.safetensors", np.random.default_rng(5)
    path.write_bytes(whole)
    digest = weights_digest(load_checkpoint(path).network)
    places = [*generator.integers(len(whole), size=12), *generator.integers(20_000, size=12), *range(8)]
    for place in map(int, places):
        mutant = bytearray(whole)
        mutant[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(mutant)
        try:
            assert weights_digest(load_checkpoint(path).network) == digest
        except CheckpointError as error:
            require_one_line(error)
        path.write_bytes(whole[:place])
        refusal(path)


def test_a_flip_among_the_weights_is_named_by_the_hash(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    for place in (len(whole) - 1, len(whole) // 2):
        mutant = bytearray(whole)
        mutant[place] ^= 4
        path.write_bytes(mutant)
        assert "is damaged: its weights do not match the hash" in refusal(path)


@pytest.mark.parametrize(
    "header",
    [
        {"a": {"dtype": "F32", "shape": [1 << 60], "data_offsets": [0, 1 << 62]}},
        {"a": {"dtype": "F32", "shape": [float("inf")], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [1] * 100, "data_offsets": [0, 4]}},
        {"a": {"dtype": "evil", "shape": [1], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": None, "data_offsets": [0, 4]}},
        {"__metadata__": {"rdi.format": "rdi-1"}},
        {"__metadata__": []},
        [],
        b"[" * 1_000_000,
        b"\xff" * 100,
        b"",
    ],
    ids=str,
)
def test_headers_made_to_break_their_reader_are_refused(header: object, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(headed(header, bytes(4)))
    refusal(path)


def test_a_tensor_that_claims_a_terabyte_takes_no_memory(whole: bytes, tmp_path: Path) -> None:
    """A sparse file, whose header is right: it is refused for its size, and for its shapes where it is smaller."""
    header, data = header_of(whole)
    path = tmp_path / "a.safetensors"
    header["output.bias"]["shape"] = [1 << 40]
    path.write_bytes(headed(header, data))
    assert "1 tensors are missing, unknown or of another shape, such as 'output.bias'" in refusal(path)
    with path.open("r+b") as file:
        file.truncate(1 << 42)
    assert "no weights file of rdi more than" in refusal(path)


def test_other_types_of_numbers_are_taken_only_where_they_are_the_same_numbers(whole: bytes, tmp_path: Path) -> None:
    path, out = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    path.write_bytes(whole)
    strings = header_of(whole)[0]["__metadata__"]
    state = load_file(path)
    save_file({name: tensor.double() for name, tensor in state.items()}, out, metadata=strings)
    assert weights_digest(load_checkpoint(out).network) == strings["rdi.weights_sha256"]
    for kind in (torch.float16, torch.int64, torch.bool):
        save_file({name: tensor.to(kind) for name, tensor in state.items()}, out, metadata=strings)
        refusal(out)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers_are_refused(value: float, tmp_path: Path) -> None:
    network = RestorationNetwork()
    with torch.no_grad():
        network.get_parameter("merge.reduce.bias")[2] = value
    path = tmp_path / "a.safetensors"
    checkpoint_module.save_checkpoint(network, ModelMetadata(), path)
    assert "cannot be used: merge.reduce.bias holds values that are no numbers" in refusal(path)


def test_pipes_devices_and_folders_are_no_weights(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.safetensors")
    for path in (tmp_path / "pipe.safetensors", Path("/dev/zero"), tmp_path, tmp_path / "none"):
        refusal(path)
        refusal(path, load_published)
        refusal(path, load_state)


class Evil:
    """Leaves a file behind where it is unpickled with code."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.trace,))


def test_no_pickle_with_code_in_it_is_run_whatever_it_is_called(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    for name, load in (("a.pth", load_published), ("a.safetensors", load_checkpoint), ("1.safetensors", load_state)):
        for legacy in (False, True):
            path = tmp_path / name
            torch.save({"model": Evil(trace)}, path, _use_new_zipfile_serialization=not legacy)
            refusal(path, load)
    assert not trace.exists()


def published(network: RestorationNetwork) -> dict[str, Any]:
    ours = {name: layer for layer, name in published_layers().items()}
    model = {}
    for name, tensor in network.state_dict().items():
        layer, _, kind = name.replace(".parametrizations.weight", "").rpartition(".")
        model[f"{ours[layer]}.{kind.replace('original0', 'weight_g').replace('original1', 'weight_v')}"] = tensor
    return model


def test_published_files_with_something_else_in_place_of_weights_are_refused(tmp_path: Path) -> None:
    model, path = published(RestorationNetwork().eval()), tmp_path / "a.pth"
    name = next(iter(model))
    replacements: list[object] = ["text", 3, None, [1.0], {"a": 1}, torch.zeros(1, 2, 3), model[name] * float("nan")]
    replacements += [torch.zeros_like(model[name]).to_sparse(), torch.empty_like(model[name], device="meta")]
    for replacement in replacements:
        torch.save({"model": model | {name: replacement}}, path)
        refusal(path, load_published)
    contents: list[object] = [[], "text", {"model": []}, {"model": {3: torch.zeros(1)}}, {"model": {}}]
    for content in contents:
        torch.save(content, path)
        refusal(path, load_published)


def test_a_published_file_that_unpacks_to_gigabytes_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint_module, "LARGEST_PUBLISHED", 10_000_000)
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", b"\x80\x02}q\x00.")
        archive.writestr("a/data/0", bytes(20_000_000))
    assert path.stat().st_size < 100_000
    refusal(path, load_published)


def saved_state(tmp_path: Path, **changes: Any) -> Path:
    (tmp_path / "state").mkdir(exist_ok=True)
    tensors = {"weights.a": torch.arange(200.0), "random.torch": torch.zeros(8, dtype=torch.uint8)}
    return save_state(tmp_path, TrainingState(7, tensors, FACTS | changes))


def test_no_flip_or_cut_of_a_state_changes_what_is_loaded(tmp_path: Path) -> None:
    path = saved_state(tmp_path)
    whole, expected = path.read_bytes(), load_state(path)
    for place in range(0, len(whole), 3):
        mutant = bytearray(whole)
        mutant[place] ^= 1 << place % 8
        path.write_bytes(mutant)
        try:
            found = load_state(path)
        except CheckpointError as error:
            require_one_line(error)
        else:
            assert (found.step, found.facts) == (expected.step, expected.facts)
            assert all(torch.equal(found.tensors[name], tensor) for name, tensor in expected.tensors.items())
        path.write_bytes(whole[:place])
        refusal(path, load_state)


@pytest.mark.parametrize("name", sorted(FACTS))
@pytest.mark.parametrize("value", [None, [], "text", 3])
def test_a_state_whose_facts_are_of_another_shape_is_refused(name: str, value: object, tmp_path: Path) -> None:
    path = saved_state(tmp_path, **{name: value})
    assert "something is missing" in refusal(path, load_state)
    with pytest.raises(CheckpointError, match="holds no training state to resume from"):
        load_newest_state(tmp_path)


@pytest.mark.parametrize("text", ["[]", "null", "{", "[" * 100_000, '{"step": -1}', '{"step": "7"}'])
def test_a_state_whose_facts_are_none_is_refused(text: str, tmp_path: Path) -> None:
    from rdi.training.state import _digest

    tensors = {"weights.a": torch.zeros(3)}
    path = tmp_path / "1.safetensors"
    facts = json.dumps(FACTS | json.loads(text)) if text.startswith('{"') else text
    save_file(tensors, path, metadata={"format": FORMAT, "facts": facts, "sha256": _digest(tensors, facts)})
    refusal(path, load_state)


def test_a_state_of_tensors_that_cannot_be_hashed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "1.safetensors"
    tensors = {"weights.a": torch.zeros(3, dtype=torch.bfloat16)}
    save_file(tensors, path, metadata={"format": FORMAT, "facts": json.dumps(FACTS | {"step": 1}), "sha256": ""})
    refusal(path, load_state)
    assert generations(tmp_path) == []
