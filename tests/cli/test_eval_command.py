"""`rdi eval` as a user calls it."""

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from rdi.cli.main import app


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in "ab":
        Image.effect_noise((90, 70), 60).convert("RGB").save(tmp_path / f"{name}.png")
    return tmp_path


def test_a_model_and_its_weights_score_alike(photos: Path, exported_model: Path, checkpoint_file: Path) -> None:
    models = ["--model", str(exported_model), "--model", str(checkpoint_file)]
    result = CliRunner().invoke(app, ["eval", "--photos", str(photos), "--ratio", "100", *models, "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [mean["photos"] for mean in found["means"]] == [2, 2]
    assert found["means"][0]["psnr"] == pytest.approx(found["means"][1]["psnr"], abs=1e-2)
    assert len(found["photos"]) == 4


def test_a_list_chooses_the_photos(photos: Path, exported_model: Path) -> None:
    (photos / "VALIDATION.txt").write_text("b.png\n")
    result = CliRunner().invoke(app, ["eval", "--photos", str(photos), "--ratio", "50", "--model", str(exported_model)])
    assert result.exit_code == 0, result.output
    assert "b.png" in result.stderr
    assert "a.png" not in result.stderr
    assert f"{exported_model.name}     50       1" in result.stdout


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--ratio", "many"], "--ratio many"),
        (["--list", "none.txt"], "--list none.txt does not exist"),
        (["--model", "a.pth"], "neither .onnx nor .safetensors"),
        (["--model", "none.onnx"], "none.onnx does not exist"),
    ],
)
def test_mistakes_get_one_line(photos: Path, exported_model: Path, options: list[str], reason: str) -> None:
    model = [] if "--model" in options else ["--model", str(exported_model)]
    result = CliRunner().invoke(app, ["eval", "--photos", str(photos), *model, *options])
    assert result.exit_code in (1, 2)
    assert reason in result.stderr
    assert "Traceback" not in result.output
