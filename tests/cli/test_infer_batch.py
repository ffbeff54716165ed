"""`rdi infer` on folders: their structure, what a second run does, and what breaks a batch off."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from rdi.camera import Cfa, RawPhoto
from rdi.camera.dng import write_dng
from rdi.cli.main import app

FOLDERS = ("a.dng", "day/b.dng", "night/late/c.dng")


def make_photo(seed: int = 1) -> RawPhoto:
    mosaic = 512 + np.random.default_rng(seed).poisson(np.linspace(5, 200, 50 * 70).reshape(50, 70))
    return RawPhoto(mosaic.astype(np.uint16), Cfa.RGGB, np.array([512.0]), 16383.0, np.array([2.4, 1.0, 1.6]))


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A memory card: photos in folders, and what else lies on one."""
    card = tmp_path / "card"
    for seed, name in enumerate((*FOLDERS, "day/._b.dng", "day/b.jpg", ".trash/x.dng")):
        (card / name).parent.mkdir(parents=True, exist_ok=True)
        write_dng(make_photo(seed), card / name)
    return card


def infer(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["infer", *map(str, arguments)])


def pictures(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_folders_below_are_restored_into_the_same_folders(card: Path, tiny_model: Path, tmp_path: Path) -> None:
    result = infer(card, "--recursive", "--out", tmp_path / "out", "--model", tiny_model)
    assert result.exit_code == 0, result.output
    assert pictures(tmp_path / "out") == ["a_restored.jpg", "day/b_restored.jpg", "night/late/c_restored.jpg"]
    assert [f"[{number}/3]" in result.stdout for number in (1, 2, 3)] == [True] * 3
    assert result.stderr.startswith("rdi: 3 pictures: 3 restored; ")


def test_without_recursive_only_the_folder_itself_counts(card: Path, tiny_model: Path, tmp_path: Path) -> None:
    assert infer(card, "--out", tmp_path / "out", "--model", tiny_model).exit_code == 0
    assert pictures(tmp_path / "out") == ["a_restored.jpg"]


def test_no_folder_is_made_for_photos_that_fail(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.dng").write_bytes(b"nothing")
    assert infer(tmp_path, "--out", tmp_path / "out", "--model", tiny_model).exit_code == 1
    assert infer(tmp_path / "a.dng", "--out", tmp_path / "out", "--provider", "npu").exit_code == 2
    assert not (tmp_path / "out").exists()


def test_outcomes_come_in_the_order_of_the_photos(card: Path, tiny_model: Path, tmp_path: Path) -> None:
    (card / "day" / "b.dng").write_bytes(b"nothing")
    out = tmp_path / "out"
    (out / "night" / "late").mkdir(parents=True)
    (out / "night" / "late" / "c_restored.jpg").write_bytes(b"mine")
    result = infer(card, "--recursive", "--out", out, "--model", tiny_model, "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(Path(line["photo"]).name, line["status"]) for line in lines] == [
        ("a.dng", "restored"),
        ("b.dng", "failed"),
        ("c.dng", "skipped"),
    ]
    assert result.exit_code == 1
    assert "rdi: 3 pictures: 1 restored, 1 skipped, 1 failed; " in result.stderr


def test_a_second_run_does_only_what_the_first_left(card: Path, tiny_model: Path, tmp_path: Path) -> None:
    arguments = (card, "--recursive", "--out", tmp_path / "out", "--model", tiny_model)
    assert infer(*arguments).exit_code == 0
    (tmp_path / "out" / "day" / "b_restored.jpg").unlink()
    second = infer(*arguments)
    assert "1 restored, 2 skipped" in second.stderr
    assert "3 restored" in infer(*arguments, "--overwrite").stderr


@pytest.mark.parametrize("damage", [b"", b"this is no photo", None])
def test_a_bad_photo_with_an_old_picture_beside_it_is_not_reported_as_done(
    damage: bytes | None, tiny_model: Path, tmp_path: Path
) -> None:
    photo = tmp_path / "a.dng"
    write_dng(make_photo(), photo)
    (tmp_path / "a_restored.jpg").write_bytes(b"old")
    if damage is None:
        photo.write_bytes(photo.read_bytes()[:-2000])
    else:
        photo.write_bytes(damage)
    if damage == b"this is no photo":
        photo = photo.rename(tmp_path / "a.jpg")
        photo.write_bytes(b"\xff\xd8\xff" + bytes(100))
    result = infer(photo, "--model", tiny_model)
    assert result.exit_code == 1
    assert photo.name in result.stderr
    assert (tmp_path / "a_restored.jpg").read_bytes() == b"old"


def test_a_named_photo_that_must_not_be_read_is_one_failed_photo(
    card: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said twice: by what the system allows, which typer would ask first, and by opening it."""
    locked, opened = card / "day" / "b.dng", Path.open

    def refuse(path: Path, *arguments: Any, **options: Any) -> Any:
        if path == locked:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(os, "access", lambda path, *_, **__: Path(path) != locked)
    result = infer(card / "a.dng", locked, "--out", tmp_path / "out", "--model", tiny_model)
    assert result.exit_code == 1
    assert f"rdi: cannot read {locked}: Permission denied\n" in result.stderr
    assert "1 restored, 1 failed" in result.stderr


@pytest.mark.parametrize(
    "options", [("--exposure", 9000, "--ev", 10), ("--exposure", 9000, "--bracket", "0,10"), ("--max-memory", 300)]
)
def test_a_number_out_of_range_is_a_usage_error(
    options: tuple[object, ...], card: Path, tiny_model: Path, tmp_path: Path
) -> None:
    result = infer(card, "--out", tmp_path / "out", "--model", tiny_model, *options)
    assert result.exit_code == 2
    assert "give " in result.stderr
    assert not (tmp_path / "out").exists()


def many(tmp_path: Path, count: int) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    write_dng(make_photo(), folder / "000.dng")
    for number in range(1, count):
        shutil.copy(folder / "000.dng", folder / f"{number:03}.dng")
    return folder


def processes_of(owner: int) -> set[int]:
    """All that stem from a process."""
    children = {int(pid) for pid in Path(f"/proc/{owner}/task/{owner}/children").read_text().split()}
    return children.union(*map(processes_of, children)) if children else set()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks /proc for the processes of a process")
def test_ctrl_c_leaves_no_half_file_and_no_process(tiny_model: Path, tmp_path: Path) -> None:
    folder, out = many(tmp_path, 300), tmp_path / "out"
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "rdi.cli",
        "infer",
        folder,
        "--out",
        out,
        "--model",
        tiny_model,
        "--json",
    ]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert running.stdout is not None
    assert running.stderr is not None
    lines = [running.stdout.readline() for _ in range(3)]
    below = processes_of(running.pid)
    assert below
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to every process of the group
    with running:
        lines += running.stdout.readlines()  # not communicate(), which misses what readline() read too much
        complaints = running.stderr.read()
    assert running.returncode == 130
    assert "Traceback" not in complaints
    assert "not done" in complaints
    told = [json.loads(line)["output"] for line in lines]
    written = sorted(str(path) for path in out.iterdir())
    assert sorted(told) == written
    assert f"{len(told)} restored, {300 - len(told)} not done" in complaints
    for path in written:
        with Image.open(path) as image:
            image.load()
    for _ in range(100):
        if not any(Path(f"/proc/{pid}").exists() for pid in below):
            return
        time.sleep(0.05)
    raise AssertionError("a process lives on")


def on_a_terminal(*arguments: str | Path, stdout: int | None = None) -> tuple[bytes, bytes]:
    """What goes to stdout, where that is a pipe, and to a terminal of 40 columns, where stderr is one."""
    terminal, end = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "40"}
    command = [sys.executable, "-m", "rdi.cli", "infer", *arguments]
    with subprocess.Popen(command, stdout=stdout or end, stderr=end, env=environment) as running:
        os.close(end)
        shown = b"".join(iter(lambda: _read(terminal), b""))
        os.close(terminal)
        return running.stdout.read() if running.stdout else b"", shown


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other end is closed, and all of it read
        return b""


def test_on_a_terminal_a_bar_shows_and_results_stay_clean(tiny_model: Path, tmp_path: Path) -> None:
    folder = many(tmp_path, 5)
    results, shown = on_a_terminal(folder, "--model", tiny_model, stdout=subprocess.PIPE)
    assert [f"{folder / f'{n:03}.dng'}: " in results.decode() for n in range(5)] == [True] * 5
    assert b"5/5" in shown
    assert b"pictures/s" in shown
    assert b"rdi: 5 pictures: 5 restored" in shown
    assert b"\x1b" not in results


def test_results_on_a_terminal_are_not_wrapped(tiny_model: Path, tmp_path: Path) -> None:
    folder = many(tmp_path, 3)
    _, shown = on_a_terminal(folder, "--model", tiny_model)
    assert b"3/3" in shown  # the bar
    for number in range(3):
        assert f"  {folder / f'{number:03}_restored.jpg'}\r\n".encode() in shown


def test_json_on_a_terminal_is_json(tiny_model: Path, tmp_path: Path) -> None:
    _, shown = on_a_terminal(many(tmp_path, 3), "--model", tiny_model, "--json")
    *lines, summary = shown.splitlines()
    assert [json.loads(line)["status"] for line in lines] == ["restored"] * 3
    assert summary.startswith(b"rdi: 3 pictures: 3 restored; ")


def test_without_a_terminal_there_is_no_bar(tiny_model: Path, tmp_path: Path) -> None:
    command: list[str | Path] = [sys.executable, "-m", "rdi.cli", "infer", many(tmp_path, 3), "--model", tiny_model]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr
