"""Where a run's settings come from: a preset, a TOML file, the command line, in rising order of rank."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, fields, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from rdi.errors import UsageError
from rdi.model_kinds import WhiteBalance
from rdi.training.settings import Group, Optimiser, Places, Range, Schedule, TrainingSettings, option_name


class Preset(StrEnum):
    """A named set of settings to start from."""

    DEFAULT = "default"  # what trains well in hours
    PAPER = "paper"  # as published: days on a GPU


PRESETS: Mapping[Preset, Mapping[str, Any]] = {
    Preset.DEFAULT: {},
    Preset.PAPER: {
        "white_balance": WhiteBalance.BAKED,
        "steps": 1_000_000,
        "batch": 8,
        "crop": 512,
        "transpose": False,
        "learning_rate": 1e-4,
        "optimiser": Optimiser.ADAM,
        "beta1": 0.9,
        "beta2": 0.999,
        "weight_decay": 0.0,
        "schedule": Schedule.STEP,
        "reduce_at": (500_000,),
        "reduce_by": 0.1,
        "warm_up": 0,
        "clip": 0.0,
        "ema": 0.0,
        "mixed_precision": False,
        "keep_at": (2, 100_002),
        "keep_every": 50_000,
    },
}


@dataclass(frozen=True)
class Configuration:
    """What a run is told.

    preset:   what it started from
    settings: how to train
    places:   where data are and files go
    file:     name of the TOML file, "" without one
    text:     what stood in it
    """

    settings: TrainingSettings
    places: Places
    preset: Preset = Preset.DEFAULT
    file: str = ""
    text: str = ""

    def describe(self) -> dict[str, Any]:
        """For the checkpoint; without the places, which concern nobody else."""
        described: dict[str, Any] = {"preset": str(self.preset), "settings": self.settings.to_dict()}
        return described | ({"configuration_file": self.file, "configuration": self.text} if self.file else {})


def configure(
    given: Mapping[str, Any] | None = None,
    file: Path | None = None,
    preset: str | None = None,
    base: Mapping[str, Any] | None = None,
) -> Configuration:
    """Settings from a preset, a file above it and what was given on top.

    given: field name -> value, or text as the command line has it; None counts as not given
    base:  field name -> value, of a run that is resumed; instead of a preset
    file:  TOML; a key is a field's name, at the top or in the table of its group; `preset = "paper"` at the top
    Raises UsageError for an unknown key, a value of another type or out of range, and a file that cannot be read.
    """
    text = _read(file) if file else ""
    from_file = _parse(text, file) if file else {}
    named = preset or from_file.pop("preset", None) or Preset.DEFAULT
    from_file.pop("preset", None)
    if named not in list(Preset):
        where = "--preset" if preset else f"{file}: preset ="
        raise UsageError(f"{where} {named} is unknown; give {_words(Preset)}")
    values = {
        **(PRESETS[Preset(named)] if base is None else base),
        **{name: convert(name, value, f"{file}: {name} =") for name, value in from_file.items()},
        **{name: convert(name, value, option_name(name)) for name, value in (given or {}).items() if value is not None},
    }
    return Configuration(
        settings=_debugged(
            TrainingSettings(**{name: values[name] for name in values if name in _names(TrainingSettings)})
        ),
        places=Places(**{name: values[name] for name in values if name in _names(Places)}),
        preset=Preset(named),
        file=file.name if file else "",
        text=text,
    )


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
        raise UsageError(f"{where} {_shown(value)} {error}") from error


def _converted(kind: Any, value: Any) -> Any:
    """Raises ValueError that says what is allowed."""
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        if value not in list(kind):
            raise ValueError(f"is unknown; give {_words(kind)}")
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


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--config {file} cannot be read ({error}); give a TOML file") from error


def _parse(text: str, file: Path) -> dict[str, Any]:
    """Field name -> value, from the top and from the tables of the groups."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"--config {file} is no TOML file: {error}") from error
    known = all_fields()
    values: dict[str, Any] = {}
    for key, value in content.items():
        table = key in list(Group) and isinstance(value, dict)
        if isinstance(value, dict) and not table and key not in known:
            raise UsageError(f"{file}: [{key}] is no table of settings; {_nearest_of(key, list(Group))}")
        if key in list(Group) and not table:
            raise UsageError(f"{file}: {key} = {_shown(value)} does not fit: [{key}] is a table of settings")
        for name, inner in value.items() if table else [(key, value)]:
            if name not in known and (table or name != "preset"):
                raise UsageError(f"{file}: {name} is no setting; {_nearest(name, known)}")
            if table and known[name].metadata["group"] != key:
                raise UsageError(f"{file}: {name} stands in [{key}]; it belongs to [{known[name].metadata['group']}]")
            if name in values:
                raise UsageError(f"{file}: {name} is given twice, at the top and in [{key}]; leave one out")
            values[name] = inner
    return values


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    if name == "preset":
        return "it stands at the top of the file, above all tables"
    old = {item.metadata["old"].lower(): new for new, item in known.items() if item.metadata["old"]}
    if name.lower() in old:
        return f"the published configuration's {name} is {old[name.lower()]} here"
    return _nearest_of(name, known)


def _nearest_of(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else "docs/training.md lists them"


def _debugged(settings: TrainingSettings) -> TrainingSettings:
    """Debug mode: its own number of steps, validated and saved at the end."""
    if not settings.debug:
        return settings
    steps = settings.debug_steps
    return replace(settings, steps=steps, validate_every=steps, checkpoint_every=min(settings.checkpoint_every, steps))


def _names(kind: type) -> set[str]:
    return {item.name for item in fields(kind)}


def _words(kind: type[StrEnum]) -> str:
    *most, last = (str(choice) for choice in kind)
    return f"{', '.join(most)} or {last}"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)
