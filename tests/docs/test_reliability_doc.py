"""docs/reliability.md: each promise names its tests, and they are there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if re.match(r"\| (?!fault)[^-]", line)]
TESTS = {
    node.name
    for path in (ROOT / "tests").rglob("test_*.py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.FunctionDef)
}


def test_the_tables_are_looked_at() -> None:
    assert len(ROWS) > 25
    assert {len(row) for row in ROWS} == {3}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_promise_names_tests_that_are_there(row: list[str]) -> None:
    named = re.findall(r"`([^`]+)`", row[2])
    assert named
    for name in named:
        if name.startswith("make "):
            assert f"\n{name.removeprefix('make ')}:" in (ROOT / "Makefile").read_text(encoding="utf-8")
        elif name.startswith("tests/"):
            assert (ROOT / name).exists(), name
        else:
            assert name in TESTS, name


def test_commands_of_the_figures_choose_one_test_or_more() -> None:
    chosen = re.findall(r"-k (\w+)", PAGE)
    assert chosen
    for words in chosen:
        assert [name for name in TESTS if words in name], words
