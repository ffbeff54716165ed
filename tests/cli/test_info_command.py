"""`rdi info`: what raw photos, models and weights say of themselves."""

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from rdi.amplifier import count_raw_values, estimate_amplification
from rdi.camera import Cfa, RawPhoto, read_photo
from rdi.camera.dng import write_dng
from rdi.cli.main import app
from rdi.metadata import ModelMetadata
from rdi.runtime import decoding
from rdi.strips import strip_path

AS_SHOT_NEUTRAL = 50728


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["info", *map(str, arguments)])


@pytest.fixture
def dng(tmp_path: Path) -> Path:
    mosaic = np.full((30, 40), 600, dtype=np.uint16)
    mosaic[:3] = 512
    mosaic[3, 0] = 16383
    path = tmp_path / "photo.dng"
    photo = RawPhoto(
        mosaic,
        Cfa.GRBG,
        np.array([512.0]),
        16383.0,
        np.array([2.0, 1.0, 1.5]),
        iso=800,
        exposure_time=1 / 50,
        orientation=6,
        make="Acme",
        model="Night 1",
    )
    write_dng(photo, path)
    return path


@pytest.mark.parametrize(("name", "rendering"), [("rdi", "camera"), ("rdi-srgb", "paper")])
def test_a_shipped_model_goes_by_its_name(name: str, rendering: str) -> None:
    found = json.loads(run(name, "--json").stdout)
    assert (found["kind"], found["rendering"]) == ("model", rendering)


def test_a_photo_is_described_for_people(dng: Path) -> None:
    result = run(dng)
    assert result.exit_code == 0, result.output
    pairs = (line.strip().partition("  ") for line in result.stdout.splitlines()[1:])
    lines = {name: value.strip() for name, _, value in pairs}
    assert result.stdout.splitlines()[0] == f"{dng}: raw photo"
    assert (lines["camera"], lines["cfa"], lines["iso"]) == ("Acme Night 1", "GRBG", "800")
    assert (lines["width"], lines["height"], lines["orientation"]) == ("40", "30", "6")
    assert (lines["black level"], lines["white level"]) == ("512.0", "16383")
    assert (lines["exposure time"], lines["raw max"]) == ("1/50 s", "16383")
    assert "phase" not in lines


def test_a_photo_is_described_for_programs(dng: Path) -> None:
    found = json.loads(run(dng, "--json").stdout)
    assert (found["file"], found["kind"], found["cfa"]) == (str(dng), "raw photo", "GRBG")
    assert found["white_balance"] == pytest.approx([2, 1, 1.5], abs=1e-5)
    assert np.shape(found["camera_to_srgb"]) == (3, 3)
    assert found["exposure_time"] == pytest.approx(0.02)
    assert found["raw_percentiles"] == {"1": 512, "50": 600, "99": 600}
    assert found["share_at_or_below_black"] == pytest.approx(0.1)
    assert found["share_at_or_above_white"] == pytest.approx(1 / 1200, abs=1e-6)


def test_the_estimate_is_the_amplifiers_with_m_5_before_the_clip(dng: Path) -> None:
    photo = read_photo(dng)
    expected = estimate_amplification(count_raw_values(photo), photo.black_level, photo.white_level, 5.0)
    assert json.loads(run(dng, "--json").stdout)["estimated_amplification"] == pytest.approx(expected, rel=1e-4)


def test_what_a_photo_lacks_is_said(dng: Path, write_variant: Callable[..., Path]) -> None:
    bare = write_variant(read_photo(dng), {AS_SHOT_NEUTRAL: None})
    assert "no usable white balance" in run(bare).stdout
    assert len(json.loads(run(bare, "--json").stdout)["warnings"]) == 1


@pytest.mark.real_data
def test_the_real_photo_is_described(real_arw: Path) -> None:
    found = json.loads(run(real_arw, "--json").stdout)
    assert (found["camera"], found["width"], found["height"]) == ("SONY ILCE-7RM3", 5184, 3464)
    assert (found["raw_min"], found["raw_max"], found["warnings"]) == (262, 16628, [])


def test_weights_are_described_without_torch_or_safetensors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "w.safetensors"
    metadata = ModelMetadata(variant="night", training={"steps": 3}).to_strings()
    save_file({"a": np.zeros((2, 3), np.float32)}, path, metadata=metadata)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "torch", None)
    found = json.loads(run(path, "--json").stdout)
    assert (found["kind"], found["tensors"], found["parameters"]) == ("weights", 1, 6)
    assert (found["variant"], found["training"], found["m"]) == ("night", {"steps": 3}, 5.0)
    assert "night" in run(path).stdout


def test_a_stored_file_of_settings_stays_in_its_column(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "w.safetensors"
    metadata = ModelMetadata(training={"configuration": "crop = 192\n[data]\nseed = 3\n", "steps": 3}).to_strings()
    save_file({"a": np.zeros((2, 3), np.float32)}, path, metadata=metadata)
    shown = (
        "    configuration  crop = 192\n                   [data]\n                   seed = 3\n    steps          3\n"
    )
    assert shown in run(path).stdout


def test_weights_of_others_show_what_they_hold(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "w.safetensors"
    save_file({"a": np.zeros(4, np.float32)}, path, metadata={"who": "me"})
    assert json.loads(run(path, "--json").stdout) == {
        "file": str(path),
        "kind": "weights",
        "tensors": 1,
        "parameters": 4,
        "who": "me",
    }


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.onnx", b"no model", "no ONNX file"),
        ("a.safetensors", b"no weights", "no safetensors file"),
        ("a.ARW", b"no photo", "no raw photo"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "JPEG picture"),
    ],
)
def test_a_file_that_is_not_what_it_says_gets_one_line(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    result = run(path)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_one_bad_file_does_not_hide_the_others(dng: Path, tmp_path: Path) -> None:
    result = run(tmp_path / "none.ARW", dng, "--json")
    assert result.exit_code == 1
    assert "does not exist" in result.stderr
    assert json.loads(result.stdout)["camera"] == "Acme Night 1"


def test_a_photo_that_crashes_libraw_is_one_line_and_the_next_is_described(
    dng: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "crashing_reading.py").write_text(
        "import os\nfrom rdi.camera import reading\n"
        "def read_photo(path):\n    return os.abort() if path.stem == 'crash' else reading.read_photo(path)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    monkeypatch.setattr(decoding, "read_photo", importlib.import_module("crashing_reading").read_photo)
    crash = tmp_path / "crash.dng"
    crash.write_bytes(dng.read_bytes())
    result = run(crash, dng, "--json")
    del sys.modules["crashing_reading"]
    assert result.exit_code == 1
    assert (
        result.stderr
        == f"rdi: {crash} is damaged: LibRaw crashed (SIGABRT) on it; copy the file again, or leave it out\n"
    )
    assert json.loads(result.stdout)["camera"] == "Acme Night 1"


def test_models_alone_start_no_process_for_photos(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("started")

    monkeypatch.setattr("rdi.cli.info.IsolatedProcess", refuse)
    assert run(tiny_model).exit_code == 0


def test_a_model_is_described_by_its_own_metadata(tiny_model: Path) -> None:
    found = json.loads(run(tiny_model, "--json").stdout)
    assert (found["kind"], found["format"], found["size_multiple"], found["cfa"]) == ("model", "rdi-1", 32, "RGGB")
    assert "size multiple" in run(tiny_model).stdout


def test_nested_descriptions_are_indented_an_entry_a_line(make_tiny_model: Callable[[ModelMetadata], Path]) -> None:
    parity = {"rgb": {"bound": 0.5, "unit": "steps"}, "a longer name": 3}
    lines = run(make_tiny_model(ModelMetadata(parity=parity))).stdout.splitlines()
    first = lines.index("  parity")
    assert lines[first + 1 : first + 5] == ["    a longer name  3", "    rgb", "      bound  0.5", "      unit   steps"]
    assert all("{" not in line for line in lines)


def test_a_model_without_onnxruntime_says_what_to_install(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    result = run(tiny_model)
    assert result.exit_code == 1
    assert "install" in result.stderr


def test_a_model_names_its_strips_and_says_what_is_wrong_with_them(exported_model: Path, tmp_path: Path) -> None:
    model, strips = tmp_path / "model.onnx", tmp_path / "model.strips.zip"
    model.write_bytes(exported_model.read_bytes())
    assert "none (model.strips.zip does not exist; a memory limit needs it)" in info(model)
    content = strip_path(exported_model).read_bytes()
    strips.write_bytes(content)
    assert f"{strips}, of the same weights" in info(model)
    assert "rdi-strips-2" in info(strips)
    strips.write_bytes(content[:-10])
    assert "model.strips.zip is damaged" in info(model)


def info(path: Path) -> str:
    result = CliRunner().invoke(app, ["info", str(path)])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_of_earlier_trainings_people_see_the_number_alone(make_tiny_model: Callable[[ModelMetadata], Path]) -> None:
    training = {"steps": 3, "started_from": {"steps": 20, "started_from": {"steps": 100}}}
    model = make_tiny_model(ModelMetadata(training=training))
    lines = [line.split() for line in run(model).stdout.splitlines()]
    assert ["steps", "3"] in lines
    assert ["started", "from", "2", "earlier", "runs,", "see", "--json"] in lines
    assert not {"20", "100"} & {word for line in lines for word in line}
    assert json.loads(run(model, "--json").stdout)["training"] == training


def test_a_folder_is_answered_with_all_that_info_takes(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.exit_code == 1
    assert "is a folder; give a raw photo, model (.onnx) or weights (.safetensors) in it" in result.stderr
