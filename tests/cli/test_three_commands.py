"""The user's three commands, literally, in a folder like the project's."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rdi.models import shipped_model, shipped_sample


def run(command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    words = command.split()
    assert words[0] == "rdi"
    return subprocess.run(
        [sys.executable, "-m", "rdi.cli", *words[1:]], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """models/ as in a checkout, and a raw photo (LibRaw knows it by its content, not by its name)."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "models").mkdir()
    shutil.copy(shipped_model().with_suffix(".safetensors"), folder / "models")
    shutil.copy(shipped_sample(), folder / "photo.ARW")
    return folder


def test_rdi_train(folder: Path) -> None:
    ended = run("rdi train", folder)
    assert ended.returncode == 2
    assert "rdi train --photos DIR" in ended.stderr


def test_rdi_export(folder: Path) -> None:
    ended = run("rdi export --out models/rdi.onnx", folder)
    assert ended.returncode == 0, ended.stderr
    assert "models/rdi.onnx" in ended.stdout
    assert sorted(path.name for path in (folder / "models").iterdir()) == [
        "rdi.onnx",
        "rdi.safetensors",
        "rdi.strips.zip",
    ]
    assert (folder / "models" / "rdi.onnx").stat().st_size < 4.5e6


def test_rdi_infer(folder: Path) -> None:
    ended = run("rdi infer photo.ARW --provider cpu", folder)
    assert ended.returncode == 0, ended.stderr
    assert "photo_restored.jpg" in ended.stdout
    with Image.open(folder / "photo_restored.jpg") as picture:
        assert picture.size == (600, 400)
        assert 40 < np.asarray(picture).mean() < 200
