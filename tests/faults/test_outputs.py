"""Whatever breaks a command off, each of its outputs is the old one or the new one, and what is half goes."""

import csv
import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rdi.camera import read_photo

ROOM = 1500  # bytes that a file may have on the full disk: some of each output, the whole of none
OLD = b"the old one"
# The work of an export takes half a minute; here it is done, and what follows is real.
EXPORTED = """
import dataclasses
from pathlib import Path
from rdi.export import exporter
from rdi.export.report import Check, Report
model, strips = (Path("{models}") / name for name in ("rdi.onnx", "rdi.strips.zip"))
def build(checkpoint, out, settings, observe):
    content, beside = model.read_bytes(), strips.read_bytes()
    return content, beside, Report(out, len(content), 21, "cpu", (Check("made before", 0, 1),), strips_size=len(beside))
exporter._build = build
"""
MODELS = Path(__file__).resolve().parents[2] / "models"


@dataclass(frozen=True)
class Case:
    """A command, `{given}` the folder of what it reads; all of its outputs, below `out`; and which of them breaks off.

    before: Python that its process runs first
    """

    command: str
    outputs: str
    breaks_at: int = 1
    before: str = ""


CASES = {
    "infer": Case("infer {given}/photos/a.dng --out out/a.png --model {given}/tiny.onnx --overwrite", "a.png"),
    "infer a folder": Case(
        "infer {given}/photos --out out --model {given}/tiny.onnx --overwrite --sidecar",
        "a_restored.jpg a_restored.jpg.json b_restored.jpg b_restored.jpg.json c_restored.jpg c_restored.jpg.json",
        breaks_at=4,
    ),
    "infer with a page": Case(
        "infer {given}/photos/b.dng --out out/b.jpg --model {given}/tiny.onnx --overwrite --report out/page.html "
        "--compare-with-camera",
        "b.jpg b_compared.jpg page.html",
        breaks_at=3,
    ),
    "simulate": Case("simulate {given}/pictures/a.png --out out/dark.dng --overwrite", "dark.dng"),
    "simulate a tree": Case(
        "simulate {given}/pictures --sid-tree out --overwrite",
        "Sony_train_list.txt Sony_test_list.txt Sony_val_list.txt",
        breaks_at=10,
    ),
    "eval": Case(
        "eval --photos {given}/pictures --ratio 100 --exposure gt --model {given}/tiny.onnx --csv out/rows.csv "
        "--overwrite --out out/table.md --report out/page.html",
        "rows.csv table.md page.html",
        breaks_at=3,
    ),
    "compare": Case(
        "compare {given}/photos/c.dng --runs 1 --no-memory --report out/page.html --difference out",
        "page.html c.dng_difference.png",
        breaks_at=2,
    ),
    "export": Case(
        f"export --checkpoint {MODELS}/rdi.safetensors --out out/m.onnx --report out/checks.json",
        "m.onnx m.strips.zip checks.json",
        breaks_at=2,
        before=EXPORTED.replace("{models}", str(MODELS)),
    ),
    "demo": Case("demo --out out --overwrite", "rdi_demo.png rdi_demo_restored.png", breaks_at=2),
}


def is_whole(path: Path) -> bool:
    """Whether a new output can be read to its end."""
    if path.suffix in (".png", ".jpg"):
        with Image.open(path) as image:
            image.load()
            return True
    if path.suffix == ".dng":
        return bool(read_photo(path).mosaic.any())
    if path.suffix == ".json":
        json.loads(path.read_text())
    elif path.suffix == ".html":
        return path.read_text().endswith("</html>\n")
    elif path.suffix == ".csv":
        return len({len(row) for row in csv.reader(path.read_text().splitlines(keepends=True))}) == 1
    elif path.suffix in (".onnx", ".zip"):
        return path.read_bytes() == (MODELS / path.name.replace("m.", "rdi.", 1)).read_bytes()
    return path.read_bytes().endswith(b"\n")


def new_ones(folder: Path, case: Case) -> list[str]:
    """The outputs that are new; all others must be the old ones."""
    files = [folder / name for name in case.outputs.split()]
    new = [file for file in files if file.read_bytes() != OLD]
    assert [file.name for file in new if not is_whole(file)] == []
    return [file.name for file in new]


def with_old_outputs(folder: Path, case: Case) -> Path:
    (folder / "out").mkdir()
    for name in case.outputs.split():
        (folder / "out" / name).write_bytes(OLD)
    return folder / "out"


QUICK = ("infer a folder", "simulate")  # with every fault; the others with kill -9 alone, unless with -m full
KILLED = (*QUICK, "infer with a page", "simulate a tree", "export")


def cases(always: tuple[str, ...]) -> pytest.MarkDecorator:
    """All cases; those that are not always tried are marked."""
    params = [
        pytest.param(case, id=name, marks=() if name in always else pytest.mark.full) for name, case in CASES.items()
    ]
    return pytest.mark.parametrize("case", params)


@cases(QUICK)
def test_a_disk_that_is_full_leaves_old_outputs_and_nothing_half(
    case: Case, commands: Any, given: Path, hidden: Any, tmp_path: Path
) -> None:
    out = with_old_outputs(tmp_path, case)
    command = case.command.format(given=given).split()
    ended = commands.run(*command, folder=tmp_path, before=case.before + commands.full(ROOM))
    assert ended.code == 1, ended.output
    assert "File too large" in ended.output
    assert "Traceback" not in ended.output
    assert len(new_ones(out, case)) < len(case.outputs.split())
    assert hidden(out) == []


@cases(QUICK)
def test_a_folder_that_cannot_be_written_is_named_and_stays_as_it_is(
    case: Case, commands: Any, given: Path, hidden: Any, tmp_path: Path
) -> None:
    out = with_old_outputs(tmp_path, case)
    out.chmod(0o555)
    ended = commands.run(
        *case.command.format(given=given).split(), folder=tmp_path, before=case.before + commands.powerless
    )
    out.chmod(0o755)
    assert ended.code == 1, ended.output
    assert "out" in ended.output
    assert "Permission denied" in ended.output
    assert "Traceback" not in ended.output
    assert new_ones(out, case) == []
    assert hidden(out) == []


@cases(QUICK)
def test_ctrl_c_leaves_nothing_half(case: Case, commands: Any, given: Path, hidden: Any, tmp_path: Path) -> None:
    out = with_old_outputs(tmp_path, case)
    before = case.before + commands.stopped_at_file(case.breaks_at)
    running = commands.start(*case.command.format(given=given).split(), folder=tmp_path, before=before)
    assert running.stopped(), running.wait().output
    running.kill(signal.SIGINT)
    running.kill(signal.SIGCONT)
    ended = running.wait()
    assert ended.code == 130, ended.output
    assert "Traceback" not in ended.output
    new_ones(out, case)
    assert hidden(out) == []


@cases(KILLED)
def test_kill_9_leaves_whole_outputs_and_the_next_run_clears_up(
    case: Case, commands: Any, given: Path, hidden: Any, tmp_path: Path
) -> None:
    out = with_old_outputs(tmp_path, case)
    command = case.command.format(given=given).split()
    running = commands.start(*command, folder=tmp_path, before=case.before + commands.stopped_at_file(case.breaks_at))
    assert running.stopped(), running.wait().output
    running.kill()
    assert running.wait().code == -signal.SIGKILL
    assert len(new_ones(out, case)) < len(case.outputs.split())
    assert hidden(out) != []
    ended = commands.run(*command, folder=tmp_path, before=case.before)
    assert ended.code == 0, ended.output
    assert sorted(new_ones(out, case)) == sorted(case.outputs.split())
    assert hidden(out) == []
