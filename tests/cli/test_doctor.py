import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rdi.cli.main import app
from rdi.runtime import doctor, package


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["doctor", *arguments])


@pytest.fixture
def shipped(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(doctor, "shipped_model", lambda _: tiny_model)
    return tiny_model


def test_a_healthy_computer_passes(shipped: Path) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    assert "broken" not in result.stdout
    models = "model rdi", "model rdi-srgb"
    for name in ("python", "packages", "cores", "onnxruntime", *models, "provider cpu", "provider cuda", "restoration"):
        assert f"{name}: " in result.stdout


def test_json_lists_the_same_checks(shipped: Path) -> None:
    checks = {check["name"]: check for check in json.loads(run("--json").stdout)}
    assert checks["restoration"]["verdict"] == "ok"
    assert str(shipped) in checks["model rdi-srgb"]["detail"]


def test_a_missing_model_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "shipped_model", lambda _: tmp_path / "none.onnx")
    result = run()
    assert result.exit_code == 1
    assert "broken   model rdi: " in result.stdout
    assert "skipped  provider cpu: built in, but not tried" in result.stdout
    assert "restoration" not in result.stdout


def test_two_onnxruntimes_are_broken(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"onnxruntime": "1.32.0", "onnxruntime-gpu": "1.32.0"}
    monkeypatch.setattr(package, "packages_distributions", lambda: {"onnxruntime": list(found)})
    monkeypatch.setattr(package, "version", found.__getitem__)
    result = run()
    assert result.exit_code == 1
    assert "broken   onnxruntime: onnxruntime and onnxruntime-gpu are installed" in result.stdout


def test_no_onnxruntime_is_broken(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    result = run()
    assert result.exit_code == 1
    assert 'pip install ".[cpu]"' in result.stdout


def test_a_model_that_restores_nonsense_is_broken(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    from rdi.runtime import engine

    monkeypatch.setattr(engine, "upright", lambda picture, _: np.zeros_like(picture))
    result = run()
    assert result.exit_code == 1
    assert "broken   restoration: " in result.stdout
