"""Names and metadata that would command a terminal, a page, a spreadsheet or a file system: they stay text."""

import ast
import csv
import json
import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rdi.camera import Cfa, RawPhoto
from rdi.camera.dng import write_dng
from rdi.cli.main import app
from rdi.evaluation.rows import Row, RowsFile
from rdi.metadata import ModelMetadata
from rdi.printable import in_markdown
from rdi.training.amplification_table import write_amplifications

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = (
    "two\nrdi: all is well",
    "\x1b[31mred\x1b]0;title\x07",
    "\x9b31m",
    "[bold]loud[\\bold]",
    "<script>alert(1)<\\script>",
    '"><img src=x onerror=alert(1)>',
    "\u202egnp",
    "\u200fright\u061c",
    "a..\\..\\b",
    "=cmd|' \\C calc'!A0",
    "-n",
    "`code`|cell",
    "\udcff\udc80",
    "n" * 200,
    "\u2028line",
)
COMMANDS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def invoke(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def photo(make: str = "Acme", model: str = "Night 1") -> RawPhoto:
    mosaic = np.random.default_rng(3).integers(500, 700, (32, 40)).astype(np.uint16)
    return RawPhoto(mosaic, Cfa.RGGB, np.array([512.0]), 16383.0, iso=100, make=make, model=model)


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """A folder of photos with hostile names."""
    folder = tmp_path / "night"
    folder.mkdir()
    write_dng(photo(), tmp_path / "a.dng")
    content = (tmp_path / "a.dng").read_bytes()
    for name in HOSTILE:
        (folder / f"{name}.dng").write_bytes(content)
    return folder


def require_harmless(text: str, lines: int | None = None) -> None:
    assert not COMMANDS.search(text)
    assert "\nrdi: all is well" not in text
    if lines is not None:
        assert text.count("\n") == lines


def test_a_batch_of_hostile_names_is_restored_and_shown_as_text(night: Path, tiny_model: Path, tmp_path: Path) -> None:
    out, page = tmp_path / "out", tmp_path / "page.html"
    result = invoke("infer", night, "--model", tiny_model, "--out", out, "--sidecar", "--report", page)
    assert result.exit_code == 0, result.output
    require_harmless(result.stdout, lines=4 * len(HOSTILE))
    require_harmless(result.stderr)
    assert "[bold]loud[\\bold].dng" in result.stdout
    assert sorted(path.name for path in out.iterdir()) == sorted(
        f"{name}_restored.jpg{more}" for name in HOSTILE for more in ("", ".json")
    )
    assert {path.name for path in tmp_path.iterdir()} == {"night", "out", "page.html", "a.dng"}
    for path in out.glob("*.json"):
        text = path.read_bytes().decode()
        require_harmless(text)
        assert Path(json.loads(text)["photo"]).name + "" in {f"{name}.dng" for name in HOSTILE}
    written = page.read_text(encoding="utf-8")
    assert not re.search("<script>alert|<img src=x", written)
    assert not COMMANDS.search(written)
    assert "<script>alert(1)<\\script>.dng" in unescape(written)


def test_json_of_hostile_names_is_one_valid_object_a_line(night: Path, tiny_model: Path, tmp_path: Path) -> None:
    arguments = ("infer", night, "--model", tiny_model, "--out", tmp_path / "out", "--json")
    for _ in range(2):  # restored, then skipped
        result = invoke(*arguments)
        assert result.exit_code == 0, result.output
        require_harmless(result.stdout, lines=len(HOSTILE))
        found = [json.loads(line) for line in result.stdout.splitlines()]
        assert {Path(one["photo"]).name for one in found} == {f"{name}.dng" for name in HOSTILE}
    require_harmless(invoke(*arguments[:-1]).stdout, lines=len(HOSTILE))


def test_errors_and_descriptions_of_hostile_names_are_one_line_each(night: Path, tmp_path: Path) -> None:
    for name in HOSTILE:
        path = night / f"{name}.dng"
        shown = invoke("info", path).stdout
        require_harmless(shown)
        assert json.loads(invoke("info", path, "--json").stdout)["file"] == str(path)
        path.write_bytes(b"no photo")
        require_harmless(invoke("info", path).stderr, lines=1)
    result = invoke("infer", night, "--out", tmp_path / "out", "--model", "none.onnx")
    require_harmless(result.stderr, lines=1)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("suffix", [".onnx", ".safetensors", ".strips.zip"])
def test_models_of_hostile_names_are_refused_in_one_line(suffix: str, tmp_path: Path) -> None:
    for name in HOSTILE:
        path = tmp_path / f"{name}{suffix}"
        path.write_bytes(b"nothing")
        require_harmless(invoke("info", path).stderr, lines=1)


@pytest.mark.parametrize(
    "hostile", ["\x1b[31mAcme\n\x07", "<script>alert(1)</script>", "../../etc/[bold]x", "\x00\x9b5m"]
)
def test_a_cameras_name_is_text_everywhere_and_in_no_file_name(hostile: str, tiny_model: Path, tmp_path: Path) -> None:
    path, page = tmp_path / "a.dng", tmp_path / "page.html"
    write_dng(photo(make=hostile, model=f"{hostile} 1"), path)
    result = invoke("infer", path, "--model", tiny_model, "--out", tmp_path / "b.png", "--sidecar", "--report", page)
    assert result.exit_code == 0, result.output
    require_harmless(result.stdout, lines=4)
    require_harmless((tmp_path / "b.png.json").read_text(encoding="utf-8"))
    written = page.read_text(encoding="utf-8")
    assert not COMMANDS.search(written)
    assert "<script>alert" not in written
    assert {each.name for each in tmp_path.iterdir()} == {"a.dng", "b.png", "b.png.json", "page.html"}
    require_harmless(invoke("info", path).stdout)


def test_exif_texts_are_text_on_the_page(tiny_model: Path, tmp_path: Path) -> None:
    """Artist, description, copyright and lens, as a camera or anybody else may have written them."""
    from PIL import Image

    from rdi.runtime.report.exif_facts import exif_facts

    exif = Image.Exif()
    for tag in (270, 315, 33432):
        exif[tag] = "\x1b]0;x\x07<script>alert(1)</script>\n../../x"
    exif.get_ifd(0x8769)[42036] = "\x9b31m<b>lens</b>"
    write_dng(photo().replace(exif=exif.tobytes()[6:]), tmp_path / "a.dng")
    page = tmp_path / "page.html"
    result = invoke("infer", tmp_path / "a.dng", "--model", tiny_model, "--out", tmp_path / "b.png", "--report", page)
    assert result.exit_code == 0, result.output
    written = page.read_text(encoding="utf-8")
    assert not COMMANDS.search(written)
    assert "<script>alert" not in written
    assert "<b>lens" not in written
    facts = exif_facts(photo().replace(exif=exif.tobytes()[6:]))
    assert "<script>" in str(facts["Artist"])  # it is shown, as text


def test_what_a_model_says_of_itself_is_text(make_tiny_model, tmp_path: Path) -> None:
    hostile = "\x1b[31m[bold]<script>\u202e\nrdi: all is well"
    training = {"exposure_time": "soon", "warnings": 5, "a\nb": hostile, "none": [], hostile: {"x": [hostile, 1.5]}}
    model = make_tiny_model(ModelMetadata(variant=hostile, licence=hostile, training=training))
    require_harmless(invoke("info", model).stdout)
    found = json.loads(invoke("info", model, "--json").stdout)
    assert (found["variant"], found["training"][hostile]) == (hostile, {"x": [hostile, 1.5]})
    write_dng(photo(), tmp_path / "a.dng")
    page = tmp_path / "page.html"
    result = invoke("infer", tmp_path / "a.dng", "--model", model, "--out", tmp_path / "b.png", "--report", page)
    require_harmless(result.output)
    assert "<script>\\u202e" not in page.read_text(encoding="utf-8")


def row(name: str) -> Row:
    figures = (20.0, 0.5, 20.0, 0.5, None, None)
    return Row(f"{name}.onnx", name, "gt", 100.0, 100.0, False, *figures, 1.0, f"{hash(name) % 9**9}")


def test_tables_take_hostile_names_as_text(tmp_path: Path) -> None:
    """CSV: nothing that a spreadsheet would work out or a terminal obey; and what was written is found again."""
    file = RowsFile(tmp_path / "rows.csv")
    for name in HOSTILE:
        file.append(row(name))
    text = (tmp_path / "rows.csv").read_bytes().decode()
    require_harmless(text, lines=1 + len(HOSTILE))
    assert all(cell[:1] not in "=+@" for line in csv.reader(text.splitlines()) for cell in line if cell)
    assert len(RowsFile(tmp_path / "rows.csv", resume=True).known) == len(HOSTILE)
    write_amplifications([], 5.0, tmp_path / "none.csv")


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_and_pages_take_hostile_names_as_text(name: str) -> None:
    from rdi.page.markdown import from_markdown

    shown = from_markdown(f"| Model | PSNR |\n|---|---:|\n| {in_markdown(name)} | 20.0 |\n", "Means")
    assert not COMMANDS.search(shown)
    assert "<script>" not in shown
    assert "<img" not in shown
    assert shown.count("<td") == 1


def test_every_command_prints_through_the_terminals_module_alone() -> None:
    """There names are made harmless; a `print` of its own would be where one is forgotten."""
    modules = [path for path in (ROOT / "cli").rglob("*.py") if path.name != "terminal.py"]
    calls = [
        f"{path.name}:{node.lineno}"
        for path in modules
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("print", "typer.echo", "typer.secho", "sys.stdout.write", "sys.stderr.write")
    ]
    assert len(modules) > 20
    assert calls == []
