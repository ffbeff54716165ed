"""`rdi compare`: both backends on one photo."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rdi.camera import RawPhoto
from rdi.camera.dng import write_dng
from rdi.cli.main import app
from rdi.export.comparison import interleave


@pytest.fixture
def raw_file(tmp_path: Path, dark_photo: RawPhoto) -> Path:
    write_dng(dark_photo, tmp_path / "dark.dng")
    return tmp_path / "dark.dng"


def test_both_backends_give_the_same_picture(raw_file: Path, exported_model: Path, checkpoint_file: Path) -> None:
    options = ["--model", str(exported_model), "--checkpoint", str(checkpoint_file), "--runs", "2"]
    result = CliRunner().invoke(app, ["compare", str(raw_file), *options, "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["width"], found["height"], found["runs"]) == (96, 64, 2)
    assert found["max_difference"] <= 1.1 / 65535
    assert found["psnr"] is None or found["psnr"] > 90
    for side in (found["pytorch"], found["onnxruntime"]):
        assert 0 < side["minimum"] <= side["median"]
    assert found["speed_up"] == pytest.approx(found["pytorch"]["minimum"] / found["onnxruntime"]["minimum"])
    # PyTorch's libraries alone are larger than ONNX Runtime with this network on a tiny frame.
    assert found["onnxruntime"]["peak_bytes"] < found["pytorch"]["peak_bytes"]
    table = CliRunner().invoke(app, ["compare", str(raw_file), *options]).stdout
    assert "PyTorch" in table
    assert "x as fast" in table


def test_other_weights_are_refused(raw_file: Path, exported_model: Path, tmp_path: Path) -> None:
    import torch

    from rdi.checkpoint import save_checkpoint
    from rdi.metadata import ModelMetadata
    from rdi.network import RestorationNetwork

    torch.manual_seed(99)
    save_checkpoint(RestorationNetwork(), ModelMetadata(), tmp_path / "other.safetensors")
    result = CliRunner().invoke(
        app,
        ["compare", str(raw_file), "--model", str(exported_model), "--checkpoint", str(tmp_path / "other.safetensors")],
    )
    assert result.exit_code == 1
    assert "was not exported from" in result.stderr


def test_the_backends_take_turns_and_the_first_round_is_not_timed() -> None:
    order: list[str] = []

    def backend(name: str, milliseconds: float):
        def run():
            order.append(name)
            return milliseconds + len(order), np.zeros((1, 1, 3), np.uint16)

        return run

    times, pictures = interleave({"a": backend("a", 0), "b": backend("b", 100)}, runs=3)
    assert order == ["a", "b"] * 4
    assert times == {"a": [3, 5, 7], "b": [104, 106, 108]}
    assert set(pictures) == {"a", "b"}
