"""JSON that every reader takes, from and to files of which nothing is certain.

Python's own reads and writes NaN and Infinity, which JSON has not, and nests as deep as a hostile text asks it to.
"""

import json
import math
import re
from typing import Any

from rdi.printable import printable

DEEPEST = 64  # objects within objects; a run keeps those that it started from, one within the other

# What json leaves as it is and a terminal obeys, or UTF-8 cannot say.
_RAW = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def read_json(text: str | bytes) -> Any:
    """A JSON text's value, with None for numbers that are none; ValueError for what is no JSON or nested too deep."""
    try:
        value = json.loads(text, parse_constant=lambda _: None, parse_float=_finite)
        require_shallow(value)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    return value


def read_object(text: str | bytes) -> dict[str, Any]:
    """`read_json` of an object; ValueError for anything else."""
    value = read_json(text)
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, found {printable(text[:40])!r}")
    return value


def write_json(value: Any, indent: int | None = None, *, ascii_only: bool = True) -> str:
    """A value as JSON, with null for numbers that are none, and without characters that command a terminal.

    ascii_only: escape every other character, too, that is not ASCII
    """
    try:
        text = json.dumps(value, indent=indent, ensure_ascii=ascii_only, allow_nan=False)
    except ValueError:  # a number that is none: rare, so that the usual value is not copied
        text = json.dumps(_with_numbers(value), indent=indent, ensure_ascii=ascii_only, allow_nan=False)
    return _RAW.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def require_shallow(value: Any, left: int = DEEPEST) -> None:
    """ValueError for objects and lists nested deeper than `DEEPEST`."""
    if not left:
        raise ValueError("it is nested too deep")
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            require_shallow(inner, left - 1)


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _with_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_with_numbers(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
