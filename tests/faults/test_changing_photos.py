"""Photos that go or change while a batch reads them: each is one failure, with its reason, and never a picture."""

import json
from pathlib import Path
from typing import Any

# Between the look at the container and LibRaw's own, in the process that decodes.
MEDDLING = """
import os
from rdi.camera import reading
checked = reading.check_container

def check_container(path):
    found = checked(path)
    if path.stem == "removed":
        path.unlink()
    if path.stem == "cut-off":
        os.truncate(path, path.stat().st_size // 2)
    if path.stem == "changed":
        with path.open("rb+") as file:
            file.seek(3000)
            file.write(bytes(100))
    if path.stem == "replaced":
        path.rename(path.with_suffix(".before"))
        path.write_bytes(path.with_suffix(".before").read_bytes())
    return found

def read_photo(path):
    reading.check_container = check_container
    return reading.read_photo(path)
"""
BEFORE = """
import sys
sys.path.insert(0, {modules!r})
import meddling
from rdi.runtime import decoding
decoding.read_photo = meddling.read_photo
"""


def test_a_photo_that_changes_while_it_is_read_fails_alone(
    commands: Any, given: Path, hidden: Any, tmp_path: Path
) -> None:
    bad = ("changed", "cut-off", "removed", "replaced")
    for folder in ("modules", "photos"):
        (tmp_path / folder).mkdir()
    (tmp_path / "modules" / "meddling.py").write_text(MEDDLING)
    for name in ("a", *bad, "z"):
        (tmp_path / "photos" / f"{name}.dng").write_bytes((given / "photos" / "a.dng").read_bytes())
    arguments = (
        "infer",
        "photos",
        "--out",
        "out",
        "--model",
        given / "tiny.onnx",
        "--json",
        "--sidecar",
        "--report",
        "page.html",
    )
    ended = commands.run(*arguments, folder=tmp_path, before=BEFORE.format(modules=str(tmp_path / "modules")))
    assert ended.code == 1, ended.output
    lines = [json.loads(line) for line in ended.output.splitlines() if line.startswith("{")]
    assert [(Path(line["photo"]).stem, line["status"]) for line in lines] == [
        ("a", "restored"),
        *((name, "failed") for name in bad),
        ("z", "restored"),
    ]
    assert all("was changed or removed while it was read" in line["error"] for line in lines[1:-1])
    wanted = sorted(f"{name}_restored{suffix}" for name in "az" for suffix in (".jpg", ".jpg.json"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == wanted
    assert hidden(tmp_path) == []
