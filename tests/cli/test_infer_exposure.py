"""`rdi infer`: exposure, brackets, side-cars and the comparison with the camera's rendering."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from rdi import __version__
from rdi.camera import Cfa, RawPhoto
from rdi.camera.dng import write_dng
from rdi.cli.main import app
from rdi.isolated import Answer, IsolatedProcess
from rdi.runtime import batch, decoding

BRACKET = ["--bracket", "-1,0,1"]


@pytest.fixture
def dng(tmp_path: Path) -> Path:
    mosaic = 512 + np.random.default_rng(1).poisson(np.linspace(5, 200, 50 * 70).reshape(50, 70))
    photo = RawPhoto(
        mosaic.astype(np.uint16),
        Cfa.GRBG,
        np.array([512.0]),
        16383.0,
        np.array([2.4, 1.0, 1.6]),
        iso=3200,
        orientation=6,
        make="Sony",
        model="ILCE-7SM2",
    )
    write_dng(photo, tmp_path / "night.dng")
    return tmp_path / "night.dng"


def infer(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["infer", *map(str, arguments)])


def brightness(path: Path) -> float:
    with Image.open(path) as image:
        return float(np.asarray(image, dtype=float).mean())


def test_ev_makes_a_picture_brighter_and_says_so(dng: Path, tiny_model: Path, tmp_path: Path) -> None:
    for name, ev in (("dark", -1), ("bright", 1)):
        result = infer(dng, "--model", tiny_model, "--exposure", 20, "--ev", ev, "--out", tmp_path / f"{name}.png")
        assert f"(as given; {ev:+d} EV)" in result.stdout, result.output
    with Image.open(tmp_path / "bright.png") as image:
        assert "amplification 40 (as given; +1 EV)" in image.getexif().get_ifd(0x8769)[0x9286].decode()
    assert brightness(tmp_path / "bright.png") > 2 * brightness(tmp_path / "dark.png")


def test_a_bracket_is_several_pictures_from_one_decoding(
    dng: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    original = decoding.read_isolated

    def counted(process: IsolatedProcess, path: Path) -> Answer[RawPhoto]:
        read.append(path)
        return original(process, path)

    monkeypatch.setattr(batch, "read_isolated", counted)
    result = infer(dng, "--model", tiny_model, *BRACKET, "--format", "png")
    assert result.exit_code == 0, result.output
    assert read == [dng]
    values = [brightness(tmp_path / f"night_restored_{stops}EV.png") for stops in ("-1", "0", "+1")]
    assert values[0] < values[1] < values[2]
    assert infer(dng, "--model", tiny_model, "--out", tmp_path / "plain.png").exit_code == 0
    assert values[1] == brightness(tmp_path / "plain.png")


def test_of_a_pictures_files_only_what_is_missing_is_made(dng: Path, tiny_model: Path, tmp_path: Path) -> None:
    """As after a comparison that failed: it is neither reported as done, nor made at the cost of what is there."""
    picture, sidecar, compared = (
        tmp_path / name for name in ("night_restored.jpg", "night_restored.jpg.json", "night_compared.jpg")
    )
    everything = (dng, "--model", tiny_model, "--sidecar", "--compare-with-camera")
    picture.write_bytes(b"mine")
    first = infer(*everything)
    assert first.exit_code == 0, first.output
    assert f"{picture} exists and was left as it is" in first.stdout
    assert picture.read_bytes() == b"mine"
    assert json.loads(sidecar.read_text())["picture"] == picture.name
    assert compared.stat().st_size > 1000
    picture.unlink()
    compared.unlink()
    second = json.loads(infer(*everything, "--json").stdout)
    assert [second[name] for name in ("status", "output", "sidecar", "compared")] == [
        "restored",
        *(str(path) for path in (picture, sidecar, compared)),
    ]
    assert all(path.exists() for path in (picture, compared))
    assert f"{picture}, {sidecar}, {compared} exist and were left as they are" in infer(*everything).stdout


def test_of_a_bracket_only_what_is_missing_is_made(dng: Path, tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "night_restored_0EV.jpg").write_bytes(b"mine")
    result = infer(dng, "--model", tiny_model, *BRACKET, "--json")
    states = {Path(line["output"]).name: line["status"] for line in map(json.loads, result.stdout.splitlines())}
    assert states == {
        "night_restored_-1EV.jpg": "restored",
        "night_restored_0EV.jpg": "skipped",
        "night_restored_+1EV.jpg": "restored",
    }
    assert (tmp_path / "night_restored_0EV.jpg").read_bytes() == b"mine"
    assert infer(dng, "--model", tiny_model, *BRACKET, "--overwrite").exit_code == 0
    assert (tmp_path / "night_restored_0EV.jpg").stat().st_size > 4


def test_a_damaged_photo_is_reported_once_for_its_whole_bracket(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.dng").write_bytes(b"nothing")
    result = infer(tmp_path / "a.dng", "--model", tiny_model, *BRACKET, "--json")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert [json.loads(line)["status"] for line in result.stdout.splitlines()] == ["failed"] * 3


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--ev", 11], "-10 to 10"),
        (["--bracket", "1"], "2 to 15"),
        (["--bracket", "a,b"], "-1,0,1"),
        (["--bracket", "-1,0,1", "--ev", 1], "exclude"),
        (["--exposure", "paper", "--ratio", 100, "--ev", 1], "exclude"),
    ],
)
def test_exposures_that_make_no_sense_are_refused(
    dng: Path, tiny_model: Path, arguments: list[object], word: str
) -> None:
    result = infer(dng, "--model", tiny_model, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert word in result.stderr
    assert list(dng.parent.iterdir()) == [dng]


def test_a_sidecar_says_how_the_picture_was_made(dng: Path, tiny_model: Path, tmp_path: Path) -> None:
    result = infer(dng, "--model", tiny_model, "--ev", 1, "--white-balance", "2,1,2", "--sidecar")
    assert result.exit_code == 0, result.output
    said = json.loads((tmp_path / "night_restored.jpg.json").read_text(encoding="utf-8"))
    assert (said["format"], said["rdi"]) == ("rdi-sidecar-1", __version__)
    assert (said["photo"], said["picture"]) == (str(dng), "night_restored.jpg")
    assert (said["camera"], said["iso"]) == ("Sony ILCE-7SM2", 3200)
    assert (said["width"], said["height"]) == (50, 70)
    levels = said["levels"]
    assert (levels["cfa"], levels["orientation"], levels["phase"], levels["crop"]) == ("GRBG", 6, [0, 0], [0, 0])
    assert (levels["black_level"], levels["white_level"]) == ([512.0] * 4, 16383.0)
    assert (said["white_balance"], said["white_balance_from"]) == ([2.0, 1.0, 2.0], "gains")
    exposure = said["amplification"]
    assert (exposure["mode"], exposure["ev"], exposure["cap"], exposure["held_back"]) == ("auto", 1.0, None, False)
    assert exposure["value"] == 2 * exposure["chosen"] == 2 * exposure["estimate"]
    assert (said["model"]["name"], said["model"]["format"], said["provider"]) == ("tiny", "rdi-1", "cpu")
    assert set(said["milliseconds"]) == {"decode", "align", "exposure", "session", "network", "encode"}


def test_every_field_of_a_sidecar_stands_in_the_documents(dng: Path, tiny_model: Path, tmp_path: Path) -> None:
    infer(dng, "--model", tiny_model, "--sidecar")
    said = json.loads((tmp_path / "night_restored.jpg.json").read_text(encoding="utf-8"))
    page = (Path(__file__).resolve().parents[2] / "docs" / "exposure.md").read_text(encoding="utf-8")
    recorded = page[page.index("## What is recorded") :]
    for field in (*said, *said["levels"], *said["amplification"], *said["model"]):
        assert f"`{field}`" in recorded, field


def test_a_sidecar_has_names_as_they_are_and_the_photos_whole_path(
    dng: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("Zoë 夜.dng", os.fsdecode(b"caf\xe9.dng")):
        dng.with_name(name).write_bytes(dng.read_bytes())
        result = infer(name, "--model", tiny_model, "--sidecar")
        assert result.exit_code == 0, result.output
        written = (tmp_path / f"{name[:-4]}_restored.jpg.json").read_text(encoding="utf-8")
        assert json.loads(written)["photo"] == str(tmp_path / name)
        assert ("Zoë 夜" in written) is name.startswith("Zoë")


def test_a_sidecar_that_exists_is_not_replaced(dng: Path, tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "night_restored.jpg.json").write_text("mine")
    result = infer(dng, "--model", tiny_model, "--sidecar")
    assert "night_restored.jpg.json exists" in result.stdout
    assert (tmp_path / "night_restored.jpg").exists()
    assert (tmp_path / "night_restored.jpg.json").read_text() == "mine"


def test_the_comparison_has_the_cameras_rendering_on_its_left(dng: Path, tiny_model: Path, tmp_path: Path) -> None:
    result = infer(dng, "--model", tiny_model, "--exposure", 20, "--compare-with-camera")
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "night_compared.jpg") as both, Image.open(tmp_path / "night_restored.jpg") as restored:
        assert (both.size, restored.size) == ((108, 70), (50, 70))
        right = np.asarray(both.crop((58, 0, 108, 70)), dtype=float)
        assert np.abs(right - np.asarray(restored, dtype=float)).mean() < 4
        assert np.asarray(both.crop((51, 0, 57, 70))).min() > 200  # the divider
