"""`rdi bench`: the backends in turn, with their ratios."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rdi.cli.bench import MODES
from rdi.cli.benchmarks.page import TITLES
from rdi.cli.main import app
from rdi.export.benchmarks import rewrite_speed
from rdi.export.benchmarks.backends import given_model
from rdi.export.benchmarks.rewrites import rewrites
from rdi.graph_contract import INPUTS
from rdi.runtime.providers import Provider
from rdi.runtime.sessions import make_session, run_session


def test_the_backends_are_timed_in_turn_at_every_size(
    exported_model: Path, checkpoint_file: Path, tmp_path: Path
) -> None:
    files = ["--model", str(exported_model), "--checkpoint", str(checkpoint_file)]
    sizes = [
        "--sizes",
        "64x96,96x64",
        "--backends",
        "pytorch,plain,rdi,rdi-estimating,rdi-strips",
        "--runs",
        "2",
        "--no-memory",
    ]
    result = CliRunner().invoke(app, ["bench", *files, *sizes, "--json", "--out", str(tmp_path / "bench.md")])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [(row["backend"], row["height"]) for row in found["rows"]] == [
        (backend, height)
        for height in (64, 96)
        for backend in ("pytorch", "plain", "rdi", "rdi-estimating", "rdi-strips")
    ]
    for row in found["rows"]:
        assert 0 < row["minimum"] <= row["median"] <= row["p95"]
        assert row["peak_bytes"] is None
    assert found["machine"]["cores"] >= 1
    assert found["rows"][1]["times_plain"] == 1
    ratio = found["rows"][1]["minimum"] / found["rows"][2]["minimum"]
    assert found["rows"][2]["times_plain"] == pytest.approx(ratio)
    assert "| 64x96 | 0.0 | rdi |" in (tmp_path / "bench.md").read_text(encoding="utf-8")


def test_the_report_of_the_backends_has_a_point_of_each_in_its_plot(
    exported_model: Path, checkpoint_file: Path, tmp_path: Path
) -> None:
    files = ["--model", str(exported_model), "--checkpoint", str(checkpoint_file), "--runs", "1", "--no-memory"]
    command = ["bench", *files, "--sizes", "64x96,96x128", "--backends", "pytorch,rdi"]
    page = tmp_path / "r.html"
    assert CliRunner().invoke(app, [*command, "--report", str(page)]).exit_code == 0
    assert page.read_text("utf-8").count("<circle") == 2 * 2
    assert "<td>pytorch</td>" in page.read_text("utf-8")
    assert CliRunner().invoke(app, [*command, "--report", str(tmp_path / "r.txt")]).exit_code == 2


def test_every_mode_has_a_title_for_its_page() -> None:
    assert TITLES.keys() == MODES.keys()


def test_what_has_no_plots_has_its_tables_on_the_page(tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    result = CliRunner().invoke(app, ["bench", "--macs", "--sizes", "2848x4256", "--report", str(page)])
    assert result.exit_code == 0, result.output
    assert "<svg" not in page.read_text("utf-8")
    assert re.search(r"2848x4256.*59\.[0-9]", page.read_text("utf-8"))


def test_each_rewrite_is_timed_against_what_it_replaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first_two = list(rewrites())[:2]  # all of them run in the library's own test
    monkeypatch.setattr(rewrite_speed, "rewrites", lambda: first_two)
    command = ["bench", "--rewrites", "--sizes", "64x96", "--runs", "1", "--threads", "1"]
    result = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "rewrites.json")])
    assert result.exit_code == 0, result.output
    rows = json.loads((tmp_path / "rewrites.json").read_text(encoding="utf-8"))["rewrites"]
    assert [row["name"] for row in rows] == [rewrite.name for rewrite in first_two]
    for row in rows:
        assert row["times_as_fast"] == pytest.approx(row["before"] / row["after"])
        assert f"| {row['name']} | 64x96 |" in result.stdout


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--sizes", "100x64"], "no multiple of 32"),
        (["--sizes", "large"], "--sizes large"),
        (["--sizes", "0x0"], "--sizes 0x0 cannot be read"),
        (["--backends", "tvm"], "--backends tvm is unknown"),
        (["--out", "a.txt"], "a .md or .json or .svg file"),
        (["--rewrites"], "--rewrites takes no --model, --checkpoint, --memory"),
    ],
)
def test_mistakes_get_one_line(exported_model: Path, checkpoint_file: Path, options: list[str], reason: str) -> None:
    files = ["--model", str(exported_model), "--checkpoint", str(checkpoint_file)]
    result = CliRunner().invoke(app, ["bench", *files, "--runs", "1", "--no-memory", *options])
    assert result.exit_code == 2
    assert reason in result.stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--encoders", "--backends", "nonsense"], "--encoders takes no --backends"),
        (["--encoders", "--checkpoint", "nofile"], "--encoders takes no --checkpoint"),
        (["--encoders", "--no-memory"], "--encoders takes no --memory"),
        (["--encoders", "--sizes", "64x96,96x64"], "one size is measured here"),
        (["--rewrites", "--backends", "rdi"], "--rewrites takes no --backends"),
        (["--rewrites", "--memory"], "--rewrites takes no --memory"),
        (["--batch", "photos", "--sizes", "64x96", "--threads", "1", "--runs", "3"], "no --sizes, --threads, --runs"),
        (["--rewrites", "--encoders"], "exclude each other"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(options: list[str], reason: str) -> None:
    result = CliRunner().invoke(app, ["bench", *options])
    assert result.exit_code == 2
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_model_without_defaults_gets_every_input_of_the_contract(exported_model: Path) -> None:
    content, inputs = given_model(exported_model, (64, 96))
    session = make_session(content, Provider.CPU, 1)
    assert {item.name for item in session.get_inputs()} == set(INPUTS) == set(inputs)
    given = run_session(session, inputs, "rgb")
    defaults = make_session(exported_model.read_bytes(), Provider.CPU, 1)
    np.testing.assert_array_equal(given, run_session(defaults, inputs, "rgb"))
    assert given.std() > 1000
