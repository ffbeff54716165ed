"""Hostile models, weights and states through every command that takes one: exit code 1 or 2 and one line."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rdi.camera import Cfa, RawPhoto
from rdi.camera.dng import write_dng
from rdi.cli.main import app
from rdi.models import shipped_model
from rdi.seal import seal
from rdi.strips import strip_path


def invoke(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def one_line(*arguments: object) -> str:
    """What a command that fails says, without the notes of what it is about to do."""
    result = invoke(*arguments)
    assert result.exit_code in (1, 2), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    lines = [line for line in result.stderr.splitlines() if line.startswith("rdi: ")]
    others = [line for line in result.stderr.splitlines() if not line.startswith("rdi: ")]
    assert len(lines) == 1, result.stderr
    assert all(line.startswith("checking ") for line in others), result.stderr
    return str(lines[0])


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "night.dng"
    write_dng(RawPhoto(np.full((64, 96), 600, np.uint16), Cfa.RGGB, np.array([512.0]), 16383.0), path)
    return path


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :]


MODELS = {
    "empty": lambda _: b"",
    "cut": lambda whole: whole[:-1000],
    "flipped": lambda whole: flipped(whole, len(whole) // 2),
    "text": lambda _: b"this is no model\n" * 99,
    "foreign": lambda _: seal(b"\x08\x0a"),
}


@pytest.mark.parametrize("kind", MODELS)
def test_hostile_models_are_one_line_in_every_command(kind: str, photo: Path, tmp_path: Path) -> None:
    model, out = tmp_path / "hostile.onnx", tmp_path / "out.png"
    model.write_bytes(MODELS[kind](shipped_model().read_bytes()))
    for arguments in (
        ("infer", photo, "--model", model, "--out", out),
        ("info", model),
        ("eval", "--photos", photo.parent, "--model", model),
    ):
        said = one_line(*arguments)
        assert str(model) in said
        assert "rdi export" in said or "export it again" in said
    assert not out.exists()


@pytest.mark.parametrize("kind", ["empty", "text", "foreign"])
def test_hostile_models_are_one_line_in_commands_with_pytorch(kind: str, photo: Path, tmp_path: Path) -> None:
    model, weights = tmp_path / "hostile.onnx", shipped_model().with_suffix(".safetensors")
    model.write_bytes(MODELS[kind](shipped_model().read_bytes()))
    assert str(model) in one_line("verify", model, "--checkpoint", weights)
    assert str(model) in one_line("compare", photo, "--model", model, "--checkpoint", weights, "--no-memory")


WEIGHTS = {
    "empty": b"",
    "text": b"this is no checkpoint\n" * 99,
    "long header": struct.pack("<Q", 1 << 60) + b"{}",
    "foreign": struct.pack("<Q", 2) + b"{}",
    "pickle": b"\x80\x04cposix\nsystem\n(S'touch trace'\ntR.",
}


@pytest.mark.parametrize("kind", WEIGHTS)
def test_hostile_weights_are_one_line_in_every_command(
    kind: str, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    weights, model = tmp_path / "hostile.safetensors", shipped_model()
    weights.write_bytes(WEIGHTS[kind])
    commands = [
        ("export", "--checkpoint", weights, "--out", "a.onnx"),
        ("export", "--from-paper", weights, "--out", "a.onnx"),
        ("verify", model, "--checkpoint", weights),
        ("compare", photo, "--model", model, "--checkpoint", weights, "--no-memory"),
        ("eval", "--photos", photo.parent, "--model", weights),
        ("eval", "--photos", photo.parent, "--from-paper", weights),
        ("train", "--photos", photo.parent, "--init", weights, "--out", "run"),
    ]
    if kind != "foreign":  # whose header `rdi info` shows: it is a safetensors file
        commands.append(("info", weights))
    for arguments in commands:
        assert str(weights) in one_line(*arguments), arguments
    assert {path.name for path in tmp_path.iterdir()} <= {"hostile.safetensors", "run"}


@pytest.mark.parametrize("kind", WEIGHTS)
def test_hostile_states_are_one_line(kind: str, tmp_path: Path) -> None:
    state = tmp_path / "run" / "state" / "00000007.safetensors"
    state.parent.mkdir(parents=True)
    state.write_bytes(WEIGHTS[kind])
    said = one_line("train", "--resume", tmp_path / "run")
    assert "holds no training state to resume from" in said
    assert str(state) in said


def test_hostile_strips_are_one_line_and_leave_the_model_usable(photo: Path, tmp_path: Path) -> None:
    model = tmp_path / "rdi.onnx"
    model.write_bytes(shipped_model().read_bytes())
    strips = strip_path(shipped_model()).read_bytes()
    for content in (b"", strips[: len(strips) // 2], flipped(strips, len(strips) // 2)):
        strip_path(model).write_bytes(content)
        assert str(strip_path(model)) in one_line("info", strip_path(model))
        assert str(strip_path(model)) in invoke("info", model).stdout


def test_foreign_weights_cannot_pass_for_something_else(tmp_path: Path) -> None:
    """Their own entries are shown, but not in the place of ours, and not in a way that breaks what shows them."""
    from safetensors.numpy import save_file

    path = tmp_path / "w.safetensors"
    strings = {
        "kind": "model",
        "file": "/other",
        "parameters": "9",
        "exposure_time": "soon",
        "warnings": "x",
        "a\nb": "c",
    }
    save_file({"a": np.zeros(4, np.float32)}, path, metadata=strings)
    found = json.loads(invoke("info", path, "--json").stdout)
    assert (found["kind"], found["file"], found["parameters"]) == ("weights", str(path), 4)
    shown = invoke("info", path)
    assert shown.exit_code == 0
    assert "exposure time  soon" in shown.stdout
    assert "a\\nb" in shown.stdout
