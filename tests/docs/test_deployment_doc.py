"""docs/deployment.md names every rewrite that can be timed, and code that exists."""

import re
from importlib import import_module
from pathlib import Path

from rdi.export.benchmarks.rewrites import rewrites
from rdi.export.picture_checks import HALF_PICTURE_BOUND, PSNR_MARGIN
from rdi.metadata import Precision

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "deployment.md").read_text(encoding="utf-8")


def test_every_rewrite_stands_in_the_page_with_what_it_gains() -> None:
    rows = dict(re.findall(r"^\| ([^|]+) \|.*\| ([^|]+) \|$", PAGE, flags=re.MULTILINE))
    for rewrite in rewrites():
        assert re.fullmatch(r"[\d.]+ -> [\d.]+ ms, \*\*[\d.]+x\*\*", rows[rewrite.name]), rewrite.name


def test_the_functions_it_names_exist() -> None:
    named = set(re.findall(r"`(pixels|channels|encoders|borders|phases|picture)\.(\w+)`", PAGE))
    assert len(named) >= 10
    for module, name in named:
        assert hasattr(import_module(f"rdi.export.deployment.{module}"), name), f"{module}.{name}"


def test_every_precision_and_its_bounds_stand_in_the_page() -> None:
    for precision in Precision:
        assert f"| `{precision}` |" in PAGE
    assert f"further off than {HALF_PICTURE_BOUND} of white" in PAGE
    assert f"at most {PSNR_MARGIN:g} dB behind" in PAGE
