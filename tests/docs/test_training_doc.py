"""docs/training.md lists the settings as the code has them."""

from pathlib import Path

from rdi.training.configuration import configure
from rdi.training.conversion import all_fields, default_of, written
from rdi.training.setting_fields import Group, option_name

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "training.md").read_text(encoding="utf-8")


def old_names() -> list[str]:
    """Rows: a name of the published configuration, ours."""
    pairs = [(item.metadata["old"], option_name(name)) for name, item in all_fields().items() if item.metadata["old"]]
    return [f"| `{old}` | `{name}` |" for old, name in sorted(pairs, key=lambda pair: (pair[0].lower(), pair[1]))]


def setting_tables() -> list[str]:
    """A table for each group."""
    lines = []
    for group in Group:
        lines += ["", f"`[{group}]`", "", "| setting | default | on resuming | |", "|---|---|---|---|"]
        for name, item in all_fields().items():
            if item.metadata["group"] == group:
                may = "may change" if item.metadata["resume"] else ""
                lines.append(f"| `{name}` | {written(default_of(item))} | {may} | {item.metadata['text']} |")
    return lines[1:]


def test_the_published_names_stand_there() -> None:
    assert "\n".join(old_names()) in PAGE


def test_every_setting_stands_there_with_its_default() -> None:
    assert "\n".join(setting_tables()) in PAGE


def test_the_example_of_a_file_is_one(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text(PAGE.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    settings = configure(file=file).settings
    assert (settings.steps, settings.reduce_at, settings.keep_at) == (300_000, (200_000,), (2, 100_002))
