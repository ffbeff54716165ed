"""`rdi compare`: both backends on one photo."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rdi.camera import RawPhoto
from rdi.camera.dng import write_dng
from rdi.cli.main import app
from rdi.export.comparison import interleave


@pytest.fixture
def raw_file(tmp_path: Path, dark_photo: RawPhoto) -> Path:
    write_dng(dark_photo, tmp_path / "dark.dng")
    return tmp_path / "dark.dng"


def test_both_backends_give_the_same_picture(raw_file: Path, exported_model: Path, checkpoint_file: Path) -> None:
    options = ["--model", str(exported_model), "--checkpoint", str(checkpoint_file), "--runs", "2"]
    result = CliRunner().invoke(app, ["compare", str(raw_file), *options, "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["width"], found["height"], found["runs"]) == (96, 64, 2)
    assert found["max_difference"] <= 1.1 / 65535
    assert found["psnr"] is None or found["psnr"] > 90
    for side in (found["pytorch"], found["onnxruntime"]):
        assert 0 < side["minimum"] <= side["median"]
    assert found["speed_up"] == pytest.approx(found["pytorch"]["minimum"] / found["onnxruntime"]["minimum"])
    # PyTorch's libraries alone are larger than ONNX Runtime with this network on a tiny frame.
    assert found["onnxruntime"]["peak_bytes"] < found["pytorch"]["peak_bytes"]
    table = CliRunner().invoke(app, ["compare", str(raw_file), *options]).stdout
    assert "PyTorch" in table
    assert "x as fast" in table


def test_other_weights_are_refused(raw_file: Path, exported_model: Path, tmp_path: Path) -> None:
    import torch

    from rdi.checkpoint import save_checkpoint
    from rdi.metadata import ModelMetadata
    from rdi.network import RestorationNetwork

    torch.manual_seed(99)
    save_checkpoint(RestorationNetwork(), ModelMetadata(), tmp_path / "other.safetensors")
    result = CliRunner().invoke(
        app,
        ["compare", str(raw_file), "--model", str(exported_model), "--checkpoint", str(tmp_path / "other.safetensors")],
    )
    assert result.exit_code == 1
    assert "was not exported from" in result.stderr


def test_the_backends_take_turns_and_the_first_round_is_not_timed() -> None:
    order: list[str] = []

    def backend(name: str, milliseconds: float):
        def run():
            order.append(name)
            return milliseconds + len(order), np.zeros((1, 1, 3), np.uint16)

        return run

    times, pictures = interleave({"a": backend("a", 0), "b": backend("b", 100)}, runs=3)
    assert order == ["a", "b"] * 4
    assert times == {"a": [3, 5, 7], "b": [104, 106, 108]}
    assert set(pictures) == {"a", "b"}


def compared(*words: str | Path, model: Path, checkpoint: Path):
    options = ["--model", model, "--checkpoint", checkpoint, "--runs", "1", "--no-memory"]
    return CliRunner().invoke(app, ["compare", *map(str, [*words, *options])])


def test_a_folder_is_compared_photo_by_photo_and_a_damaged_one_fails_alone(
    raw_file: Path, exported_model: Path, checkpoint_file: Path
) -> None:
    (raw_file.parent / "cut.dng").write_bytes(raw_file.read_bytes()[:2000])
    (raw_file.parent / "other.dng").write_bytes(raw_file.read_bytes())
    done = compared(raw_file.parent, "--json", model=exported_model, checkpoint=checkpoint_file)
    assert done.exit_code == 1
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(one["photo"]).name for one in found] == ["dark.dng", "other.dng"]
    assert "cut.dng is cut off" in done.stderr
    assert [channel["channel"] for channel in found[0]["channels"]] == ["red", "green", "blue"]
    assert found[0]["onnxruntime"]["peak_bytes"] is None


def test_beyond_the_bound_the_exit_code_is_not_zero(
    raw_file: Path, exported_model: Path, checkpoint_file: Path
) -> None:
    found = json.loads(compared(raw_file, "--json", model=exported_model, checkpoint=checkpoint_file).stdout)
    largest = found["max_difference"]
    assert largest > 0  # else the next lines prove nothing
    wide = compared(raw_file, "--max-diff", f"{largest * 1.01}", model=exported_model, checkpoint=checkpoint_file)
    assert wide.exit_code == 0, wide.output
    narrow = compared(raw_file, "--max-diff", f"{largest * 0.99}", model=exported_model, checkpoint=checkpoint_file)
    assert narrow.exit_code == 1
    assert "more than --max-diff" in narrow.stderr
    assert compared(raw_file, "--max-diff", "2", model=exported_model, checkpoint=checkpoint_file).exit_code == 2


def test_the_difference_picture_has_its_largest_difference_white(
    raw_file: Path, exported_model: Path, checkpoint_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "differences"
    compared(raw_file, "--difference", folder, model=exported_model, checkpoint=checkpoint_file)
    from PIL import Image

    with Image.open(folder / "dark.dng_difference.png") as picture:
        assert np.asarray(picture).max() == 255
        assert picture.size == (96, 64)
        assert "brightened 65535 times" in picture.info["Comment"]


def test_the_report_has_both_pictures_their_difference_and_the_verdict(
    raw_file: Path, exported_model: Path, checkpoint_file: Path, tmp_path: Path
) -> None:
    hostile = raw_file.rename(tmp_path / "<b>&.dng")
    report = tmp_path / "r.html"
    assert (
        compared(
            hostile, "--report", report, "--max-diff", "0", model=exported_model, checkpoint=checkpoint_file
        ).exit_code
        == 1
    )
    page = report.read_text("utf-8")
    assert page.count('<img src="data:image/jpeg') == 3
    assert '<b class="bad">beyond</b>' in page
    assert "&lt;b&gt;&amp;.dng" in page
    assert "<b>&.dng" not in page
    refused = compared(hostile, "--report", tmp_path / "r.jpg", model=exported_model, checkpoint=checkpoint_file)
    assert refused.exit_code == 2
