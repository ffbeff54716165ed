"""What `rdi --help` costs, and what a help text must not load."""

import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rdi.models import shipped_sample

HEAVY = {"torch", "numpy", "rawpy", "PIL", "onnx", "onnxruntime", "rich"}


def cpu_seconds(*arguments: str) -> float:
    """CPU time, user and system, of one Python process: a busy machine makes it wait, not work."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_costs_at_most_three_times_what_importing_typer_costs() -> None:
    program = "import sys; sys.argv = ['rdi', '--help']; from rdi.cli.main import app; app()"
    runs = [(cpu_seconds("-c", "import typer"), cpu_seconds("-c", program)) for _ in range(5)]
    typer, rdi = (min(column) for column in zip(*runs, strict=True))
    assert rdi <= 3 * typer


def test_leaving_walks_through_no_more_than_it_must() -> None:
    """Handlers run in reverse: the one registered before rdi's sees what rdi's has done."""
    program = (
        "import atexit, gc, sys; atexit.register(lambda: print(gc.get_freeze_count()))\n"
        "sys.argv = ['rdi', '--version']\nfrom rdi.cli.main import app\napp()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) > 1000


def test_leaving_after_a_model_was_simplified_says_nothing_of_leaks(tiny_model: Path) -> None:
    program = f"import onnx, onnxsim; onnxsim.simplify(onnx.load({str(tiny_model)!r}))\nfrom rdi.cli.main import app"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize(
    "command", ["infer", "info", "doctor", "demo", "simulate", "train", "export", "compare", "eval"]
)
def test_a_help_text_loads_nothing_heavy(command: str) -> None:
    program = (
        f"import sys; sys.argv = ['rdi', {command!r}, '--help']\nfrom rdi.cli.main import app\n"
        "try:\n    app()\nfinally:\n    print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert f"rdi {command}" in done.stdout
    assert not HEAVY & set(done.stderr.split())


@pytest.mark.parametrize("command", ["infer", "demo", "info", "doctor"])
def test_commands_that_need_no_pytorch_load_neither_it_nor_onnx(command: str, tiny_model: Path, tmp_path: Path) -> None:
    photo = shutil.copy(shipped_sample(), tmp_path / "photo.dng")
    arguments = {
        "infer": [str(photo), "--model", str(tiny_model)],
        "demo": ["--out", str(tmp_path / "demo.png")],
        "info": [str(photo), str(tiny_model)],
        "doctor": [],
    }[command]
    program = (
        f"import sys; sys.argv = {['rdi', command, *arguments]!r}\nfrom rdi.cli.main import app\n"
        "try:\n    app()\nfinally:\n    print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    loaded = set(done.stderr.split())
    assert "onnxruntime" in loaded
    assert not {"torch", "onnx", "onnxscript", "scipy", "skimage", "rich"} & loaded
