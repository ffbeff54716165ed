import json
from pathlib import Path

import pytest

from rdi.errors import OutputError, VerificationError
from rdi.export.report import Check, Report


def report(*checks: Check) -> Report:
    return Report(Path("model.onnx"), 3_000_000, 21, "cpu", checks)


GOOD = Check("borders", 1e-6, 1e-5, "largest difference")
BAD = Check("middle", 2e-5, 1e-5, "largest difference")


def test_a_figure_passes_up_to_its_bound_and_not_a_number_never() -> None:
    assert Check("exact", 0, 0).passed
    assert Check("limit", 1e-5, 1e-5).passed
    assert not BAD.passed
    assert not Check("nothing", float("nan"), 1.0).passed


def test_a_figure_that_should_be_large_passes_from_its_bound_on() -> None:
    assert Check("likeness", 60.0, 60.0, "dB", at_least=True).passed
    assert Check("likeness", float("inf"), 60.0, "dB", at_least=True).passed
    assert not Check("likeness", float("nan"), 60.0, "dB", at_least=True).passed
    with pytest.raises(VerificationError, match=r"'likeness' gives 59 dB, asked is 60"):
        report(Check("likeness", 59.0, 60.0, "dB", at_least=True)).require_passed()


def test_a_failed_check_is_named_with_figure_and_bound() -> None:
    assert report(GOOD).require_passed().passed
    with pytest.raises(VerificationError, match=r"'middle' gives 2e-05 largest difference, allowed is 1e-05"):
        report(GOOD, BAD).require_passed()


def test_the_table_has_one_line_for_each_check() -> None:
    lines = report(GOOD, BAD).table().splitlines()
    assert len(lines) == 3
    assert lines[1].split()[:4] == ["borders", "1e-06", "1e-05", "ok"]
    assert "FAILED" in lines[2]


def test_the_report_is_saved_as_json(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    report(GOOD, BAD).save(path)
    saved = json.loads(path.read_text())
    assert saved["passed"] is False
    assert saved["opset"] == 21
    assert saved["checks"][0] == {"name": "borders", "figure": 1e-6, "bound": 1e-5, "unit": "largest difference"}
    with pytest.raises(OutputError):
        report(GOOD).save(tmp_path / "missing" / "report.json")
