import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from rdi.camera import photo_from_array
from rdi.checkpoint import load_checkpoint
from rdi.color import decode
from rdi.export.frames import Settings
from rdi.export.picture_checks import PICTURE_BOUND
from rdi.export.reference import Reference, expected_amplification
from rdi.graph_contract import CAMERA_INPUTS, INPUTS, OUTPUTS
from rdi.metadata import ModelMetadata
from rdi.runtime import Restorer

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "graph.md").read_text(encoding="utf-8")


LEVELS = np.full(4, 512.0)
GAINS = np.array([2.1, 1, 1.6])  # as the script has them
MATRIX = np.array([[1.8, -0.7, -0.1], [-0.2, 1.5, -0.3], [0.1, -0.6, 1.5]])


def dark_mosaic() -> NDArray[np.uint16]:
    generator = np.random.default_rng(2)
    return (512 + generator.poisson(np.linspace(1, 300, 50 * 70))).reshape(50, 70).astype(np.uint16)


def run_script(model: Path, folder: Path, *amplification: str) -> tuple[float, NDArray[np.float64]]:
    """Run the page's script on the mosaic: the amplification it prints, and the picture, 0 to 65535."""
    (script,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert set(re.findall(r"^(?:import|from) (\w+)", script, flags=re.MULTILINE)) == {"sys", "numpy", "onnxruntime"}
    (folder / "restore.py").write_text(script)
    np.save(folder / "mosaic.npy", dark_mosaic())
    command = [sys.executable, "restore.py", str(model), "mosaic.npy", "picture.ppm", *amplification]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    used = re.fullmatch(r"amplified ([\d.]+) times\n", done.stdout)
    assert used is not None
    header, _, pixels = (folder / "picture.ppm").read_bytes().partition(b"\n")
    assert header == b"P6 70 50 65535"
    return float(used[1]), np.frombuffer(pixels, dtype=">u2").reshape(50, 70, 3).astype(np.float64)


def test_the_script_restores_a_mosaic_with_onnxruntime_and_numpy_alone(
    exported_model: Path, checkpoint_file: Path, tmp_path: Path
) -> None:
    used, picture = run_script(exported_model, tmp_path)
    checkpoint = load_checkpoint(checkpoint_file)
    settings = Settings(LEVELS, 16383, checkpoint.metadata.cfa.per_site(GAINS))
    padded = np.pad(dark_mosaic(), ((40, 70), (40, 50)), mode="reflect")

    amplification = expected_amplification(checkpoint, padded, settings, checkpoint.metadata.m)
    assert used == pytest.approx(amplification, abs=0.005)
    expected = Reference(checkpoint).picture(padded, settings, amplification)[40:90, 40:110]
    assert np.abs(picture / 65535 - expected).max() <= PICTURE_BOUND


@pytest.mark.parametrize("kind", ["exported_model", "camera_model"])
def test_the_script_and_rdi_give_one_picture_when_they_amplify_alike(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    model: Path = request.getfixturevalue(kind)
    photo = photo_from_array(dark_mosaic(), "RGGB", black_level=LEVELS, white_level=16383, white_balance=GAINS)
    restored = Restorer(model).restore(photo.replace(camera_to_srgb=MATRIX))
    used, picture = run_script(model, tmp_path, repr(restored.amplification.value))
    assert used == pytest.approx(restored.amplification.value, abs=0.005)
    bound = 5 if kind == "camera_model" else 1  # the page's
    assert np.abs(picture - restored.image).max() <= bound


def test_the_formula_for_linear_light_is_the_curves() -> None:
    below, above = re.search(r"`(v / [\d.]+)` below v = 0\.08124 and\s+`(.+?)` from", PAGE).groups()  # type: ignore[union-attr]
    for v in np.linspace(0, 1, 101):
        linear = eval(below if v < 0.081 else above, {"v": v})
        assert linear == pytest.approx(float(decode(np.array(v, dtype=np.float32))), abs=1e-5)


def test_the_page_names_every_input_output_and_metadata_key(exported_model: Path) -> None:
    keys = [item.key for item in onnx.load(exported_model).metadata_props]
    for name in (*INPUTS, *CAMERA_INPUTS, *OUTPUTS, *keys):
        assert f"`{name}`" in PAGE, name


def test_the_page_names_every_check_with_its_bound(exported_model: Path) -> None:
    strings = {item.key: item.value for item in onnx.load(exported_model).metadata_props}
    for name, check in ModelMetadata.from_strings(strings, "it").parity.items():
        if name.endswith(" frames"):
            assert name.split()[1] in PAGE
            assert check["bound"] == pytest.approx(0.5 / 65535 + 1e-5)
        else:
            assert f"| {name} |" in PAGE


def test_the_bound_of_rendered_pictures_is_the_pages(camera_model: Path) -> None:
    assert "4.5 of the 65,535 codes" in PAGE
    assert "12.92 with sRGB's" in PAGE
    strings = {item.key: item.value for item in onnx.load(camera_model).metadata_props}
    parity = ModelMetadata.from_strings(strings, "it").parity
    assert parity["picture, random frames"]["bound"] == pytest.approx(0.5 / 65535 + 1e-5 + 4.5 / 65535)
