import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from rdi.checkpoint import Checkpoint
from rdi.cli import export as commands
from rdi.cli.main import app
from rdi.errors import CheckpointError
from rdi.export import ExportSettings, picture_checks
from rdi.export.report import Check, Report
from rdi.extras import install_hint
from rdi.metadata import Precision


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [*map(str, arguments)])


@pytest.fixture
def exports(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Checkpoint, Path, ExportSettings]]:
    """What the command asked the library for; exporting itself is tested with the library."""
    import rdi.export

    calls = []

    def export(
        checkpoint: Checkpoint, out: Path, settings: ExportSettings, observe: Callable[[Report], None]
    ) -> Report:
        calls.append((checkpoint, out, settings))
        check = Check("amplifier", 7e-8, 1e-6, "relative difference")
        report = Report(out, 4_010_000, settings.opset, "cpu", (check,))
        observe(report)
        return report

    monkeypatch.setattr(rdi.export, "export", export)
    return calls


def test_the_command_as_documented_exports_and_writes_nothing_to_the_terminal_but_its_result(
    checkpoint_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "runs" / "one").mkdir(parents=True)
    (tmp_path / "runs" / "one" / "checkpoint.safetensors").symlink_to(checkpoint_file)
    done = subprocess.run(
        [sys.executable, "-m", "rdi.cli", "export", "--out", "models/rdi.onnx"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == 1, "the exporter's own notes reach the terminal"
    assert "runs/one/checkpoint.safetensors" in done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["check", "figure", "bound", "result"]
    assert re.fullmatch(r"wrote models/rdi.onnx: 4\.\d\d MB, opset 21, fp32", lines[-2])
    assert re.fullmatch(r"wrote models/rdi.strips.zip: 4\.\d\d MB, for memory limits", lines[-1])
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == ["rdi.onnx", "rdi.strips.zip"]


def test_verify_prints_the_checks_and_says_that_all_is_well(
    exported_model: Path, checkpoint_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_checks, "SIZES", ((32, 32),))  # all of them run in the library's own test
    monkeypatch.setattr(picture_checks, "LARGE", (64, 96))
    report = tmp_path / "report.json"
    result = run("verify", exported_model, "--checkpoint", checkpoint_file, "--report", report)
    assert result.exit_code == 0, result.output
    assert "weights in the graph" in result.stdout
    assert "FAILED" not in result.stdout
    assert result.stdout.splitlines()[-1].endswith(f"computes what {checkpoint_file} computes")
    assert json.loads(report.read_text())["passed"] is True


def test_verify_prints_the_whole_table_and_fails_when_a_check_does(
    checkpoint_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import rdi.export

    found = Report(Path("model.onnx"), 3, 21, "cpu", (Check("one", 2, 1), Check("two", 0, 1)))
    monkeypatch.setattr(rdi.export, "inspect_model", lambda *_: found)
    report = tmp_path / "report.json"
    result = run("verify", "model.onnx", "--checkpoint", checkpoint_file, "--report", report)
    assert result.exit_code == 1
    assert "two" in result.stdout
    assert "check 'one' gives 2" in result.stderr
    assert json.loads(report.read_text())["passed"] is False


def test_a_refused_export_shows_its_checks_and_writes_the_report_but_no_model(
    checkpoint_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_checks, "SIZES", ((32, 32),))
    monkeypatch.setattr(picture_checks, "LARGE", (64, 96))
    out, report = tmp_path / "model.onnx", tmp_path / "report.json"
    options = ("--precision", "fp16", "--min-psnr", 150, "--report", report)
    result = run("export", "--out", out, "--checkpoint", checkpoint_file, *options)
    assert result.exit_code == 1
    assert re.search(r"PSNR against float32 .* 150  FAILED", result.stdout)
    assert "asked is 150" in result.stderr
    assert not out.exists()
    found = json.loads(report.read_text())
    assert found["passed"] is False
    assert found["checks"][-1]["name"] == "PSNR against float32"


def test_the_newest_run_is_exported_then_the_shipped_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match="rdi train"):
        commands.default_checkpoint()
    shipped = Path("models") / "rdi.safetensors"
    shipped.parent.mkdir()
    shipped.write_bytes(b"")
    assert commands.default_checkpoint() == shipped
    for age, name in enumerate(("newest", "older", "oldest")):
        run_folder = Path("runs") / name
        run_folder.mkdir(parents=True)
        (run_folder / "checkpoint.safetensors").write_bytes(b"")
        os.utime(run_folder / "checkpoint.safetensors", (1e9 - age, 1e9 - age))
    (Path("runs") / "empty").mkdir()
    assert commands.default_checkpoint() == Path("runs/newest/checkpoint.safetensors")


def test_options_reach_the_library(
    checkpoint_file: Path, tmp_path: Path, exports: list[tuple[Checkpoint, Path, ExportSettings]]
) -> None:
    out, report = tmp_path / "model.onnx", tmp_path / "report.json"
    result = run("export", "--out", out, "--checkpoint", checkpoint_file, "--opset", 22, "--report", report)
    assert result.exit_code == 0, result.output
    (call,) = exports
    assert call[0].metadata.variant == "test"
    assert call[1:] == (out, ExportSettings(opset=22))
    assert json.loads(report.read_text())["opset"] == 22
    options = ("--precision", "FP16", "--min-psnr", 55, "--no-simplify")
    assert run("export", "--out", out, "--checkpoint", checkpoint_file, *options).exit_code == 0
    assert exports[1][2] == ExportSettings(21, Precision.FP16, simplify=False, min_psnr=55)
    assert run("export", "--out", out, "--checkpoint", checkpoint_file, "--no-strips").exit_code == 0
    assert exports[2][2] == ExportSettings(strips=False)


@pytest.mark.real_data
def test_published_weights_are_taken_from_their_own_option(
    shared: Path, tmp_path: Path, exports: list[tuple[Checkpoint, Path, ExportSettings]]
) -> None:
    weights = shared / "reference" / "paper_weights.pth"
    result = run("export", "--out", tmp_path / "paper.onnx", "--from-paper", weights)
    assert result.exit_code == 0, result.output
    assert exports[0][0].metadata.variant == "paper"


def test_mistakes_are_answered_in_one_line(checkpoint_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "model.onnx"
    text = tmp_path / "text.safetensors"
    text.write_text("no weights")
    pickled = tmp_path / "text.pth"
    pickled.write_text("text")
    mistakes = {
        ("--checkpoint", text): (1, "is no safetensors file"),
        ("--checkpoint", tmp_path / "missing"): (1, "does not exist"),
        ("--checkpoint", checkpoint_file, "--from-paper", text): (2, "exclude each other"),
        ("--from-paper", text): (1, "loads without running code"),
        ("--from-paper", pickled): (1, "loads without running code"),
        ("--from-paper", tmp_path): (1, "loads without running code"),
        ("--checkpoint", checkpoint_file, "--opset", 17): (2, "give 21 to 23"),
        ("--checkpoint", checkpoint_file, "--precision", "int8"): (2, "give one of fp32, fp16, fp16-compute"),
        ("--checkpoint", checkpoint_file, "--min-psnr", 50): (2, "give it with precision fp16, fp16-compute"),
        ("--checkpoint", checkpoint_file, "--precision", "fp16", "--min-psnr", -1): (2, "give a number above 0"),
    }
    for arguments, (code, message) in mistakes.items():
        result = run("export", "--out", out, *arguments)
        assert result.exit_code == code, (arguments, result.output)
        assert message in result.stderr
        errors = [line for line in result.stderr.splitlines() if not line.startswith("exporting ")]
        assert len(errors) == 1, errors
        assert errors[0].startswith("rdi: ")
    assert not out.exists()


def test_missing_packages_are_named_with_the_extra_that_brings_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    found = SimpleNamespace()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in ("torch", "onnxsim") else found)
    result = run("export", "--out", tmp_path / "model.onnx")
    assert result.exit_code == 1
    assert "torch, onnxsim not installed" in result.stderr
    assert install_hint("export") in result.stderr


def test_a_name_that_is_no_onnx_files_is_refused_before_weights_are_lost(checkpoint_file: Path) -> None:
    before = checkpoint_file.read_bytes()
    result = run("export", "--checkpoint", str(checkpoint_file), "--out", str(checkpoint_file))
    assert result.exit_code == 2
    assert "ends in .onnx" in result.stderr
    assert checkpoint_file.read_bytes() == before


def test_a_report_that_cannot_be_written_is_refused_before_the_model_is(checkpoint_file: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "a.onnx", tmp_path / "nowhere" / "report.json"
    result = run("export", "--checkpoint", str(checkpoint_file), "--out", str(out), "--report", str(report))
    assert result.exit_code == 1
    assert "nowhere" in result.stderr
    assert not out.exists()
