from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from rdi import models
from rdi.camera.dng import write_dng
from rdi.cli.main import app
from rdi.runtime import restorer
from rdi.simulate import Exposure, simulate


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["demo", *map(str, arguments)])


@pytest.fixture(autouse=True)
def shipped(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = tmp_path_factory.mktemp("sample") / "sample.dng"
    photo = np.full((96, 128, 3), 160, dtype=np.uint8)
    photo[:, :64] = 60
    write_dng(simulate(photo, Exposure(3200, 100, np.array([2.1, 1.0, 1.6]))), sample)
    monkeypatch.setattr(models, "shipped_sample", lambda: sample)
    monkeypatch.setattr(restorer, "shipped_model", lambda: tiny_model)


def test_the_demo_shows_the_photo_as_shot_brightened_and_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run()
    assert result.exit_code == 0, result.output
    assert "rdi_demo.png" in result.stdout
    assert "amplification" in result.stdout
    with Image.open("rdi_demo_restored.png") as image:
        assert image.size == (128, 96)
    with Image.open("rdi_demo.png") as image:
        panels = np.array_split(np.asarray(image)[-96:], 3, axis=1)
        dark, brightened, restored = (panel[:, 30:90].mean() for panel in panels)
    assert dark < 20
    assert brightened > 3 * dark
    assert restored > 3 * dark


def test_a_second_run_leaves_the_pictures_and_does_not_fail(tmp_path: Path) -> None:
    """One that was broken off may have left the first of them alone: the other one is made."""
    (tmp_path / "rdi_demo.png").write_bytes(b"mine")
    for _ in range(2):
        result = run("--out", tmp_path)
        assert result.exit_code == 0
        assert "--overwrite" in result.stdout
        assert (tmp_path / "rdi_demo.png").read_bytes() == b"mine"
        assert (tmp_path / "rdi_demo_restored.png").read_bytes()[:4] == b"\x89PNG"
    assert run("--out", tmp_path, "--overwrite").exit_code == 0
    assert (tmp_path / "rdi_demo.png").read_bytes()[:4] == b"\x89PNG"


def test_the_demo_goes_where_it_is_told(tmp_path: Path) -> None:
    assert run("--out", tmp_path / "show.jpg").exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"show.jpg", "show_restored.jpg"}


@pytest.mark.parametrize("out", ["none", "none/a.png", "a.gif"])
def test_a_place_that_is_none_is_refused(tmp_path: Path, out: str) -> None:
    result = run("--out", tmp_path / out)
    assert result.exit_code != 0
    assert result.stderr.startswith("rdi: ")
    assert list(tmp_path.iterdir()) == []
