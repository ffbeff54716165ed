"""`rdi infer` on good files and on everything that people give it by mistake."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from rdi.camera import Cfa, RawPhoto
from rdi.camera.dng import write_dng
from rdi.cli.main import app
from rdi.metadata import ModelMetadata, WhiteBalance
from rdi.runtime import Provider
from rdi.runtime.providers import available_providers


def make_photo(cfa: Cfa = Cfa.RGGB, orientation: int = 1, seed: int = 1) -> RawPhoto:
    mosaic = 512 + np.random.default_rng(seed).poisson(np.linspace(5, 200, 50 * 70).reshape(50, 70))
    return RawPhoto(
        mosaic.astype(np.uint16),
        cfa,
        np.array([512.0]),
        16383.0,
        np.array([2.4, 1.0, 1.6]),
        iso=3200,
        orientation=orientation,
        make="Sony",
        model="ILCE-7SM2",
    )


@pytest.fixture
def dng(tmp_path: Path) -> Path:
    path = tmp_path / "photo.dng"
    write_dng(make_photo(), path)
    return path


def infer(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["infer", *map(str, arguments)])


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def refused(result: Any, *words: str, code: int = 1) -> None:
    """One line on stderr with these words, nothing on stdout, the exit code, no traceback."""
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("rdi: ")
    assert "Traceback" not in result.output
    for word in words:
        assert word in result.stderr


def test_a_photo_is_restored_beside_itself(dng: Path, tiny_model: Path, tmp_path: Path) -> None:
    result = infer(dng, "--model", tiny_model, "--provider", "cpu")
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "photo_restored.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (70, 50))
    for word in ("Sony ILCE-7SM2", "ISO 3200", "70x50", "amplification", "auto; Eq. 5", "provider cpu"):
        assert word in result.stdout
    for stage in ("decode", "exposure", "session", "network", "encode"):
        assert f"{stage} " in result.stdout
    assert str(tmp_path / "photo_restored.jpg") in result.stdout


def test_a_second_run_skips_and_says_so(dng: Path, tiny_model: Path, tmp_path: Path) -> None:
    target = tmp_path / "photo_restored.jpg"
    target.write_bytes(b"mine")
    result = infer(dng, "--model", tiny_model)
    assert result.exit_code == 0
    assert "exists" in result.stdout
    assert "--overwrite" in result.stdout
    assert target.read_bytes() == b"mine"
    assert infer(dng, "--model", tiny_model, "--overwrite").exit_code == 0
    assert target.read_bytes()[:2] == b"\xff\xd8"


def test_the_cameras_own_jpeg_is_never_touched(dng: Path, tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"the camera's")
    assert infer(dng, "--model", tiny_model, "--overwrite").exit_code == 0
    assert (tmp_path / "photo.jpg").read_bytes() == b"the camera's"


def test_png_16_holds_what_the_network_gave(dng: Path, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    result = infer(dng, "--model", tiny_model, "--out", out, "--bits", 16, "--exposure", 50)
    assert result.exit_code == 0, result.output
    picture = imagecodecs.png_decode(out.read_bytes())
    photo = make_photo()
    red = np.clip((photo.mosaic[0::2, 0::2].astype(float) - 512).clip(0) / 15871 * 50 * 2.4, 0, 1)
    assert picture.dtype == np.uint16
    assert np.abs(picture[0::2, 0::2, 0] - np.rint(red * 65535)).max() <= 2


def test_a_turned_camera_gives_an_upright_picture(tiny_model: Path, tmp_path: Path) -> None:
    write_dng(make_photo(Cfa.GBRG, orientation=6), tmp_path / "photo.dng")
    result = infer(tmp_path / "photo.dng", "--model", tiny_model, "--format", "png")
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "photo_restored.png") as image:
        assert image.size == (50, 70)
        assert image.getexif()[0x0112] == 1


def test_several_photos_go_into_a_folder(tiny_model: Path, tmp_path: Path) -> None:
    for seed in range(2):
        write_dng(make_photo(seed=seed), tmp_path / f"p{seed}.dng")
    (tmp_path / "out").mkdir()
    result = infer(
        tmp_path / "p0.dng", tmp_path / "p1.dng", "--model", tiny_model, "--out", tmp_path / "out", "--format", "tiff"
    )
    assert result.exit_code == 0, result.output
    assert files(tmp_path / "out") == {"p0_restored.tif", "p1_restored.tif"}
    assert "[2/2]" in result.stdout


def test_a_folder_is_restored_and_a_damaged_photo_does_not_stop_it(tiny_model: Path, tmp_path: Path) -> None:
    for name in ("a.dng", "c.dng"):
        write_dng(make_photo(), tmp_path / name)
    (tmp_path / "b.dng").write_bytes((tmp_path / "a.dng").read_bytes()[:4000])
    result = infer(tmp_path, "--model", tiny_model)
    assert result.exit_code == 1
    assert files(tmp_path) == {"a.dng", "b.dng", "c.dng", "a_restored.jpg", "c_restored.jpg"}
    error, summary = result.stderr.splitlines()
    assert "b.dng" in error
    assert summary.startswith("rdi: 3 pictures: 2 restored, 1 failed; ")


def test_json_says_the_same_to_programs(dng: Path, tiny_model: Path, tmp_path: Path) -> None:
    result = infer(dng, tmp_path / "none.dng", "--model", tiny_model, "--ratio", 80, "--json")
    restored, failed = (json.loads(line) for line in result.stdout.splitlines())
    assert result.exit_code == 1
    assert restored["status"] == "restored"
    assert restored["amplification"] == {
        "value": 80.0,
        "chosen": 80.0,
        "ev": 0.0,
        "mode": "ratio",
        "estimate": None,
        "cap": None,
        "held_back": False,
    }
    assert set(restored["milliseconds"]) == {"decode", "align", "exposure", "session", "network", "encode"}
    assert (failed["status"], failed["output"]) == ("failed", None)
    assert "none.dng" in failed["error"]
    skipped = json.loads(infer(dng, "--model", tiny_model, "--json").stdout)
    assert (skipped["status"], skipped["output"]) == ("skipped", str(tmp_path / "photo_restored.jpg"))


def test_a_white_balance_of_ones_own_is_used(dng: Path, tiny_model: Path, tmp_path: Path) -> None:
    means = []
    for balance in ("camera", "4,1,1"):
        out = tmp_path / f"{balance[0]}.png"
        arguments = ["--out", out, "--white-balance", balance, "--exposure", 20]
        assert infer(dng, "--model", tiny_model, *arguments).exit_code == 0
        with Image.open(out) as image:
            means.append(np.asarray(image).mean(axis=(0, 1)))
    assert means[1][0] > 1.5 * means[0][0]
    assert means[1][2] < 0.7 * means[0][2]


def test_what_a_file_lacks_is_a_warning_on_stderr(tiny_model: Path, write_variant: Callable[..., Path]) -> None:
    as_shot_neutral = 50728
    result = infer(write_variant(make_photo(), {as_shot_neutral: None}), "--model", tiny_model)
    assert result.exit_code == 0
    assert "no usable white balance" in result.stderr
    assert "no usable white balance" not in result.stdout


# What people give it by mistake.


def test_a_missing_photo(tiny_model: Path, tmp_path: Path) -> None:
    refused(infer(tmp_path / "none.ARW", "--model", tiny_model), "none.ARW", "does not exist")
    refused(infer(tmp_path / "no" / "none.ARW", "--model", tiny_model), "none.ARW", "does not exist")
    assert files(tmp_path) == set()


def test_a_folder_without_raw_files(tiny_model: Path, tmp_path: Path) -> None:
    refused(infer(tmp_path, "--model", tiny_model), "holds no camera raw file")


def test_a_text_file(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.ARW").write_text("this is no photo\n" * 100)
    refused(infer(tmp_path / "a.ARW", "--model", tiny_model), "a.ARW")
    assert files(tmp_path) == {"a.ARW"}


def test_an_empty_file(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.ARW").touch()
    refused(infer(tmp_path / "a.ARW", "--model", tiny_model), "a.ARW")


def test_a_jpeg(tiny_model: Path, tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "a.jpg")
    refused(infer(tmp_path / "a.jpg", "--model", tiny_model), "a.jpg", "JPEG")
    assert files(tmp_path) == {"a.jpg"}


@pytest.mark.real_data
@pytest.mark.parametrize("megabytes", [3, 9, 18])
def test_a_truncated_arw(real_arw: Path, tiny_model: Path, tmp_path: Path, megabytes: int) -> None:
    with real_arw.open("rb") as file:
        (tmp_path / "cut.ARW").write_bytes(file.read(megabytes * 1_000_000))
    refused(infer(tmp_path / "cut.ARW", "--model", tiny_model), "cut.ARW")
    assert files(tmp_path) == {"cut.ARW"}


def test_a_truncated_dng(dng: Path, tiny_model: Path, tmp_path: Path) -> None:
    dng.write_bytes(dng.read_bytes()[:-2000])
    refused(infer(dng, "--model", tiny_model), "photo.dng")
    assert files(tmp_path) == {"photo.dng"}


def test_an_xtrans_photo_with_a_bayer_model(tiny_model: Path, tmp_path: Path) -> None:
    write_dng(make_photo(Cfa.XTRANS), tmp_path / "x.dng")
    refused(infer(tmp_path / "x.dng", "--model", tiny_model), "x.dng", "X-Trans", "rdi ships no model")
    assert files(tmp_path) == {"x.dng"}


def write_linear_dng(path: Path) -> None:
    """A DNG whose pixels have three colours each, as some converters make them."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    directory = ImageFileDirectory_v2()
    for tag, kind, value in (
        (254, 4, 0),
        (256, 4, 64),
        (257, 4, 64),
        (258, 3, (16, 16, 16)),
        (259, 3, 1),
        (262, 3, 34892),
        (271, 2, "Somebody"),
        (272, 2, "Linear"),
        (273, 4, 0),
        (277, 3, 3),
        (278, 4, 64),
        (279, 4, 64 * 64 * 6),
        (284, 3, 1),
        (50706, 1, b"\x01\x04\x00\x00"),
        (50708, 2, "Linear"),
    ):
        directory.tagtype[tag] = kind
        directory[tag] = value
    path.write_bytes(b"II*\0\x08\0\0\0" + directory.tobytes(offset=8) + bytes(64 * 64 * 6))


def test_a_linear_dng(tiny_model: Path, tmp_path: Path) -> None:
    write_linear_dng(tmp_path / "linear.dng")
    refused(infer(tmp_path / "linear.dng", "--model", tiny_model), "linear.dng", "linear")
    assert files(tmp_path) == {"linear.dng"}


def test_a_model_that_is_not_ours(dng: Path, tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no model")
    refused(infer(dng, "--model", tmp_path / "text.onnx"), "text.onnx", "rdi export")
    refused(infer(dng, "--model", tmp_path / "none.onnx"), "none.onnx", "does not exist")
    refused(infer(dng, "--model", tmp_path), "is a folder")
    assert files(tmp_path) == {"photo.dng", "text.onnx"}


def test_an_output_that_cannot_be_written(dng: Path, tiny_model: Path, tmp_path: Path) -> None:
    refused(infer(dng, "--model", tiny_model, "--out", tmp_path / "no" / "a.jpg"), "no does not exist")
    refused(infer(dng, "--model", tiny_model, "--out", tmp_path / "a.webp"), ".webp", ".tif", code=2)
    refused(infer(dng, "--model", tiny_model, "--out", tmp_path / "no" / "folder"), "no does not exist")
    refused(infer(dng, "--model", tiny_model, "--out", dng / "a.jpg"), "not a folder")
    if Path("/proc").is_dir():
        refused(infer(dng, "--model", tiny_model, "--out", "/proc/a.jpg"), "cannot write into /proc")
    assert files(tmp_path) == {"photo.dng"}


def test_the_photo_itself_as_output(dng: Path, tiny_model: Path) -> None:
    before = dng.read_bytes()
    refused(infer(dng, "--model", tiny_model, "--out", dng, "--overwrite"), "photo.dng", code=2)
    tiff = dng.rename(dng.with_suffix(".tif"))
    refused(infer(tiff, "--model", tiny_model, "--out", tiff, "--overwrite"), "is a photo to be restored")
    assert tiff.read_bytes() == before


def test_an_unknown_provider(dng: Path, tiny_model: Path, tmp_path: Path) -> None:
    refused(infer(dng, "--model", tiny_model, "--provider", "npu"), "'npu'", "cpu, cuda, openvino", code=2)
    assert files(tmp_path) == {"photo.dng"}


def test_cuda_where_there_is_none(dng: Path, tiny_model: Path, tmp_path: Path) -> None:
    if Provider.CUDA in available_providers():
        pytest.skip("this onnxruntime has CUDA")
    refused(infer(dng, "--model", tiny_model, "--provider", "cuda"), "cuda cannot be used", 'pip install ".[cuda]"')
    assert files(tmp_path) == {"photo.dng"}


def test_a_provider_that_onnxruntime_silently_replaces(
    dng: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a computer with onnxruntime-gpu and no driver: CUDA is built in, and the session runs on the CPU."""
    import onnxruntime

    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None)
    original = onnxruntime.InferenceSession

    def fall_back(content: bytes, options: Any, providers: list[str], **settings: Any) -> Any:
        return original(content, options, providers=["CPUExecutionProvider"], **settings)

    monkeypatch.setattr(onnxruntime, "InferenceSession", fall_back)
    refused(infer(dng, "--model", tiny_model, "--provider", "cuda"), "did not load", "NVIDIA driver")
    assert files(tmp_path) == {"photo.dng"}


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--exposure", "loud"], "auto, paper or a number"),
        (["--exposure", "auto", "--ratio", 3], "exclude"),
        (["--ratio", 0], "out of range"),
        (["--white-balance", "1,2"], "camera, daylight"),
        (["--white-balance", "1e9,1,1"], "up to 64 times green's"),
        (["--threads", 100_000], "100000 threads are out of range; give 1 to"),
        (["--bits", 16], "choose png or tiff"),
        (["--bits", 0], "not 0"),
        (["--format", ""], "jpeg, png, tiff"),
        (["--format", "webp"], "jpeg, png, tiff"),
        (["--out", "a.png", "--format", "jpeg"], "by its suffix"),
        (["--quality", 101], "1 to 100"),
    ],
)
def test_options_that_make_no_sense(dng: Path, tiny_model: Path, arguments: list[object], word: str) -> None:
    refused(infer(dng, "--model", tiny_model, *arguments), word, code=2)
    assert files(dng.parent) == {"photo.dng"}


def test_a_balance_for_a_model_that_has_its_own(dng: Path, make_tiny_model: Callable[[ModelMetadata], Path]) -> None:
    baked = make_tiny_model(ModelMetadata(white_balance=WhiteBalance.BAKED))
    refused(infer(dng, "--model", baked, "--white-balance", "2,1,2"), "baked in", code=2)


def test_photos_that_differ_by_suffix_keep_it(dng: Path, tiny_model: Path, tmp_path: Path) -> None:
    shutil.copy(dng, tmp_path / "photo.ARW")
    result = infer(tmp_path, "--model", tiny_model)
    assert result.exit_code == 0, result.output
    assert {"photo.ARW_restored.jpg", "photo.dng_restored.jpg"} < files(tmp_path)


def test_several_photos_for_one_file(dng: Path, tiny_model: Path, tmp_path: Path) -> None:
    other = Path(shutil.copy(dng, tmp_path / "other.dng"))
    refused(infer(dng, other, "--model", tiny_model, "--out", tmp_path / "a.jpg"), "give a folder", code=2)


def test_the_command_runs_as_a_program_without_torch_and_onnx(dng: Path, tiny_model: Path) -> None:
    script = (
        "import sys\nfrom rdi.cli.main import app\n"
        f"sys.argv = ['rdi', 'infer', {str(dng)!r}, '--model', {str(tiny_model)!r}]\n"
        "try:\n    app()\nfinally:\n    print(*{'torch', 'onnx'} & set(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.split() == []
    assert "amplification" in done.stdout


@pytest.mark.real_data
def test_the_real_photo_is_restored_at_its_full_size(real_arw: Path, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "concert.jpg"
    result = infer(real_arw, "--model", tiny_model, "--out", out)
    assert result.exit_code == 0, result.output
    assert "SONY ILCE-7RM3, ISO 3200, 5184x3464" in result.stdout
    with Image.open(out) as image:
        assert image.size == (5184, 3464)
        assert image.getexif().get_ifd(0x8769)[0x8827] == 3200
        red, _, blue = np.asarray(image.reduce(16), dtype=float).mean(axis=(0, 1))
    assert blue > 1.2 * red  # the stage light is blue: a lost CFA phase makes it orange


def test_a_fallback_is_said_on_stderr_and_in_json(dng: Path, tiny_model: Path) -> None:
    absent = next(provider for provider in Provider if provider not in available_providers())
    command = [sys.executable, "-m", "rdi.cli", "infer", str(dng), "--model", str(tiny_model), "--provider", absent]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    done = subprocess.run([*command, "--allow-fallback", "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(
        f"rdi: WARNING: running on the cpu instead of {absent}: provider {absent} cannot be used"
    )
    assert done.stderr.count("\n") == 1
    told = json.loads(done.stdout)
    assert told["provider"] == "cpu"
    assert told["fallback"] in done.stderr
