"""A model that computes in half precision says so wherever one would ask, and restores all the same."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rdi.cli.main import app
from rdi.metadata import ModelMetadata, Precision
from rdi.models import shipped_sample
from rdi.runtime.doctor import diagnose

NOTE = "made for a GPU"


@pytest.fixture
def model(make_tiny_model: Callable[[ModelMetadata], Path]) -> Path:
    return make_tiny_model(ModelMetadata(variant="tiny", precision=Precision.FP16_COMPUTE))


def test_restoring_on_a_cpu_notes_it_once_beside_the_result(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "picture.jpg"
    result = CliRunner().invoke(app, ["infer", str(shipped_sample()), "--model", str(model), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert result.stderr.count(NOTE) == 1
    assert NOTE not in result.stdout
    assert out.is_file()


def test_info_and_doctor_say_what_it_is(model: Path) -> None:
    described = json.loads(CliRunner().invoke(app, ["info", str(model), "--json"]).stdout)
    assert described["precision"] == "fp16-compute"
    assert NOTE in described["note"]
    found = next(check for check in diagnose(model) if check.name == "model")
    assert "fp16-compute" in found.detail
    assert NOTE in found.detail


def test_other_models_have_no_such_note(make_tiny_model: Callable[[ModelMetadata], Path]) -> None:
    path = make_tiny_model(ModelMetadata(variant="tiny", precision=Precision.FP16))
    assert "note" not in json.loads(CliRunner().invoke(app, ["info", str(path), "--json"]).stdout)
