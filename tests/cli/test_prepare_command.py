"""`rdi prepare` as a user calls it: broken off at any moment, run again, on data that is not whole."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rdi.checkpoint import load_checkpoint
from rdi.cli.main import app

FAST = ["--steps", "2", "--batch", "1", "--crop", "192", "--workers", "0", "--validate-every", "2"]


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def start(sid: Path, cache: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "rdi.cli", "prepare", "--sid", str(sid), "--cache", str(cache), "--workers", "1"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def arrays(cache: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(cache.glob("*/*.npy"))}


@pytest.fixture
def long_sid(sid_copy: Path) -> Path:
    """The miniature with sixty short exposures of one scene, so that there is time to break a preparation off."""
    source = sid_copy / "Sony/short/00001_00_0.1s.ARW"
    names = [f"{scene:05d}_00_0.1s.ARW" for scene in range(1000, 1060)]
    for name in names:
        shutil.copy(source, source.with_name(name))
    lines = [f"./Sony/short/{name} ./Sony/long/00001_00_10s.ARW ISO800 F8\n" for name in names]
    (sid_copy / "Sony_train_list.txt").write_text("".join(lines))
    return sid_copy


def test_it_says_what_it_did_and_then_that_all_is_there(sid_tree: Path, tmp_path: Path) -> None:
    first = run("prepare", "--sid", sid_tree, "--cache", tmp_path / "cache", "--workers", 2)
    assert first.exit_code == 0, first.output
    assert first.stdout.startswith(f"{tmp_path / 'cache'}: 4 pairs of train, 2 pairs of val; 9 files decoded")
    second = run("prepare", "--sid", sid_tree, "--cache", tmp_path / "cache")
    assert "all was there" in second.stdout
    checked = run("prepare", "--cache", tmp_path / "cache", "--check")
    assert "whole; 6 mosaics, 3 targets" in checked.stdout


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_broken_off_it_goes_on_where_it_was(long_sid: Path, tmp_path: Path, how: signal.Signals) -> None:
    cache = tmp_path / "cache"
    process = start(long_sid, cache)
    while not list(cache.glob("mosaics/[!.]*.json")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(how)
    said = process.communicate()
    assert process.returncode == (-how if how is signal.SIGKILL else 130), said
    assert "Traceback" not in said[1]
    before = {path.name: path.stat().st_ino for path in cache.glob("mosaics/[!.]*.json")}
    assert 1 <= len(before) < 62
    unfinished = run("train", "--cache", cache, *FAST)
    assert (unfinished.exit_code, "is not finished" in unfinished.stderr) == (1, True)
    again = run("prepare", "--sid", long_sid, "--cache", cache, "--workers", 2)
    assert again.exit_code == 0, again.output
    kept = int(again.stdout.partition(" were there")[0].rpartition(" ")[2])
    assert kept >= len(before)
    assert all((cache / "mosaics" / name).stat().st_ino == number for name, number in before.items())
    whole = tmp_path / "whole"
    assert run("prepare", "--sid", long_sid, "--cache", whole, "--workers", 2).exit_code == 0
    assert arrays(cache) == arrays(whole)
    assert [path.name for path in cache.rglob(".*")] == [".lock"]


def test_two_at_once_are_kept_apart(long_sid: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    process = start(long_sid, cache)
    try:
        while not list(cache.glob("mosaics/[!.]*.json")):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGSTOP)
        other = run("prepare", "--sid", long_sid, "--cache", cache)
        assert (other.exit_code, other.stdout) == (1, "")
        assert "another `rdi prepare` is writing" in other.stderr
    finally:
        process.kill()
        process.communicate()
    assert run("prepare", "--sid", long_sid, "--cache", cache).exit_code == 0


def test_missing_files_are_named_or_left_out(sid_copy: Path, tmp_path: Path) -> None:
    (sid_copy / "Sony/short/00001_00_0.1s.ARW").unlink()
    refused = run("prepare", "--sid", sid_copy, "--cache", tmp_path / "cache")
    assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert all(word in refused.stderr for word in ("train_list.txt, line 1", "00001_00_0.1s.ARW", "--skip-missing"))
    assert not (tmp_path / "cache").exists()
    done = run("prepare", "--sid", sid_copy, "--cache", tmp_path / "cache", "--skip-missing")
    assert done.exit_code == 0
    assert "3 pairs of train" in done.stdout
    assert "1 pair(s) left out, for example: " in done.stdout


@pytest.mark.parametrize("camera", ["sony", "fuji"])
def test_a_cache_trains_a_model_for_its_pattern(sid_tree: Path, tmp_path: Path, camera: str) -> None:
    cache, out = tmp_path / "cache", tmp_path / "run"
    data = ("--sid", sid_tree, "--camera", camera, "--cache", cache)
    assert run("prepare", *data).exit_code == 0
    tables = ("--train-amplification-file", tmp_path / "a.csv", "--validation-amplification-file", tmp_path / "b.csv")
    result = run("train", *data, "--out", out, *tables, *FAST)
    assert result.exit_code == 0, result.output
    metadata = load_checkpoint(out / "checkpoint.safetensors").metadata
    assert metadata.cfa == ("XTRANS" if camera == "fuji" else "RGGB")
    assert metadata.training["pairs"] == 4
    assert metadata.training["data"].endswith(f"{camera.title()} part")
    assert [len(file.read_text().split()) for file in (tmp_path / "a.csv", tmp_path / "b.csv")] == [5, 3]


@pytest.mark.parametrize(
    ("options", "reason", "code"),
    [
        (("--sid", "."), "--cache is missing", 2),
        (("--cache", "c"), "nothing to prepare", 2),
        (("--cache", "c", "--check"), "is no cache", 1),
        (("--cache", "c", "--sid", "a", "--pairs", "b"), "exclude each other", 2),
        (("--cache", "c", "--sid", ".", "--camera", "nikon"), "give sony or fuji", 2),
        (("--cache", "c", "--sid", ".", "--splits", "train,all"), "--splits train,all is unknown", 2),
        (("--cache", "c", "--sid", "nowhere"), "nowhere is not a folder; give the one that holds SID's Sony/", 1),
        (("--cache", "c", "--sid", "SID/Sony/short"), "SID/Sony/short holds no Sony/; give the folder", 1),
        (("--cache", "c", "--pairs", "nowhere"), "nowhere is not a folder", 1),
        (("--cache", "file/c", "--sid", "SID"), "cannot be made", 1),
    ],
)
def test_mistakes_get_one_line(
    sid_tree: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    reason: str,
    code: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "SID").symlink_to(sid_tree)
    result = run("prepare", *options)
    assert (result.exit_code, result.stdout) == (code, "")
    assert reason in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "c").exists()
