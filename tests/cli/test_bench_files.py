"""`rdi bench --encoders` and `--batch`: figures that hang together, of files that were written."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rdi.camera import RawPhoto
from rdi.camera.dng import write_dng
from rdi.cli.main import app
from rdi.runtime.batch_speed import BatchSpeed
from rdi.runtime.encoder_speed import EncoderSpeed, EncoderSpeeds


def bench(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["bench", *map(str, arguments)])


def test_encoders_are_timed_against_pillows(tiny_model: Path) -> None:
    result = bench("--encoders", "--sizes", "96x64", "--runs", 1, "--model", tiny_model, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)["encoders"]
    assert [figure["name"] for figure in figures] == ["JPEG, quality 95", "PNG", "PNG, 16 bits", "TIFF, 16 bits"]
    for figure in figures:
        assert figure["ours"] > 0
        assert figure["bytes"] > 1000
    assert figures[0]["times_pillow"] == pytest.approx(figures[0]["ours"] / figures[0]["pillow"])
    assert figures[3]["times_pillow"] is None


def test_the_table_shows_the_ratios() -> None:
    png, tiff = EncoderSpeed("PNG", 50.0, 200.0, 500.0, 3_000_000), EncoderSpeed("TIFF", 5.0, None, 500.0, 10)
    table = EncoderSpeeds((png, tiff)).markdown()
    assert "| PNG | 50 | 0.25 | 10% | 3.0 |" in table
    assert "| TIFF | 5 | - | 1% | 0.0 |" in table


def test_a_batch_is_measured_against_its_cpu_work(small_photo: RawPhoto, tiny_model: Path, tmp_path: Path) -> None:
    for name in "abc":
        write_dng(small_photo, tmp_path / f"{name}.dng")
    result = bench("--batch", tmp_path, "--model", tiny_model, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["photos"] == 3
    assert set(figures["work"]) == {"decode", "restore", "encode"}
    assert figures["share_of_limit"] == pytest.approx(3 / figures["seconds"] / figures["limit"])
    assert figures["process_over_stages"] > 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.dng", "b.dng", "c.dng"]


def test_the_limit_is_the_work_over_the_cores() -> None:
    speed = BatchSpeed(20, 2, {"decode": 50.0, "restore": 900.0, "encode": 50.0}, 12.5, 0.8, 0.64)
    assert (speed.limit, speed.speed) == (2.0, 1.6)
    assert "1.6 pictures/s, 0.80 of that" in speed.markdown()
    assert "1.25 times its stages" in speed.markdown()


def test_a_photo_that_cannot_be_restored_is_no_measurement(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.dng").write_bytes(b"nothing")
    result = bench("--batch", tmp_path, "--model", tiny_model)
    assert result.exit_code == 1
    assert "a.dng" in result.stderr
    assert bench("--batch", tmp_path, "--encoders").exit_code == 2
