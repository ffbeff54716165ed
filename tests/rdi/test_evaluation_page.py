"""The page of an evaluation: its plots, the worst and best captures, every row, and names that stay text."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from rdi.camera import Cfa, RawPhoto
from rdi.cli.main import app
from rdi.evaluation.page import _choose
from rdi.evaluation.rows import Row
from rdi.evaluation.unrestored import unrestored
from rdi.page import Html

HOSTILE = "<img src=x onerror=alert(1)>.png"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, name in enumerate(("flat.png", "busy.png", HOSTILE)):
        picture = np.random.default_rng(number).integers(60, 61 + 60 * number, (128, 192, 3)).astype(np.uint8)
        Image.fromarray(picture).save(folder / name)
    return folder


def report_of(photos: Path, model: Path, ratio: str) -> str:
    page = photos.parent / "r.html"
    words = ["eval", "--photos", photos, "--model", model, "--ratio", ratio, "--exposure", "gt", "--report", page]
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == 0, done.output
    return page.read_text("utf-8")


def test_the_worst_and_the_best_captures_are_shown_beside_their_targets(photos: Path, tiny_model: Path) -> None:
    page = report_of(photos, tiny_model, "10,30")
    headings = re.findall(r"<h2>((?:Worst|Second worst|Third worst|Best|Second best|Third best): [^<]+)</h2>", page)
    assert [heading.split(":")[0] for heading in headings] == [
        "Worst",
        "Second worst",
        "Third worst",
        "Best",
        "Second best",
        "Third best",
    ]
    shown = [float(value) for value in re.findall(r"PSNR ([0-9.]+) dB, SSIM", page)]
    rows = re.findall(r"<tr><th scope=\"row\">[^<]*</th><td>tiny.onnx</td><td>gt</td>(.*?)</tr>", page)
    listed = sorted(float(re.findall(r">([0-9.]+)</td>", row)[2]) for row in rows)
    assert len(listed) == 6
    assert shown == [*listed[:3], *listed[:2:-1]]
    assert page.count('alt="') == 3 * 6
    assert "<img src=x" not in page


def test_many_rows_leave_less_room_to_the_pictures(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page keeps its size whatever it lists: four thousand rows are 1.5 MB."""
    folder = tmp_path / "large"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        picture = np.random.default_rng(0).integers(0, 256, (640, 832, 3)).astype(np.uint8)
        Image.fromarray(picture).save(folder / name)
    monkeypatch.setattr("rdi.evaluation.page._listed", lambda _: Html("x" * 400_000))
    assert len(report_of(folder, tiny_model, "30")) > 1_500_000
    monkeypatch.setattr("rdi.evaluation.page.PAGE", 1_200_000)
    assert 1_000_000 < len(report_of(folder, tiny_model, "30")) <= 1_200_000


def test_several_ratios_are_a_line_and_one_is_a_bar(photos: Path, tiny_model: Path) -> None:
    lines = report_of(photos, tiny_model, "10,30")
    assert lines.count("<circle") == 3 * 2  # PSNR, SSIM and NIQE at two ratios
    one = report_of(photos, tiny_model, "30")
    assert one.count("<circle") == 0
    assert one.count("<rect") == 3


def row_of(capture: str, psnr: float, **changes: Any) -> Row:
    values = {"model": "a", "exposure": "gt", "ratio": 100.0, **changes}
    figures: dict[str, Any] = {"ssim": None, "psnr_8bit": psnr, "ssim_8bit": None, "niqe": None, "ma": None}
    return Row(capture=capture, psnr=psnr, amplification=1, misaligned=False, network_ms=1, key="", **values, **figures)


def test_of_few_captures_none_is_both_worst_and_best() -> None:
    for count in range(1, 9):
        chosen = _choose([row_of(str(number), number) for number in range(count)])
        names = [choice.row.capture for choice in chosen]
        assert len(set(names)) == len(names) == min(count, 6)
        assert names[0] == "0"
        assert count == 1 or names[-1 - (len(names) // 2 - 1)] == str(count - 1)


def test_only_the_first_model_at_the_first_exposure_ranks() -> None:
    rows = [row_of("x", 20), row_of("x", 5, model="b"), row_of("y", 30), row_of("y", 1, exposure="paper")]
    assert [(choice.row.psnr, choice.why) for choice in _choose(rows)] == [(20, "Worst"), (30, "Best")]


@pytest.mark.parametrize("cfa", [Cfa.RGGB, Cfa.GBRG])
def test_a_capture_without_the_network_is_as_bright_as_it_was_amplified(cfa: Cfa) -> None:
    cell = {"R": 0.5 / 2, "G": 0.5, "B": 0.5 / 1.6}
    x = np.array([cell[letter] for letter in str(cfa)]).reshape(2, 2) / 10
    mosaic = np.tile(np.rint(512 + x * 15871), (5, 7)).astype(np.uint16)
    photo = RawPhoto(mosaic, cfa, np.array([512.0]), 16383.0, np.array([2.0, 1.0, 1.6]), camera_to_srgb=np.eye(3))
    seen = unrestored(photo, 10)
    assert seen is not None
    assert seen.shape == (5, 7, 3)
    assert np.abs(seen.astype(int) - round((1.099 * 0.5**0.45 - 0.099) * 255)).max() <= 1
