"""A raw file that crashes LibRaw, through every command that reads one: a line that names it, and the others go on."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from rdi.camera.dng import write_dng
from rdi.cli.main import app
from rdi.simulate import Exposure, simulate

LIBRAW = "is damaged: LibRaw crashed (SIGABRT) on it; copy the file again, or leave it out"

pytestmark = pytest.mark.usefixtures("libraw_crashes")


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dark.dng and bright.dng, of one scene."""
    folder = tmp_path_factory.mktemp("taken")
    scene = np.random.default_rng(1).integers(40, 200, (210, 260, 3)).astype(np.uint8)
    for name, ratio in {"dark": 50, "bright": 1}.items():
        photo = simulate(scene, Exposure(800, ratio, np.array([2.0, 1.0, 1.5])), seed=1)
        write_dng(photo.replace(exposure_time=10 / ratio), folder / f"{name}.dng")
    return folder


@pytest.fixture
def photos(taken: Path, tmp_path: Path) -> Path:
    """A folder with a whole photo and one that crashes LibRaw."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a", "crash"):
        shutil.copy(taken / "dark.dng", folder / f"{name}.dng")
    return folder


@pytest.fixture
def pairs(taken: Path, tmp_path: Path) -> Path:
    """A pair to train on, whose long exposure crashes LibRaw, and one to validate with."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    for name in ("crash", "z"):
        shutil.copy(taken / "dark.dng", folder / f"{name}_1.dng")
        shutil.copy(taken / "bright.dng", folder / f"{name}_long.dng")
    (folder / "VALIDATION.txt").write_text("z_1.dng\n")
    return folder


@pytest.mark.parametrize("command", ["infer", "info"])
def test_photos_that_are_restored_or_described(command: str, photos: Path, tiny_model: Path, tmp_path: Path) -> None:
    options = ["--model", tiny_model, "--out", tmp_path / "out"] if command == "infer" else []
    done = run(command, *sorted(photos.iterdir()), *options, "--json")
    assert done.exit_code == 1
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(one.get("photo") or one["file"]).name for one in found if not one.get("error")] == ["a.dng"]
    assert f"{photos / 'crash.dng'} {LIBRAW}" in done.output


def test_photos_that_are_compared(photos: Path) -> None:
    done = run("compare", photos, "--runs", 1, "--no-memory", "--json")
    assert done.exit_code == 1
    assert [Path(json.loads(line)["photo"]).name for line in done.stdout.splitlines()] == ["a.dng"]
    assert f"{photos / 'crash.dng'} {LIBRAW}" in done.stderr


@pytest.mark.parametrize("mode", ["stages", "batch"])
def test_photos_that_are_measured(mode: str, photos: Path, tiny_model: Path) -> None:
    done = run("bench", f"--{mode}", photos if mode == "batch" else photos / "crash.dng", "--model", tiny_model)
    assert done.exit_code == 1
    assert done.stderr.endswith(f"rdi: {photos / 'crash.dng'} {LIBRAW}\n")


@pytest.mark.parametrize("command", ["train", "prepare", "eval"])
def test_pairs_that_are_learned_from_or_measured_on(
    command: str, pairs: Path, tiny_model: Path, tmp_path: Path
) -> None:
    options = {
        "train": ["--out", tmp_path / "run", "--steps", 2, "--batch", 1, "--crop", 192, "--workers", 0],
        "prepare": ["--cache", tmp_path / "cache", "--workers", 1],
        "eval": ["--model", tiny_model],
    }
    done = run(command, "--pairs", pairs, *options[command])
    assert done.exit_code == 1
    assert f"crash_1.dng: {pairs / 'crash_long.dng'} {LIBRAW}" in done.stderr.splitlines()[-1]
