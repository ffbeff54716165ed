import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from rdi.camera.photo import DEFAULT_GAINS
from rdi.checkpoint import load_checkpoint
from rdi.export.frames import Settings
from rdi.export.picture_checks import PICTURE_BOUND
from rdi.export.reference import expected_amplification, expected_picture
from rdi.graph_contract import INPUTS, OUTPUTS
from rdi.metadata import ModelMetadata

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "graph.md").read_text(encoding="utf-8")


def test_the_script_restores_a_mosaic_with_onnxruntime_and_numpy_alone(
    exported_model: Path, checkpoint_file: Path, tmp_path: Path
) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert set(re.findall(r"^(?:import|from) (\w+)", script, flags=re.MULTILINE)) == {"sys", "numpy", "onnxruntime"}
    (tmp_path / "restore.py").write_text(script)
    mosaic = (512 + np.random.default_rng(2).poisson(np.linspace(1, 300, 50 * 70))).reshape(50, 70).astype(np.uint16)
    np.save(tmp_path / "mosaic.npy", mosaic)

    command = [sys.executable, "restore.py", str(exported_model), "mosaic.npy", "picture.ppm"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    used = re.fullmatch(r"amplified ([\d.]+) times\n", done.stdout)
    assert used is not None
    header, _, pixels = (tmp_path / "picture.ppm").read_bytes().partition(b"\n")
    assert header == b"P6 70 50 65535"
    picture = np.frombuffer(pixels, dtype=">u2").reshape(50, 70, 3)
    checkpoint = load_checkpoint(checkpoint_file)
    settings = Settings(np.full(4, 512.0), 16383, checkpoint.metadata.cfa.per_site(DEFAULT_GAINS))
    padded = np.pad(mosaic, ((0, 14), (0, 26)), mode="reflect")

    amplification = expected_amplification(checkpoint, padded, settings, checkpoint.metadata.m)
    assert float(used[1]) == pytest.approx(amplification, abs=0.005)
    expected = expected_picture(checkpoint, padded, settings, amplification)[:50, :70]
    assert np.abs(picture / 65535 - expected).max() <= PICTURE_BOUND


def test_the_page_names_every_input_output_and_metadata_key(exported_model: Path) -> None:
    keys = [item.key for item in onnx.load(exported_model).metadata_props]
    for name in (*INPUTS, *OUTPUTS, *keys):
        assert f"`{name}`" in PAGE, name


def test_the_page_names_every_check_with_its_bound(exported_model: Path) -> None:
    strings = {item.key: item.value for item in onnx.load(exported_model).metadata_props}
    for name, check in ModelMetadata.from_strings(strings, "it").parity.items():
        if name.endswith(" frames"):
            assert name.split()[1] in PAGE
            assert check["bound"] == pytest.approx(0.5 / 65535 + 1e-5)
        else:
            assert f"| {name} |" in PAGE
