"""What pyproject.toml asks for, and the lowest version of each, as constraints for pip.

PYTHONPATH=.ci python -m supply.requirements > constraints.txt
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
CORE = "core"  # what is installed without any extra
# What every requirement here looks like; a ceiling, a marker and extras of the package are possible, other bounds not.
_FORM = re.compile(
    r"(?P<name>[\w.-]+)(\[[\w,-]+\])?(?P<range>>=(?P<floor>\d+(\.\d+)*)(,<\d+(\.\d+)*)?)(?P<marker>\s*;.+)?"
)


def requirements_by_extra() -> dict[str, list[str]]:
    """Extra -> its requirements as pyproject.toml has them, without those that name rdi's own extras; and `core`."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    listed = {CORE: project["dependencies"], **project["optional-dependencies"]}
    return {extra: [text for text in texts if not text.startswith("rdi[")] for extra, texts in listed.items()}


def all_requirements() -> list[str]:
    """Of rdi and of all its extras."""
    return [text for texts in requirements_by_extra().values() for text in texts]


def name_of(requirement: str) -> str:
    """The package's name, as PyPI normalises it."""
    return re.sub(r"[-_.]+", "-", _parts(requirement)["name"]).lower()


def range_of(requirement: str) -> str:
    """The versions that are allowed: `>=2.13,<2.14`."""
    return _parts(requirement)["range"]


def lowest(requirement: str) -> str:
    """The lowest version allowed, as a constraint: `numpy>=2.0` -> `numpy==2.0`.

    Raises ValueError for a requirement without a lower bound, or with another form.
    """
    parts = _parts(requirement)
    return f"{parts['name']}=={parts['floor']}{parts['marker'] or ''}"


def constraints(requirements: Iterable[str]) -> Iterator[str]:
    """A line for each package; extras that name it twice must agree."""
    floors: dict[str, str] = {}
    for requirement in requirements:
        line = lowest(requirement)
        if floors.setdefault(name_of(requirement), line) != line:
            raise ValueError(f"two floors: {floors[name_of(requirement)]} and {line}; make pyproject.toml say one")
        yield line


def _parts(requirement: str) -> re.Match[str]:
    found = _FORM.fullmatch(requirement)
    if found is None:
        raise ValueError(f"{requirement!r} has no lower bound; write name>=LOWEST, or name>=LOWEST,<NEXT")
    return found


if __name__ == "__main__":
    print(*dict.fromkeys(constraints(all_requirements())), sep="\n")
