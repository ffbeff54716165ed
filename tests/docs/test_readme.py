"""README is true: its commands exist with these options, its Python runs, and every command stands in it."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from rdi.cli.main import app
from rdi.models import shipped_sample

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
PYTHON_BLOCKS = [block for kind, block in BLOCKS if kind == "python"]
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def shell_lines() -> list[str]:
    lines = [
        line.removeprefix("$ ") for kind, block in BLOCKS if kind in ("", "console") for line in block.splitlines()
    ]
    calls = [call.strip() for line in lines for call in line.split("&&")]
    return [call for call in calls if call.startswith("rdi ")]


def test_the_shell_examples_are_there() -> None:
    assert len(shell_lines()) >= 8


@pytest.mark.parametrize("line", shell_lines())
def test_every_shell_example_names_a_command_and_its_options(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command = COMMANDS[words[0]]
    known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    assert {word for word in words[1:] if re.match("--?[a-z]", word)} <= known  # a value may be -1


def test_every_command_stands_in_readme_with_help_and_an_example() -> None:
    for name, command in COMMANDS.items():
        assert f"`rdi {name}" in README
        assert f"Example: rdi {name}" in command.help
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name}: {parameter.name} has no help"


def test_every_option_of_infer_stands_in_the_table() -> None:
    rows = re.findall(r"^\| (`--[^|]+) \|[^|]+\|[^|]+\|$", README, flags=re.MULTILINE)
    named = [option for row in rows for option in re.findall(r"`(--[a-z-]+)`", row)]
    options = [parameter.opts[0] for parameter in COMMANDS["infer"].params if parameter.param_type_name == "option"]
    assert sorted(named) == sorted(option for option in options if option != "--help")


def test_the_two_commands_stand_in_readme_as_ci_runs_them() -> None:
    for line in ('pip install ".[cpu]" && rdi demo', 'pip install -e ".[dev]" && pytest'):
        assert f"\n{line}\n" in README


def run_beside_a_photo(session: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    shutil.copy(shipped_sample(), folder / "photo.ARW")
    return subprocess.run([sys.executable, "-c", session], cwd=folder, capture_output=True, text=True, check=False)


def test_the_python_session_restores_a_picture(tmp_path: Path) -> None:
    ended = run_beside_a_photo(PYTHON_BLOCKS[0], tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "photo_restored.jpg").stat().st_size > 10_000


def test_the_python_session_with_exposure_and_white_balance_uses_both(tmp_path: Path) -> None:
    says = "print(restored.amplification.ev, restored.white_balance_from)"
    ended = run_beside_a_photo(PYTHON_BLOCKS[1] + says, tmp_path)
    assert (ended.stdout, ended.stderr) == ("1.0 auto\n", "")


def test_the_python_session_with_an_array_restores_it_without_libraw_and_pillow() -> None:
    unwanted = {"rawpy", "PIL", "typer", "torch", "onnx"}
    checks = f"import sys\nprint(picture.shape, picture.dtype, *{unwanted} & set(sys.modules))"
    command = [sys.executable, "-c", PYTHON_BLOCKS[2] + checks]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "(480, 640, 3) uint16\n"


def test_links_in_the_documents_lead_somewhere() -> None:
    for page in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "SECURITY.md",
        *(ROOT / "docs").glob("*.md"),
        ROOT / "models/MODEL_CARD.md",
    ]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"


def test_readme_and_model_card_carry_the_patent_notice() -> None:
    for page in ("README.md", "models/MODEL_CARD.md", "NOTICE.md"):
        assert "202141026548" in (ROOT / page).read_text(encoding="utf-8")
