"""Hostile raws: each ends in a picture of what the file holds or in one line that names it, and leaves nothing."""

import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rdi.camera import Cfa
from tests.fuzz.campaign import all_mutants, run_campaign
from tests.fuzz.models import write_grey_model
from tests.fuzz.mutants import mutant, write_mutant
from tests.fuzz.seeds import REAL, seed_names
from tests.fuzz.trial import Trial, try_infer, try_info
from tests.fuzz.truth import Agreement

ROOT = Path(__file__).resolve().parents[2]
SMALL = 250_000_000  # bytes that a process may hold at most for files of a few kilobytes; 93 to 140 million are usual
LARGE = 1_600_000_000  # for the real file of 18 megapixels


def test_a_mutant_is_a_function_of_its_seed_and_its_number() -> None:
    assert all(mutant(name, 3) == mutant(name, 3) != mutant(name, 0) for name in seed_names())
    assert len({mutant(name, number) for name in seed_names() for number in range(26)}) > 200


def test_the_command_that_the_docs_name_makes_a_mutant_again(tmp_path: Path) -> None:
    out = tmp_path / "mutant.dng"
    command = [sys.executable, "-m", "tests.fuzz.mutants", "rggb-ljpeg", "137", "--out", str(out)]
    subprocess.run(command, cwd=ROOT, check=True)
    assert out.read_bytes() == mutant("rggb-ljpeg", 137)


def test_200_hostile_files_each_end_in_a_picture_or_in_one_line() -> None:
    """And the eight sound ones they are made of become pictures."""
    log = run_campaign(all_mutants(26, real=0, first=0))
    said = "\n".join(log.lines())
    assert log.mutants == 208
    assert log.faults == [], said
    assert {f"{name}-0" for name in seed_names()} <= log.pictures, said
    assert 60 < len(log.pictures) < 150, said
    assert log.agreement[Agreement.SAME] > 0.9 * len(log.pictures), said
    assert max(log.peaks.values()) < SMALL, said


def test_the_model_that_ships_takes_hostile_files_as_well() -> None:
    log = run_campaign([(name, number) for name in ("grbg", "tiles") for number in range(5)], bayer="rdi")
    assert log.faults == []
    assert {"grbg-0", "tiles-0"} <= log.pictures


@pytest.mark.real_data
def test_mutants_of_a_real_photo_end_so_too(real_arw: Path) -> None:
    log = run_campaign([(REAL, number) for number in range(4)])
    assert log.faults == []
    assert f"{REAL}-0" in log.pictures
    assert max(log.peaks.values()) < LARGE


@pytest.mark.full
def test_2000_hostile_files_each_end_in_a_picture_or_in_one_line() -> None:
    log = run_campaign(all_mutants(240, real=80))
    said = "\n".join(log.lines())
    print(said)
    assert log.mutants >= 1920
    assert log.faults == [], said


@pytest.mark.parametrize("command", ["info", "infer"])
def test_a_single_hostile_file_is_one_line_and_exit_code_1(command: str, tmp_path: Path) -> None:
    model = write_grey_model(tmp_path / "grey.onnx", Cfa.RGGB)
    photo = tmp_path / "hostile.dng"
    photo.write_bytes(mutant("rggb-ljpeg", 0)[:-100])
    options = ["--model", str(model)] if command == "infer" else []
    run = [sys.executable, "-m", "rdi.cli", command, str(photo), *options]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"rdi: {photo} is cut off: ")
    assert done.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grey.onnx", "hostile.dng"]


def with_fields(name: str, fields: dict[int, int]) -> bytes:
    """A seed whose fields have these numbers (LONG or SHORT, the first value)."""
    from tests.fuzz.fields import map_of

    data = bytearray(mutant(name, 0))
    found = map_of(bytes(data))
    for entry in found.entries:
        if entry.tag in fields:
            code = f"{found.order}{'H' if entry.size == 2 else 'I'}"
            struct.pack_into(code, data, entry.values, fields[entry.tag])
    return bytes(data)


def giant_header() -> bytes:
    return with_fields("rggb", {256: 60_000, 257: 60_000, 278: 60_000})


def giant_jpeg(side: int) -> bytes:
    """Directory and JPEG agree on a frame that their few bytes cannot hold."""
    data = bytearray(with_fields("rggb-ljpeg", {256: side, 257: side, 278: side}))
    frame = data.index(b"\xff\xc3")
    data[frame + 5 : frame + 9] = side.to_bytes(2, "big") * 2
    return bytes(data)


def giant_area() -> bytes:
    return with_fields("tiles", {50829: 0}).replace(
        (62).to_bytes(4, "big") + (94).to_bytes(4, "big"), b"\0\0\xff\xff" * 2
    )


BOMBS: dict[str, Callable[[], bytes]] = {
    "header-of-60000x60000": giant_header,
    "jpeg-of-60000x60000": lambda: giant_jpeg(60_000),
    "jpeg-of-19000x19000": lambda: giant_jpeg(19_000),
    "jpeg-of-300x300": lambda: giant_jpeg(300),
    "active-area-of-65535x65535": giant_area,
}


@pytest.mark.parametrize("attempt", ["info", "infer"])
def test_what_claims_more_than_it_holds_is_refused_before_memory_is_taken(attempt: str, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    files = [photos / f"{name}.dng" for name in BOMBS]
    for file, make in zip(files, BOMBS.values(), strict=True):
        file.write_bytes(make())
    trial = run_trial(attempt, files, tmp_path)
    assert trial.faults == []
    assert trial.good == []
    assert trial.peak < SMALL
    said = [str(trial.told[file]["error"]) for file in files]
    assert [" pixels, too big: " in text for text in said[:2]] == [True, True]
    assert [" bytes cannot hold the " in said[2], " pixels are missing" in said[3]] == [True, True]


def run_trial(attempt: str, files: list[Path], work: Path) -> Trial:
    if attempt == "info":
        return try_info(files, work)
    return try_infer(files, write_grey_model(work / "grey.onnx", Cfa.RGGB), work)


def test_a_run_that_breaks_off_is_noticed_and_the_rest_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The harness itself: a command that dies on one file, and leaves something."""
    photos, modules = tmp_path / "photos", tmp_path / "modules"
    photos.mkdir()
    modules.mkdir()
    files = [write_mutant("rggb", 0, photos).rename(photos / f"{name}.dng") for name in ("a", "deadly", "c")]
    (modules / "sitecustomize.py").write_text(
        "import os, pathlib, signal, tempfile\nstat = pathlib.Path.is_dir\n"
        "def is_dir(path):\n"
        "    if path.name == 'deadly.dng':\n"
        "        (pathlib.Path(tempfile.gettempdir()) / 'litter').touch()\n"
        "        os.kill(os.getpid(), signal.SIGSEGV)\n"
        "    return stat(path)\n"
        "pathlib.Path.is_dir = is_dir\n"
    )
    path = os.pathsep.join([str(modules), *filter(None, [os.environ.get("PYTHONPATH")])])
    monkeypatch.setenv("PYTHONPATH", path)
    trial = try_info(files, tmp_path)
    assert [path.stem for path in trial.good] == ["a", "c"]
    assert any(fault.file == "deadly.dng" and "SIGSEGV" in fault.what for fault in trial.faults)
    assert any("litter is left" in fault.what for fault in trial.faults)
