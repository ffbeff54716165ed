"""`rdi train --help`: every setting once, in sections that can be read."""

from typer.testing import CliRunner

from rdi.cli.main import app
from rdi.cli.train_options import SECTIONS
from rdi.training.conversion import all_fields
from rdi.training.setting_fields import Group, option_name


def help_lines() -> list[str]:
    return CliRunner().invoke(app, ["train", "--help"], env={"COLUMNS": "100"}).stdout.splitlines()


def test_every_setting_stands_in_the_section_of_its_group() -> None:
    section, found = "", {}
    for line in help_lines():
        if line and not line.startswith(" "):
            section = line.rstrip(":")
        if line.startswith("  --"):
            found[line.split()[0]] = section
    for name, item in all_fields().items():
        assert found[option_name(name)] == SECTIONS[item.metadata["group"]]


def test_every_group_has_a_section() -> None:
    assert set(SECTIONS) == set(Group)


def test_the_help_keeps_within_its_columns() -> None:
    assert all(len(line) <= 80 for line in help_lines())
