"""A setting as a field of a dataclass, with all that option, file key and document say of it."""

from dataclasses import Field, field
from enum import StrEnum
from typing import Any, TypeVar, cast

from rdi.errors import UsageError

T = TypeVar("T")


class Group(StrEnum):
    """What a setting is about; the value is the name of its table in a TOML file."""

    SOURCE = "source"
    DATA = "data"
    SIMULATION = "simulation"
    OPTIMISATION = "optimisation"
    LOSS = "loss"
    COMPUTING = "computing"
    SAVING = "saving"
    DEBUGGING = "debugging"


def setting(
    default: T,
    text: str,
    *,
    group: Group,
    old: str = "",
    resume: bool = False,
    lowest: float | None = None,
    highest: float | None = None,
) -> T:
    """A field with what everyone should know of it.

    text:    meaning and unit, one sentence
    old:     its name in the published configuration
    resume:  whether a resumed run may have another value than the run before
    lowest, highest: what is allowed, inclusive
    """
    metadata = {"text": text, "group": group, "old": old, "resume": resume, "lowest": lowest, "highest": highest}
    if isinstance(default, dict):
        return cast(T, field(default_factory=lambda: dict(default), metadata=metadata))
    return field(default=default, metadata=metadata)


def option_name(name: str) -> str:
    """A field's name as the command line has it."""
    return f"--{name.replace('_', '-')}"


def check_bounds(item: "Field[Any]", value: Any) -> None:
    """Raises UsageError for a number below the field's lowest or above its highest."""
    lowest, highest = item.metadata["lowest"], item.metadata["highest"]
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        return
    if lowest is not None and not value >= lowest:  # nan fails too
        raise UsageError(f"{option_name(item.name)} {value} is too small; give {lowest} or more")
    if highest is not None and not value <= highest:
        raise UsageError(f"{option_name(item.name)} {value} is too large; give {highest} or less")
