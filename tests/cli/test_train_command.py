"""`rdi train` as a user calls it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from rdi.checkpoint import load_checkpoint
from rdi.cli.main import app
from rdi.simulate import Exposure, simulate

FAST = ["--steps", "2", "--batch", "1", "--crop", "192", "--workers", "0", "--validate-every", "2"]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in "ab":
        Image.effect_noise((200, 220), 60).convert("RGB").save(folder / f"{name}.png")
    return folder


def test_photos_become_a_checkpoint(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["train", "--photos", "photos", *FAST])
    assert result.exit_code == 0, result.output
    (checkpoint,) = tmp_path.glob("runs/*/checkpoint.safetensors")
    assert str(checkpoint.relative_to(tmp_path)) in result.stdout
    assert "validation PSNR" in result.stderr
    assert load_checkpoint(checkpoint).metadata.training["steps_done"] == 2


def test_bare_without_sid_it_says_what_to_choose_from(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "rdi.cli", "train"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "rdi train --photos DIR" in ended.stderr
    assert "rdi train --sid DIR" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_bare_it_trains_on_the_sid_that_lies_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rdi.camera.dng import write_dng

    monkeypatch.chdir(tmp_path)
    picture = np.full((200, 200, 3), 128, np.uint8)
    for place, ratio in (("short/00001_00_0.1s", 10), ("long/00001_00_1s", 1)):
        path = tmp_path / "Sony" / f"{place}.ARW"
        path.parent.mkdir(parents=True)
        write_dng(simulate(picture, Exposure(100, ratio, np.array([2.0, 1.0, 1.5]))), path)
    for split in ("train", "val"):
        line = "./Sony/short/00001_00_0.1s.ARW ./Sony/long/00001_00_1s.ARW ISO200 F8\n"
        (tmp_path / f"Sony_{split}_list.txt").write_text(line)
    result = CliRunner().invoke(app, ["train", *FAST])
    assert result.exit_code == 0, result.output
    (checkpoint,) = tmp_path.glob("runs/*/checkpoint.safetensors")
    assert "See-in-the-Dark" in load_checkpoint(checkpoint).metadata.training["data"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--photos", "nowhere"], "nowhere is not a folder"),
        (["--sid", "nowhere"], "nowhere is not a folder; give the one that holds SID's Sony/"),
        (["--photos", "photos", "--mix", "photos=1,sid=1"], "--mix names sid"),
        (["--photos", "photos", "--sensor", "Nikon D85"], "perhaps Nikon D850"),
        (["--photos", "photos", "--crop", "100"], "--crop 100"),
        (["--photos", "photos", "--iso", "dark"], "--iso dark is no range"),
        (["--photos", "photos", "--iso", "10-100"], "within 50-25600"),
        (["--photos", "photos", "--white-balance", "auto"], "give input or baked"),
        (["--photos", "photos", "--device", "tpu"], "give cpu or cuda"),
        (["--photos", "photos", "--init", "none.safetensors", *FAST], "none.safetensors does not exist"),
    ],
)
def test_mistakes_get_one_line_and_leave_nothing(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["train", *options])
    assert result.exit_code in (1, 2)
    assert reason in result.stderr
    assert "Traceback" not in result.output
    assert not list(tmp_path.glob("runs/*"))


def test_cuda_that_is_not_there_is_refused(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    result = CliRunner().invoke(app, ["train", "--photos", str(photos), "--device", "cuda"])
    assert result.exit_code == 2
    assert "sees no CUDA device" in result.stderr


def test_photos_and_sid_train_together_and_are_validated_apart(photos: Path, sid_tree: Path, tmp_path: Path) -> None:
    options = ["--sid", str(sid_tree), "--mix", "photos=1,sid=1", "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(app, ["train", "--photos", str(photos), *options, *FAST])
    assert result.exit_code == 0, result.output
    assert "a mix of sid 50%, photos 50%" in result.stderr
    metadata = load_checkpoint(tmp_path / "run" / "checkpoint.safetensors").metadata
    assert set(metadata.training["sources"]) == {"sid", "photos"}
    assert {"validation_psnr_sid", "validation_psnr_photos"} <= set(metadata.quality)
    assert "frames; sid " in result.stderr
