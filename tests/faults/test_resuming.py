"""Work that can go on does, after a full disk, Ctrl-C or kill -9, and ends as if nothing had happened."""

import os
import random
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open

INFER = "infer {photos} --out out --model {given}/tiny.onnx"
PREPARE = "prepare --sid {given}/sid --cache cache --workers 1"
TRAIN = (
    "train --photos {given}/pictures --out run --steps 2 --batch 1 --crop 192 --warm-up 1 --checkpoint-every 1 "
    "--validate-every 2 --workers 0 --no-tensorboard --threads 1"
)
EVAL = "eval --photos {given}/pictures --ratio 100,200,300 --exposure gt --model {given}/tiny.onnx --csv rows.csv"


def command(text: str, **places: object) -> list[str]:
    return text.format(**places).split()


def weights(run: Path) -> dict[str, Any]:
    with safe_open(run / "checkpoint.safetensors", framework="np") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)


def arrays(cache: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in cache.glob("*/*.npy")}


@pytest.fixture(scope="module")
def whole_run(commands: Any, given: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole-run")
    ended = commands.run(*command(TRAIN, given=given), folder=folder)
    assert ended.code == 0, ended.output
    return folder / "run"


@pytest.fixture(scope="module")
def whole_cache(commands: Any, given: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole-cache")
    ended = commands.run(*command(PREPARE, given=given), folder=folder)
    assert ended.code == 0, ended.output
    return folder / "cache"


def full_disk(commands: Any, given: Path, folder: Path) -> None:
    """The first picture of the validation is the last file that fits."""
    ended = commands.run(*command(TRAIN, given=given), folder=folder, before=commands.full_at_file(4))
    assert ended.code == 1, ended.output
    assert "rdi: cannot write run/" in ended.output
    assert "Traceback" not in ended.output


def full_disk_for_tables(commands: Any, given: Path, folder: Path) -> None:
    """The state of step 1 and its weights fit, the next row of losses does not."""
    ended = commands.run(*command(TRAIN, given=given), folder=folder, before=commands.full_at_file(3))
    assert ended.code == 1, ended.output
    assert "rdi: cannot write run/losses.csv: File too large; make room and go on with --resume" in ended.output
    assert "Traceback" not in ended.output


def ctrl_c(commands: Any, given: Path, folder: Path) -> None:
    """Before the first state stands; later, a step is finished first: `tests/rdi/training/test_resume.py`."""
    running = commands.start(*command(TRAIN, given=given), folder=folder, before=commands.stopped_at_file(1))
    assert running.stopped()
    running.kill(signal.SIGINT)
    running.kill(signal.SIGCONT)
    ended = running.wait()
    assert ended.code == 130, ended.output
    assert not any((folder / "run" / "state").iterdir())


def kill_9_before_the_last_weights(commands: Any, given: Path, folder: Path) -> None:
    """All steps are done and their state stands; the weights file beside it is still the one of the step before."""
    running = commands.start(*command(TRAIN, given=given), folder=folder, before=commands.stopped_at_file(7))
    assert running.stopped()
    running.kill()
    running.wait()
    assert sorted(path.name for path in (folder / "run" / "state").glob("0*"))[-1] == "00000002.safetensors"


FAULTS = [
    *(pytest.param(fault, marks=pytest.mark.full) for fault in (full_disk, full_disk_for_tables, ctrl_c)),
    kill_9_before_the_last_weights,
]


@pytest.mark.parametrize("fault", FAULTS)
def test_training_goes_on_and_ends_with_the_same_weights(
    fault: Callable[..., None], commands: Any, given: Path, whole_run: Path, hidden: Any, tmp_path: Path
) -> None:
    """kill -9 at other moments: `tests/rdi/training/test_kill.py`."""
    fault(commands, given, tmp_path)
    assert (hidden(tmp_path / "run") == []) == (fault is not kill_9_before_the_last_weights)
    again = command(TRAIN, given=given) if fault is ctrl_c else ("train", "--resume", "run")
    ended = commands.run(*again, folder=tmp_path)
    assert ended.code == 0, ended.output
    whole, found = weights(whole_run), weights(tmp_path / "run")
    assert [name for name in whole if not np.array_equal(whole[name], found[name])] == []
    assert (whole_run / "losses.csv").read_text() == (tmp_path / "run" / "losses.csv").read_text()
    assert hidden(tmp_path / "run") == []


@pytest.mark.full
def test_training_whose_photo_goes_says_which_and_goes_on_when_it_is_back(
    commands: Any, given: Path, whole_run: Path, tmp_path: Path
) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for file in (given / "pictures").iterdir():
        (pictures / file.name).write_bytes(file.read_bytes())
    arguments = command(TRAIN.replace("{given}/pictures", str(pictures)), given=given)
    running = commands.start(*arguments, folder=tmp_path, before=commands.stopped_at_file(1))
    assert running.stopped()
    for name in ("a.png", "b.png"):
        (pictures / name).rename(pictures / f"{name}.gone")
    running.kill(signal.SIGCONT)
    ended = running.wait()
    assert ended.code == 1, ended.output
    assert ".png is missing" in ended.output
    assert "Traceback" not in ended.output
    for name in ("a.png", "b.png"):
        (pictures / f"{name}.gone").rename(pictures / name)
    assert commands.run("train", "--resume", "run", folder=tmp_path).code == 0
    whole, found = weights(whole_run), weights(tmp_path / "run")
    assert [name for name in whole if not np.array_equal(whole[name], found[name])] == []


def has_entry(cache: Path) -> bool:
    return any(cache.glob("mosaics/*.json"))


@pytest.mark.parametrize(
    "fault", ["full disk", "SIGINT", "SIGKILL", pytest.param("file cut off", marks=pytest.mark.full)]
)
def test_a_preparation_goes_on_and_ends_with_the_same_cache(
    fault: str, commands: Any, given: Path, whole_cache: Path, hidden: Any, tmp_path: Path
) -> None:
    arguments = command(PREPARE, given=given)
    if fault == "full disk":
        ended = commands.run(*arguments, folder=tmp_path, before=commands.full(1500))
        assert ended.code == 1, ended.output
        assert "File too large" in ended.output
    elif fault == "file cut off":
        ended = cut_off_after_the_first_look(commands, given, tmp_path)
        assert ended.code == 1, ended.output
        assert "1 of 6 files cannot be used" in ended.output
    else:
        running = commands.start(*arguments, folder=tmp_path)
        assert running.reached(lambda: has_entry(tmp_path / "cache"))
        running.kill(signal.Signals[fault])
        ended = running.wait()
        assert ended.code == {"SIGINT": 130, "SIGKILL": -signal.SIGKILL}[fault], ended.output
    assert "Traceback" not in ended.output
    if fault != "SIGKILL":
        assert hidden(tmp_path) == []
    again = commands.run(*arguments, folder=tmp_path)
    assert again.code == 0, again.output
    assert arrays(tmp_path / "cache") == arrays(whole_cache)
    assert hidden(tmp_path) == []


def cut_off_after_the_first_look(commands: Any, given: Path, folder: Path) -> Any:
    """A file that was whole when the headers were looked at, and is not when it is decoded."""
    running = commands.start(*command(PREPARE, given=given), folder=folder, before=commands.stopped_at_file(1))
    assert running.stopped()
    photo = given / "sid" / "Sony" / "short" / "00001_00_0.1s.ARW"
    content, times = photo.read_bytes(), photo.stat()
    photo.write_bytes(content[:-1000])
    try:
        running.kill(signal.SIGCONT)
        return running.wait()
    finally:
        photo.write_bytes(content)
        os.utime(photo, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_measurement_goes_on_after_its_last_row(commands: Any, given: Path, tmp_path: Path) -> None:
    arguments, rows = command(EVAL, given=given), tmp_path / "rows.csv"
    ended = commands.run(*arguments, folder=tmp_path, before=commands.full(180))  # the header, and a part of a row
    assert ended.code == 1, ended.output
    assert "cannot write rows.csv: File too large" in ended.output
    assert rows.read_text().count("\n") == 1
    assert rows.read_text().endswith("key\n")
    running = commands.start(*arguments, "--resume", folder=tmp_path)
    assert running.reached(lambda: rows.read_text().count("\n") >= 2)
    running.kill()
    running.wait()
    before = rows.read_text()
    done = before.count("\n") - 1
    ended = commands.run(*arguments, "--resume", folder=tmp_path)
    assert ended.code == 0, ended.output
    assert f"{done} of 3 pictures are measured already" in ended.output or done == 3
    assert rows.read_text().startswith(before[: before.rfind("\n") + 1])
    assert rows.read_text().count("\n") == 4


def restored(out: Path) -> dict[str, tuple[bytes, int]]:
    """Every picture there is, each of which can be read to its end, with its bytes and when they were written."""
    found = {}
    for path in sorted(out.glob("[!.]*")):
        with Image.open(path) as image:
            image.load()
        found[path.name] = path.read_bytes(), path.stat().st_mtime_ns
    return found


def has_more(out: Path, count: int) -> bool:
    return len(list(out.glob("[!.]*"))) > count


def kill_a_batch_at_random(
    commands: Any, given: Path, hidden: Any, folder: Path, *, photos: int, kills: int, seed: int
) -> dict[str, int]:
    """Kill a batch again and again, each time at another moment, until it is done; what was done stays as it was."""
    generator, out = random.Random(seed), folder / "out"
    (folder / "photos").mkdir()
    for number in range(photos):
        (folder / "photos" / f"{number:03}.dng").symlink_to(given / "photos" / f"{'abc'[number % 3]}.dng")
    arguments = command(INFER, given=given, photos=folder / "photos")
    done: dict[str, tuple[bytes, int]] = {}
    counts = {"kills": 0, "half written": 0, "before the first picture": 0}
    while counts["kills"] < kills and len(done) < photos:
        running = commands.start(*arguments, folder=folder)
        if generator.random() < 0.8:  # else while it starts
            running.reached(partial(has_more, out, len(done)))
        time.sleep(generator.uniform(0, 0.15))
        running.kill()
        if running.wait().code != -signal.SIGKILL:
            break
        found = restored(out)
        assert {name: found.get(name) for name in done} == done
        counts["kills"] += 1
        counts["half written"] += bool(hidden(out)) if out.exists() else 0
        counts["before the first picture"] += found == done
        done = found
    ended = commands.run(*arguments, folder=folder)
    assert ended.code == 0, ended.output
    found = restored(out)
    assert {name: found[name] for name in done} == done
    assert len(found) == photos
    assert hidden(out) == []
    for name, (content, _) in found.items():
        assert content == found[f"{int(name.partition('_')[0]) % 3:03}_restored.jpg"][0]
    return counts


def test_a_batch_that_is_killed_at_random_moments_keeps_what_is_done(
    commands: Any, given: Path, hidden: Any, tmp_path: Path
) -> None:
    counts = kill_a_batch_at_random(commands, given, hidden, tmp_path, photos=40, kills=4, seed=1)
    assert counts["kills"] == 4


@pytest.mark.full
def test_a_batch_that_is_killed_a_hundred_times_keeps_what_is_done(
    commands: Any, given: Path, hidden: Any, tmp_path: Path
) -> None:
    counts = kill_a_batch_at_random(commands, given, hidden, tmp_path, photos=1200, kills=100, seed=2)
    print(counts)
    assert counts["kills"] == 100


@pytest.mark.full
def test_training_that_is_killed_a_hundred_times_ends_with_the_same_weights(
    commands: Any, given: Path, hidden: Any, tmp_path: Path
) -> None:
    """At random moments of short runs, each of which is killed and resumed until it is done."""
    generator, counts = random.Random(3), {"kills": 0, "runs": 0, "half written": 0}
    text = TRAIN.replace("--steps 2", "--steps 12").replace("--validate-every 2", "--validate-every 5")
    whole = tmp_path / "whole"
    whole.mkdir()
    begun = time.monotonic()
    assert commands.run(*command(text, given=given), folder=whole).code == 0
    duration = time.monotonic() - begun
    while counts["kills"] < 100:
        folder = tmp_path / str(counts["runs"])
        folder.mkdir()
        counts["runs"] += 1
        while True:
            resumable = any((folder / "run" / "state").glob("0*"))
            arguments = ["train", "--resume", "run"] if resumable else [*command(text, given=given), "--overwrite"]
            running = commands.start(*arguments, folder=folder)
            time.sleep(generator.uniform(0, duration / 2))
            if counts["kills"] < 100:
                running.kill()
            ended = running.wait()
            all_was_there = ended.code == 2 and "the run has done its 12 steps" in ended.output
            if ended.code == 0 or all_was_there:
                break
            assert ended.code == -signal.SIGKILL, ended.output
            counts["kills"] += 1
            counts["half written"] += bool(hidden(folder))
        one, other = weights(whole / "run"), weights(folder / "run")
        assert [name for name in one if not np.array_equal(one[name], other[name])] == []
        for table in ("losses.csv", "averages.csv"):
            assert (whole / "run" / table).read_text() == (folder / "run" / table).read_text()
        # Killed at its very end, a run has nothing more to do, and so leaves the note of its last file.
        assert [name for name in hidden(folder) if not (all_was_there and name.endswith(".writing"))] == []
    print(counts)
