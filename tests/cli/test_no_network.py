"""What SECURITY.md says of the network: nothing of rdi uses it, which the kernel watches here.

It is onnxruntime that would: it tells Microsoft of each process that imports it, unless the environment says not to.
"""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rdi.models import shipped_model, shipped_sample

SEALED = Path(__file__).with_name("sealed.py")
IN_PYTHON = "import sealed; sealed.seal(); import socket; socket.socket()"
# Past Python's own sockets, as a native library would: AF_INET, SOCK_STREAM.
NATIVE = "import ctypes; ctypes.CDLL(None).socket({family}, 1, 0)"
IN_A_CHILD = f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', {NATIVE.format(family=2)!r}]))"


# Any of these keeps onnxruntime silent, and rdi has to do without.
SILENCING = {"ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "CI", "GITHUB_ACTIONS", "TF_BUILD"}


def run(*command: object, folder: Path) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name not in SILENCING}
    words = [sys.executable, *map(str, command)]
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize(
    "arguments",
    [
        ["infer", "photo.dng", "--sidecar", "--compare-with-camera", "--report", "page.html"],
        ["demo"],
        ["info", "photo.dng", shipped_model()],
        ["doctor"],
        ["simulate", "picture.jpg", "--out", "dark.dng"],
    ],
    ids=lambda arguments: str(arguments[0]),
)
def test_no_command_of_a_user_makes_a_network_socket(arguments: list[object], tmp_path: Path) -> None:
    from PIL import Image

    shutil.copy(shipped_sample(), tmp_path / "photo.dng")
    Image.linear_gradient("L").convert("RGB").save(tmp_path / "picture.jpg")
    before = len(list(tmp_path.iterdir()))
    ended = run(SEALED, *arguments, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout
    wrote = len(list(tmp_path.iterdir())) - before
    assert wrote == {"infer": 4, "demo": 2, "info": 0, "doctor": 0, "simulate": 1}[str(arguments[0])]


def test_who_wants_the_telemetry_of_onnxruntime_keeps_it(tmp_path: Path) -> None:
    program = "import os; os.environ[NAME] = '0'; import rdi; print(os.environ[NAME])"
    program = program.replace("NAME", "'ORT_DISABLE_TELEMETRY'")
    assert run("-c", program, folder=tmp_path).stdout == "0\n"


def test_the_seal_holds_in_python(tmp_path: Path) -> None:
    ended = run("-c", f"import sys; sys.path.insert(0, {str(SEALED.parent)!r}); {IN_PYTHON}", folder=tmp_path)
    assert "rdi must not use the network" in ended.stderr


def sealed_native(program: str, folder: Path) -> int:
    sealed = f"import sys; sys.path.insert(0, {str(SEALED.parent)!r}); import sealed; sealed.seal(); {program}"
    return run("-c", sealed, folder=folder).returncode


if sys.platform == "linux":

    def test_the_seal_holds_for_native_code_and_for_processes_that_are_started(tmp_path: Path) -> None:
        assert sealed_native(NATIVE.format(family=2), tmp_path) == -signal.SIGSYS  # AF_INET
        assert sealed_native(NATIVE.format(family=10), tmp_path) == -signal.SIGSYS  # AF_INET6
        assert sealed_native(NATIVE.format(family=1), tmp_path) == 0  # AF_UNIX stays on this computer
        assert sealed_native(IN_A_CHILD, tmp_path) == -signal.SIGSYS & 0xFF
