"""`rdi bench` with its modes: small runs of each, and what each refuses."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rdi.camera import RawPhoto
from rdi.camera.dng import write_dng
from rdi.checkpoint import load_checkpoint
from rdi.cli.bench import MODES
from rdi.cli.main import app
from rdi.export.benchmarks import backend_memory, branch_speed, parallel_speed
from rdi.export.benchmarks.arithmetic import Arithmetic
from rdi.models import shipped_model
from rdi.network import RestorationNetwork
from rdi.runtime.threads import physical_cores

SHIPPED = shipped_model().with_suffix(".safetensors")

STAGES = ["decode", "exposure", "align", "session", "network", "encode"]


def bench(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["bench", *map(str, arguments)])


def test_every_mode_is_a_module_and_an_option() -> None:
    shown = bench("--help").stdout
    for name in MODES:
        assert find_spec(f"rdi.cli.benchmarks.{name}")
        assert f"--{name} " in shown


def test_macs_are_counted_for_the_papers_sizes(tmp_path: Path) -> None:
    result = bench("--macs", "--json", "--out", tmp_path / "macs.md")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["parameters"] == 784_768
    assert [work["height"] for work in found["work"]] == [2848, 2848, 4032, 4032]
    lines = (tmp_path / "macs.md").read_text(encoding="utf-8").splitlines()
    assert found["machine"]["processor"] in lines[0]
    assert "| 2848x4256 | 12.1 | training form | 59.6 |" in "\n".join(lines)


def test_the_stages_of_the_shipped_sample_or_of_a_photo_are_timed(
    small_photo: RawPhoto, tiny_model: Path, tmp_path: Path
) -> None:
    write_dng(small_photo, tmp_path / "a.dng")
    result = bench("--stages", tmp_path / "a.dng", "--model", tiny_model, "--runs", 2, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["photo"], found["width"], found["height"]) == ("a.dng", 56, 40)
    assert list(found["stages"]) == STAGES
    least = [stage["minimum"] for stage in found["stages"].values()]
    assert found["sum_of_stages"] == pytest.approx(sum(least))
    assert all(time > 0 for time in least)
    table = bench("--stages", "--model", tiny_model, "--runs", 1).stdout
    assert "sample.dng, 600x400 (0.2 megapixels)" in table
    for stage in STAGES:
        assert f"\n| {stage} | " in table


@pytest.mark.parametrize(("mode", "library"), [("branches", branch_speed), ("parallel", parallel_speed)])
def test_branches_are_measured_with_the_weights_that_were_named(
    mode: str, library: Any, checkpoint_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library's own tests run them for real."""
    asked: list[Any] = []

    def pretend(network: RestorationNetwork, size: tuple[int, int], **settings: Any) -> Arithmetic:
        asked.append((size, settings["threads"], settings["runs"], network.output.weight.sum().item()))
        return Arithmetic(1, 2, 3, ())

    monkeypatch.setattr(library, f"measure_{mode}", pretend)
    result = bench(f"--{mode}", "--sizes", "32x64", "--runs", 1, "--threads", 1, "--checkpoint", checkpoint_file)
    assert result.exit_code == 0, result.output
    bench(f"--{mode}")
    weights = [load_checkpoint(path).network.output.weight.sum().item() for path in (checkpoint_file, SHIPPED)]
    assert asked == [((32, 64), 1, 1, weights[0]), ((2848, 4256), physical_cores(), 7, weights[1])]


def test_memory_is_the_mean_of_processes_of_their_own(exported_model: Path, checkpoint_file: Path) -> None:
    files = ["--model", exported_model, "--checkpoint", checkpoint_file]
    options = ["--sizes", "32x32", "--backends", "pytorch,rdi", "--runs", 1, "--trials", 2, "--json"]
    result = bench(*files, *options)
    assert result.exit_code == 0, result.output
    pytorch, ours = (row["peak_bytes"] for row in json.loads(result.stdout)["rows"])
    assert ours["mean"] < pytorch["minimum"]  # PyTorch is not loaded where it is not measured
    for peak in (pytorch, ours):
        assert peak["trials"] == 2
        assert peak["minimum"] <= peak["mean"] <= peak["maximum"]


def test_a_ctrl_c_prints_what_is_done_and_exits_with_130(
    exported_model: Path, checkpoint_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(backend_memory, "peak_bytes", interrupt)
    files = ["--model", exported_model, "--checkpoint", checkpoint_file]
    result = bench(*files, "--sizes", "32x32", "--backends", "rdi", "--runs", 1, "--trials", 2)
    assert result.exit_code == 130
    assert "| 32x32 | 0.0 | rdi |" in result.stdout
    assert "broken off before its end" in result.stdout


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--macs", "--runs", "3"], "--macs takes no --runs"),
        (["--stages", "--sizes", "64x96"], "--stages takes no --sizes"),
        (["--branches", "--sizes", "64x96,96x64"], "one size is measured here"),
        (["--macs", "--out", "nowhere/a.md"], "the folder nowhere does not exist"),
        (["--parallel", "--out", "a.svg"], "of --parallel; give a .md or .json file"),
        (["photo.dng"], "photo.dng is of use to --stages and --training alone"),
        (["--macs", "--stages"], "--macs and --stages exclude each other"),
        (["--no-memory", "--trials", "3"], "--trials has nothing to count"),
    ],
)
def test_mistakes_get_one_line_before_anything_is_measured(options: list[str], reason: str) -> None:
    result = bench(*options)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1
