"""OpenVINO for real, in an environment of its own: its onnxruntime and the usual one exclude each other."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rdi.models import shipped_sample

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = "RDI_OPENVINO_PYTHON"

# Restores a photo with other levels, gains and amplifications than the model's defaults on both providers, so that an
# input taken for a constant shows.
COMPARE = """
import json, sys
from pathlib import Path
import numpy as np
from rdi.camera import read_photo
from rdi.runtime import Exposure, ExposureMode, Restorer

photo = read_photo(Path(sys.argv[1]))
other = photo.replace(
    black_level=photo.black_level + [-9, 4, 8, 15], white_level=photo.white_level * 0.8, white_balance=[2.6, 1.0, 1.3]
)
restorers = [Restorer(provider=name) for name in ("cpu", "openvino")]
small = other.replace(mosaic=other.mosaic[:99, :131])
report = []
for frame, exposure in [(photo, None), (photo, 20.0), (other, 90.0), (small, 5.0)]:
    chosen = Exposure() if exposure is None else Exposure(ExposureMode.NUMBER, exposure)
    cpu, openvino = (restorer.restore(frame, chosen) for restorer in restorers)
    difference = np.abs(openvino.image.astype(np.int32) - cpu.image)
    report.append(
        {"provider": openvino.provider, "difference": int(difference.max()), "mean": float(openvino.image.mean())}
    )
print(json.dumps(report))
"""

# Codes of 65535 that a rounding may change: the table's next value in the shadows is 4.5 codes on. Of 18 million
# pixels a few lie beyond the hull, where the gamut mapping makes it two.
NEXT = 5

IDLE = """
from rdi.errors import ProviderError
from rdi.runtime import Restorer, sessions
from rdi.camera import photo_from_array
import numpy as np

# OpenVINO accepts a device that does not exist, stands in the session's list and leaves every operator to the CPU.
sessions.provider_options = lambda *_: {"device_type": "XPU"}
photo = photo_from_array(np.full((64, 64), 600), "RGGB", black_level=512, white_level=16383, white_balance=[2, 1, 1])
try:
    Restorer(provider="openvino").restore(photo)
except ProviderError as error:
    print(error)
"""


@pytest.fixture(scope="session")
def openvino_python() -> str:
    """A Python that has onnxruntime-openvino and what rdi needs."""
    python = os.environ.get(VARIABLE)
    if not python:
        pytest.skip(
            f"needs onnxruntime-openvino in an environment of its own: `make openvino`, or name it in {VARIABLE}"
        )
    return python


def run(python: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [python, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def compare(python: str, photo: Path) -> list[dict[str, Any]]:
    done = run(python, "-c", COMPARE, photo)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    report: list[dict[str, Any]] = json.loads(done.stdout)
    return report


def test_openvino_restores_the_picture_that_the_cpu_restores(openvino_python: str) -> None:
    report = compare(openvino_python, shipped_sample())
    assert [entry["provider"] for entry in report] == ["openvino"] * 4
    assert max(entry["difference"] for entry in report) <= NEXT
    assert len({round(entry["mean"]) for entry in report}) == 4  # the levels and amplifications did reach the network


@pytest.mark.real_data
def test_openvino_restores_a_real_photo_as_the_cpu_does(openvino_python: str, real_arw: Path) -> None:
    assert max(entry["difference"] for entry in compare(openvino_python, real_arw)) <= 2 * NEXT


def test_a_listed_provider_that_runs_nothing_is_refused(openvino_python: str) -> None:
    said = run(openvino_python, "-c", IDLE).stdout
    assert "provider openvino cannot be used: it loads, but runs only 0 of" in said


def test_the_command_line_says_what_ran_and_what_is_missing(openvino_python: str, tmp_path: Path) -> None:
    def infer(*options: object) -> subprocess.CompletedProcess[str]:
        arguments = [shipped_sample(), "--out", tmp_path / "out.png", "--overwrite", *options]
        return run(openvino_python, "-m", "rdi.cli", "infer", *arguments)

    used = infer("--provider", "openvino", "--threads", 1, "--allow-fallback")
    assert (used.returncode, used.stderr) == (0, "")
    assert "provider openvino" in used.stdout
    refused = infer("--provider", "cuda")
    assert refused.returncode == 1
    assert 'pip uninstall -y onnxruntime-openvino && pip install ".[cuda]"' in refused.stderr
    doctor = run(openvino_python, "-m", "rdi.cli", "doctor")
    assert doctor.returncode == 0
    assert "ok       provider openvino: loads the model and runs " in doctor.stdout
