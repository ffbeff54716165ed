"""Hints on what to install fit how this project is installed."""

import re
import tomllib
from pathlib import Path

from rdi.extras import install_hint

ROOT = Path(__file__).resolve().parents[2]


def test_a_hint_names_the_command_and_where_to_run_it() -> None:
    assert install_hint("cuda") == 'pip install ".[cuda]" in rdi\'s checkout'


def sources() -> list[Path]:
    return [path for folder in ("rdi", "export", "runtime") for path in (ROOT / folder).rglob("*.py")]


def test_no_message_sends_anybody_to_an_index_for_rdi() -> None:
    assert len(sources()) > 30
    assert [path.name for path in sources() if 'pip install "rdi' in path.read_text()] == []


def test_every_extra_named_in_a_hint_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    calls = re.compile(r"install_(?:hint|command)\(['\"](\w+)['\"]\)")
    named = {extra for path in sources() for extra in calls.findall(path.read_text())}
    assert {"cpu", "cuda", "openvino", "eval"} <= named <= set(extras)
