"""A disk that gets full in the middle of a batch: what fitted is whole, and with more room the rest is done."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rdi.camera import Cfa, RawPhoto
from rdi.camera.dng import write_dng

SIZE = 128 << 10  # bytes of the disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A disk of 128 kB; None where nothing may be mounted: then no file may be as long."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        yield None
        return
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_batch_on_a_small_disk_goes_on_when_there_is_room(
    small_disk: Path | None, commands: Any, given: Path, hidden: Any, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    for name, side in {"a": 32, "b": 400, "c": 40}.items():  # PNG with noise: 3, 480 and 5 kB
        noise = np.random.default_rng(1).integers(512, 16383, (side, side)).astype(np.uint16)
        write_dng(RawPhoto(noise, Cfa.RGGB, np.array([512.0]), 16383.0), tmp_path / "photos" / f"{name}.dng")
    out = (small_disk or tmp_path) / "out"
    arguments = ("infer", "photos", "--out", out, "--format", "png", "--exposure", 1, "--model", given / "tiny.onnx")
    before = "" if small_disk else commands.full(SIZE)
    ended = commands.run(*arguments, folder=tmp_path, before=before)
    assert ended.code == 1, ended.output
    assert f"cannot write {out / 'b_restored.png'}: " in ended.output
    assert ("No space left on device" if small_disk else "File too large") in ended.output
    assert sorted(path.name for path in out.iterdir()) == ["a_restored.png", "c_restored.png"]
    if small_disk:
        subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    again = commands.run(*arguments, folder=tmp_path)
    assert again.code == 0, again.output
    assert "1 restored, 2 skipped" in again.output
    for name, side in {"a": 32, "b": 400, "c": 40}.items():
        with Image.open(out / f"{name}_restored.png") as image:
            image.load()
            assert image.size == (side, side)
    assert hidden(out) == []
