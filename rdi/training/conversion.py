"""Values of settings: from text, TOML or JSON to what the field holds, and back to text."""

from dataclasses import Field, fields
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from rdi.errors import UsageError
from rdi.training.settings import Patterns, Places, Range, TrainingSettings


def all_fields() -> "dict[str, Field[Any]]":
    """Every field by its name: places first."""
    return {item.name: item for kind in (Places, TrainingSettings) for item in fields(kind)}


@cache
def field_types() -> dict[str, Any]:
    """Every field's type by its name."""
    return get_type_hints(Places) | get_type_hints(TrainingSettings)


def default_of(item: "Field[Any]") -> Any:
    """A field's default, whether it is a value or made anew each time."""
    return item.default_factory() if callable(item.default_factory) else item.default


def written(value: Any) -> str:
    """A value as the command line takes it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        ranged = len(value) == 2 and all(isinstance(part, float) for part in value)
        return ("-" if ranged else ",").join(f"{part:g}" if ranged else str(part) for part in value) or "none"
    if isinstance(value, dict):
        return ",".join(f"{name}={share:g}" for name, share in value.items()) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def convert(name: str, value: Any, where: str) -> Any:
    """A value, or text, as the field's type has it; `where` begins the UsageError's message."""
    kind = field_types()[name]
    if type(None) in get_args(kind):
        kind = next(part for part in get_args(kind) if part is not NoneType)
    try:
        return _converted(kind, value)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{where} {shown(value)} {error}") from error


def _converted(kind: Any, value: Any) -> Any:
    """Raises ValueError that says what is allowed."""
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        if value not in list(kind):
            raise ValueError(f"is unknown; give {words(kind)}")
        return kind(value)
    if kind is Path:
        return Path(_checked(value, isinstance(value, str | Path), "is no path; give text"))
    if kind is bool or kind is str:
        return _checked(
            value, isinstance(value, kind), "does not fit; give " + ("true or false" if kind is bool else "text")
        )
    if kind in (int, float):
        return _number(kind, value)
    if kind == Range:
        return _range(value)
    if get_origin(kind) is dict:
        return _shares(value)
    parts = value.split(",") if isinstance(value, str) else value
    if kind == Patterns:
        if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
            raise ValueError("is no list of names; give some, such as scan-*,draft.jpg")
        return tuple(part.strip() for part in parts if part.strip() not in ("", "none"))
    if not isinstance(parts, list | tuple):
        raise ValueError("is no list of whole numbers; give some, such as 500000,750000")
    return tuple(_number(int, part) for part in parts if part not in ("", "none"))


def _number(kind: type[int] | type[float], value: Any) -> Any:
    wanted = "whole number" if kind is int else "number"
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | str)
        or (kind is int and isinstance(value, float))
    ):
        raise ValueError(f"is no {wanted}")
    try:
        return kind(value)
    except ValueError as error:
        raise ValueError(f"is no {wanted}") from error


def _range(value: Any) -> Range:
    """LOW-HIGH, or one number for both."""
    parts = list(value) if isinstance(value, list | tuple) else str(value).split("-")
    try:
        low, high = parts * 2 if len(parts) == 1 else parts
        return float(low), float(high)
    except ValueError as error:
        raise ValueError("is no range; give LOW-HIGH, for example 400-12800") from error


def _shares(value: Any) -> dict[str, float]:
    try:
        pairs = dict(part.split("=") for part in value.split(",") if part) if isinstance(value, str) else dict(value)
        shares = {str(name).strip(): float(share) for name, share in pairs.items()}
    except (ValueError, TypeError) as error:
        raise ValueError("names no shares; give some, such as sid=0.7,photos=0.3") from error
    if not all(share > 0 for share in shares.values()):
        raise ValueError("has a share that is not above 0; leave such a source away")
    return shares


def _checked(value: Any, right: bool, problem: str) -> Any:
    if not right:
        raise ValueError(problem)
    return value


def words(kind: type[StrEnum]) -> str:
    """What there is to choose: `sony or fuji`."""
    *most, last = (str(choice) for choice in kind)
    return f"{', '.join(most)} or {last}"


def shown(value: Any) -> str:
    """A value as it was given, for a message."""
    return value if isinstance(value, str) else repr(value)
