"""docs/benchmarks.md is made of what its commands print, and README's table is its."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from rdi.cli.main import app
from rdi.export.benchmarks.page import PHOTO, blocks, quick, refresh, run_command, with_output

ROOT = Path(__file__).resolve().parents[2]
PAGE = blocks((ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8"))
README = blocks((ROOT / "README.md").read_text(encoding="utf-8"))
TEXT = "before\n<!-- rdi a -->\n<!-- end -->\nbetween\n<!-- rdi b photo.ARW -->\nold\n<!-- end -->\nafter\n"


def test_the_figures_of_readme_are_those_of_the_page() -> None:
    assert len(README) == 1
    for command, figures in README.items():
        assert figures
        assert PAGE[command] == figures


def test_every_mode_of_the_paper_stands_in_the_page_with_its_machine() -> None:
    assert len(PAGE) >= 8
    for command, figures in PAGE.items():
        machine, *tables = figures.splitlines()
        assert re.search(r"\d+ cores?, .*Python [\d.]+; rdi [\d.]+", machine), command
        assert any(line.startswith("| ") for line in tables), command


@pytest.mark.parametrize("command", list(PAGE))
def test_its_commands_exist_with_their_options(command: str) -> None:
    words = shlex.split(command)
    assert words[:2] == ["rdi", "bench"]
    bench = typer.main.get_command(app).commands["bench"]  # type: ignore[attr-defined]
    known = {name for parameter in bench.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words[2:] if word.startswith("--")} <= known


def test_the_macs_in_the_page_are_those_that_the_command_prints_now() -> None:
    """They depend on no machine."""
    (figures,) = (figures for command, figures in PAGE.items() if command == "rdi bench --macs")
    assert figures.partition("\n")[2] == run_command("rdi bench --macs").strip().partition("\n")[2]


def test_output_goes_into_the_block_of_its_command_alone() -> None:
    filled = with_output(TEXT, "rdi a", "new\n")
    assert blocks(filled) == {"rdi a": "new", "rdi b photo.ARW": "old"}
    assert with_output(filled, "rdi a", "new") == filled
    assert with_output(TEXT, "rdi c", "new") == TEXT
    assert re.sub(r"<!--.*?<!-- end -->", "", filled, flags=re.DOTALL) == "before\n\nbetween\n\nafter\n"


def test_a_command_runs_once_for_all_pages_and_a_photo_is_named_or_left(tmp_path: Path) -> None:
    pages = [tmp_path / "one.md", tmp_path / "two.md"]
    for page in pages:
        page.write_text(TEXT)
    ran: list[str] = []

    def run(command: str) -> str:
        ran.append(command)
        return f"from {command}"

    refresh(pages, run)
    refresh(pages, run, Path("my photo.dng"))
    assert ran == ["rdi a", "rdi a", "rdi b 'my photo.dng'"]
    for page in pages:
        assert blocks(page.read_text()) == {"rdi a": "from rdi a", "rdi b photo.ARW": "from rdi b 'my photo.dng'"}
    assert PHOTO == "photo.ARW"


def test_quick_commands_differ_in_runs_and_trials_alone() -> None:
    assert quick("rdi bench --sizes 64x96 --runs 15 --trials 10 --json") == (
        "rdi bench --sizes 64x96 --runs 1 --trials 1 --json"
    )


def test_it_runs_as_a_program(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("<!-- rdi bench --macs --sizes 64x96 -->\n<!-- end -->\n")
    command = [sys.executable, "-m", "rdi.export.benchmarks.page", str(tmp_path / "page.md")]
    subprocess.run(command, check=True, capture_output=True)
    (figures,) = blocks((tmp_path / "page.md").read_text()).values()
    assert "| 64x96 | 0.0 | training form |" in figures
