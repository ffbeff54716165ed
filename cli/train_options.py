"""The settings as options of `rdi train`: made from the fields, one by one, so that none is forgotten."""

import inspect
from collections.abc import Callable
from dataclasses import Field
from enum import StrEnum
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, get_args

import typer
from typer.core import TyperCommand

from rdi.training.conversion import all_fields, default_of, field_types, written
from rdi.training.setting_fields import Group, option_name
from rdi.training.settings import Range

SECTIONS = {
    Group.SOURCE: "Where the data are",
    Group.DATA: "Data",
    Group.SIMULATION: "Simulated captures",
    Group.OPTIMISATION: "Optimisation",
    Group.LOSS: "Loss",
    Group.COMPUTING: "Computing",
    Group.SAVING: "Saving and watching",
    Group.DEBUGGING: "Debug mode",
}
METAVARS = {int: "N", float: "X", str: "TEXT", Path: "PATH"}


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each setting; those that were given reach its `**given` as text, number or bool.

    None is every option's default, so that a preset or a file is only overruled by what was really given.
    """
    own = inspect.signature(command)
    kept = [item for item in own.parameters.values() if item.kind is not inspect.Parameter.VAR_KEYWORD]
    options = [_parameter(name, item) for name, item in all_fields().items()]
    command.__signature__ = own.replace(parameters=[*kept, *options])  # type: ignore[attr-defined]
    command.__annotations__ |= {option.name: option.annotation for option in options}
    return command


def _parameter(name: str, item: "Field[Any]") -> inspect.Parameter:
    kind = field_types()[name]
    if NoneType in get_args(kind):
        kind = next(part for part in get_args(kind) if part is not NoneType)
    default = written(default_of(item))
    text = item.metadata["text"] + ("" if default == "none" else f" [{default}]")
    flag = option_name(name)
    option = typer.Option(
        f"{flag}/--no-{flag[2:]}" if kind is bool else flag,
        help=text,
        metavar=None if kind is bool else _metavar(kind),
        rich_help_panel=SECTIONS[item.metadata["group"]],
        show_default=False,
    )
    passed = kind if kind in (bool, int, float, Path) else str
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[passed | None, option]
    )


def _metavar(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return "|".join(kind)
    return "LOW-HIGH" if kind == Range else METAVARS.get(kind, "LIST")


class SectionedCommand(TyperCommand):
    """Its help lists the options in sections: seventy in one list cannot be read."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Options without a section first."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": [], **{name: [] for name in SECTIONS.values()}}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                sections[getattr(parameter, "rich_help_panel", None) or "Options"].append(record)
        for name, records in sections.items():
            with formatter.section(name):
                formatter.write_dl(records)
