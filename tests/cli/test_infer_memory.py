"""`rdi infer --max-memory`: a limit for the whole process, kept or refused."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rdi.camera import Cfa, RawPhoto
from rdi.camera.dng import write_dng

STATUS = Path("/proc/self/status")
INFER = """
import sys
from rdi.cli.main import app
sys.argv = ["rdi", "infer", *sys.argv[1:]]
try:
    app()
finally:
    lines = open("/proc/self/status").read().splitlines()
    print(next(line for line in lines if line.startswith("VmHWM")), file=sys.stderr)
"""


def dng(path: Path, height: int, width: int) -> Path:
    mosaic = (512 + np.random.default_rng(0).poisson(np.linspace(2, 200, width), (height, width))).astype(np.uint16)
    write_dng(RawPhoto(mosaic, Cfa.RGGB, np.array(512.0), 16383.0), path)
    return path


def infer(model: Path, *arguments: object) -> tuple[int, list[dict[str, object]], str]:
    command = [sys.executable, "-c", INFER, "--model", str(model), "--json", *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()], ended.stderr


def peak_megabytes(said: str) -> float:
    return int(said.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


@pytest.mark.skipif(not STATUS.exists(), reason="the peak of resident memory is read from /proc")
@pytest.mark.parametrize("suffix", [(), ("--format", "png", "--bits", 16)])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_process_keeps_to_its_limit_and_the_picture_is_the_same(
    exported_model: Path, tmp_path: Path, suffix: tuple[object, ...], threads: int
) -> None:
    photos = [dng(tmp_path / "wide.dng", 600, 6000), dng(tmp_path / "small.dng", 900, 1200)]
    for folder in ("limited", "free"):
        (tmp_path / folder).mkdir()
    options = ("--threads", threads, *suffix)
    code, told, said = infer(exported_model, *photos, "--max-memory", "205MB", "--out", tmp_path / "limited", *options)
    assert code == 0, said
    assert [photo["in_strips"] for photo in told] == [True, False]
    assert peak_megabytes(said) <= 205
    code, told, _ = infer(exported_model, *photos, "--out", tmp_path / "free", *options)
    assert (code, told[0]["in_strips"]) == (0, False)
    for free in (tmp_path / "free").iterdir():
        limited = tmp_path / "limited" / free.name
        with Image.open(free) as expected, Image.open(limited) as found:
            assert expected.tobytes() == found.tobytes()


def test_a_limit_that_is_too_small_costs_the_photo_and_names_one_that_works(
    exported_model: Path, tmp_path: Path
) -> None:
    photo = dng(tmp_path / "a.dng", 600, 900)
    code, told, said = infer(exported_model, photo, "--max-memory", "20MB")
    assert code == 1
    assert told[0]["status"] == "failed"
    assert "a memory limit of 20 MB is too small" in said
    works = said.split("the smallest that works is ")[1].split(" MB")[0]
    code, told, said = infer(exported_model, photo, "--max-memory", f"{int(works) + 2}MB")  # the process itself varies
    assert (code, told[0]["status"]) == (0, "restored"), said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--max-memory", "much"], "no amount of memory"),
        (["--max-memory", "300MB", "--compare-with-camera"], "keeps to no memory limit"),
    ],
)
def test_what_a_limit_cannot_be_combined_with_is_a_usage_error(
    exported_model: Path, tmp_path: Path, options: list[str], said: str
) -> None:
    code, _, error = infer(exported_model, dng(tmp_path / "a.dng", 64, 96), *options)
    assert code == 2
    assert said in error
    assert [path.name for path in tmp_path.iterdir()] == ["a.dng"]
