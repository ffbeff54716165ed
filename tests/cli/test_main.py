"""What all commands have in common: help, usage errors, names of any kind, and how they end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rdi.camera import Cfa, RawPhoto
from rdi.camera.dng import write_dng
from rdi.cli.main import app
from rdi.cli.terminal import printable

COMMANDS = ["infer", "demo", "info", "doctor", "simulate", "train", "export", "verify", "compare", "eval"]


def write_photo(path: Path, model: str = "Night 1") -> Path:
    mosaic = np.random.default_rng(2).integers(512, 700, (40, 56)).astype(np.uint16)
    write_dng(RawPhoto(mosaic, Cfa.RGGB, np.array([512.0]), 16383.0, make="Acme", model=model), path)
    return path


def run(*arguments: str | bytes, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "rdi.cli", *arguments]
    return subprocess.run(command, capture_output=True, check=False, env=os.environ | environment)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_example_stands_on_a_line_of_its_own(command: str) -> None:
    lines = CliRunner().invoke(app, [command, "-h"]).stdout.splitlines()
    assert [line for line in lines if line.startswith(f"  Example: rdi {command}")]
    assert not any("─" in line for line in lines)


def test_the_list_of_commands_says_whole_sentences() -> None:
    lines = CliRunner().invoke(app, ["--help"]).stdout.splitlines()
    listed = {line.split()[0]: line for line in lines if line.split() and line.split()[0] in COMMANDS}
    assert list(listed) == COMMANDS
    assert all(line.endswith(".") and not line.endswith("...") for line in listed.values())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--ratio", "abc"], "Invalid value for '--ratio'"),
        (["--threads", "0"], "Invalid value for '--threads'"),
        (["--nope"], "No such option: --nope"),
    ],
)
def test_a_wrong_option_is_answered_in_one_plain_line(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["infer", "photo.ARW", *arguments])
    assert result.exit_code == 2
    assert result.stdout == ""
    error = result.stderr.splitlines()[-1]
    assert error.startswith(f"Error: {said}")
    assert len(result.stderr.splitlines()) <= 4  # before it: usage, where help is, an empty line


def test_names_and_texts_cannot_command_the_terminal() -> None:
    assert printable("a\x1b[31m\rb\x9b\u202ec\nü 光") == "a\\x1b[31m\\rb\\x9b\\u202ec\nü 光"


def test_a_hostile_name_is_printed_harmlessly(tmp_path: Path) -> None:
    name = str(tmp_path / "\x1b[2Jnight.dng")
    missing = CliRunner().invoke(app, ["info", name])
    assert "\\x1b[2Jnight.dng does not exist" in missing.stderr
    assert "\x1b" not in missing.output
    write_photo(Path(name))
    assert "\\x1b[2Jnight.dng: raw photo" in CliRunner().invoke(app, ["info", name]).stdout


@pytest.mark.parametrize("name", ["nächtliches.dng", b"lat\xff.dng"])
def test_any_name_is_restored_and_printed_in_any_encoding(name: str | bytes, tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(name)
    try:
        write_photo(path)
    except OSError:
        pytest.skip("this file system takes no such name")
    for encoding in ("ascii:strict", "utf-8:strict"):
        done = run("infer", os.fsencode(path), "--model", str(tiny_model), "--overwrite", PYTHONIOENCODING=encoding)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"_restored.jpg" in done.stdout
    assert path.with_name(f"{path.stem}_restored.jpg").is_file()


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_a_signal_while_a_picture_is_written_leaves_it_whole_or_not_at_all(
    name: str, code: int, tiny_model: Path, tmp_path: Path
) -> None:
    """The picture at hand is finished, even if the signal comes twice; nothing else is begun."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(4):
        write_photo(folder / f"{number}.dng")
    program = (
        "import os, signal, sys, time\n"
        "from rdi.cli.main import app\n"
        "from rdi.runtime.pictures import writer\n"
        "def write(strips, shape, path, *_):\n"
        "    path.write_bytes(b'half')\n"
        f"    os.kill(os.getpid(), signal.{name})\n"
        "    time.sleep(0.5)\n"
        f"    os.kill(os.getpid(), signal.{name})\n"
        "    time.sleep(0.5)\n"
        "    path.write_bytes(b'whole')\n"
        "writer.write_jpeg = write\n"
        f"sys.argv = ['rdi', 'infer', {str(folder)!r}, '--model', {str(tiny_model)!r}]\n"
        "app()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("rdi: 4 pictures: 1 restored, 3 not done; ")
    assert done.stdout.startswith(f"[1/4] {folder / '0.dng'}: ")
    written = [path for path in folder.iterdir() if path.suffix != ".dng"]
    assert [path.name for path in written] == ["0_restored.jpg"]
    assert written[0].read_bytes() == b"whole"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_command_gives_a_signal_back_to_whoever_had_it(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    assert CliRunner().invoke(app, ["info", "none.ARW"]).exit_code == 1
    assert signal.getsignal(number) is before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("command", ["infer", "info"])
@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_a_full_disk_behind_stdout_is_one_line(
    command: str, as_json: list[str], tiny_model: Path, tmp_path: Path
) -> None:
    photo = str(write_photo(tmp_path / "a.dng"))
    options = ["--model", str(tiny_model)] if command == "infer" else []
    with Path("/dev/full").open("w") as full:
        arguments = [sys.executable, "-m", "rdi.cli", command, photo, *options, *as_json]
        done = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "rdi: No space left on device\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "/usr/bin/python"), "rdi: /usr/bin/python: Permission denied\n"),
        (OSError(12, "Cannot allocate memory"), "rdi: Cannot allocate memory\n"),
        (TimeoutError("took too long"), "rdi: took too long\n"),
    ],
)
def test_what_the_system_refuses_is_one_line(error: OSError, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("rdi.cli.info._describe", refuse)
    result = CliRunner().invoke(app, ["info", "photo.ARW"])
    assert (result.exit_code, result.stderr) == (1, said)
