"""Where a run's settings come from: a preset, a TOML file, the command line, in rising order of rank."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from rdi.errors import UsageError
from rdi.model_kinds import BelowBlack, Companding, Rendering, WhiteBalance
from rdi.training.choices import Optimiser, Schedule
from rdi.training.conversion import all_fields, convert, shown, words
from rdi.training.setting_fields import Group, option_name
from rdi.training.settings import Places, TrainingSettings


class Preset(StrEnum):
    """A named set of settings to start from."""

    DEFAULT = "default"  # what trains well in hours
    PAPER = "paper"  # as published: days on a GPU


PRESETS: Mapping[Preset, Mapping[str, Any]] = {
    Preset.DEFAULT: {},
    Preset.PAPER: {
        "rendering": Rendering.PAPER,
        "white_balance": WhiteBalance.BAKED,
        "below_black": BelowBlack.CUT,
        "companding": Companding.NONE,
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
        "grain_weight": 0.0,
        "defects": False,
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
        raise UsageError(f"{where} {named} is unknown; give {words(Preset)}")
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
            raise UsageError(f"{file}: {key} = {shown(value)} does not fit: [{key}] is a table of settings")
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
