"""Two processes that write the same output or cache: one of them wins, or waits its turn, and nothing is mixed."""

import csv
import signal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image


def test_two_batches_into_one_folder_leave_whole_pictures(
    commands: Any, given: Path, hidden: Any, tmp_path: Path
) -> None:
    arguments = ("infer", given / "photos", "--out", "out", "--model", given / "tiny.onnx", "--overwrite", "--sidecar")
    both = [commands.start(*arguments, folder=tmp_path) for _ in range(2)]
    for running in both:
        ended = running.wait()
        assert ended.code == 0, ended.output
    for name in "abc":
        with Image.open(tmp_path / "out" / f"{name}_restored.jpg") as image:
            image.load()
        assert (tmp_path / "out" / f"{name}_restored.jpg.json").read_text().endswith("}\n")
    assert hidden(tmp_path / "out") == []


def test_of_two_batches_into_one_folder_neither_replaces_the_others_pictures(
    commands: Any, given: Path, hidden: Any, tmp_path: Path
) -> None:
    """The first has asked what is there, and writes, when the second comes along with other pictures."""
    arguments = ("infer", given / "photos", "--out", "out", "--model", given / "tiny.onnx", "--sidecar")
    first = commands.start(*arguments, "--quality", "60", folder=tmp_path, before=commands.stopped_at_file(1))
    assert first.stopped()
    second = commands.run(*arguments, folder=tmp_path)
    assert second.code == 0, second.output
    assert "3 restored" in second.output
    theirs = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir() if path.name[0] != "."}
    assert len(theirs) == 6
    first.kill(signal.SIGCONT)
    ended = first.wait()
    assert ended.code == 0, ended.output
    assert "3 pictures: 3 skipped" in ended.output
    assert "exist and were left as they are; --overwrite replaces them" in ended.output
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == theirs
    assert hidden(tmp_path / "out") == []


def test_a_killed_batch_does_not_hinder_one_that_lives(commands: Any, given: Path, hidden: Any, tmp_path: Path) -> None:
    """The living one has half a picture there while another is killed at the same picture, and a third comes along."""
    arguments = ("infer", given / "photos" / "a.dng", "--out", "a.png", "--model", given / "tiny.onnx", "--overwrite")
    living, dying = (commands.start(*arguments, folder=tmp_path, before=commands.stopped_at_file(1)) for _ in range(2))
    assert living.stopped()
    assert dying.stopped()
    dying.kill()
    dying.wait()
    third = commands.run(*arguments, folder=tmp_path)
    assert third.code == 0, third.output
    picture = (tmp_path / "a.png").read_bytes()
    living.kill(signal.SIGCONT)
    ended = living.wait()
    assert ended.code == 0, ended.output
    assert (tmp_path / "a.png").read_bytes() == picture


@pytest.mark.full
def test_a_second_preparation_is_refused_and_a_killed_one_locks_nothing(
    commands: Any, given: Path, hidden: Any, tmp_path: Path
) -> None:
    arguments = ("prepare", "--sid", given / "sid", "--cache", "cache", "--workers", 1)
    first = commands.start(*arguments, folder=tmp_path, before=commands.stopped_at_file(1))
    assert first.stopped()
    second = commands.run(*arguments, folder=tmp_path)
    assert second.code == 1
    assert "another `rdi prepare` is writing cache; wait for it" in second.output
    first.kill()
    first.wait()
    third = commands.run(*arguments, folder=tmp_path)
    assert third.code == 0, third.output
    assert hidden(tmp_path) == []


@pytest.mark.full
def test_a_second_training_of_a_run_is_refused_and_a_killed_one_locks_nothing(
    commands: Any, given: Path, tmp_path: Path
) -> None:
    arguments = ["train", "--photos", given / "pictures", "--out", "run", "--steps", 1, "--batch", 1, "--crop", 192]
    arguments += ["--workers", 0, "--no-tensorboard", "--overwrite"]
    first = commands.start(*arguments, folder=tmp_path, before=commands.stopped_at_file(1))
    assert first.stopped()
    second = commands.run(*arguments, folder=tmp_path)
    assert second.code == 1
    assert "another `rdi train` is writing run; wait for it" in second.output
    first.kill()
    first.wait()
    third = commands.run(*arguments, folder=tmp_path)
    assert third.code == 0, third.output


def test_two_measurements_into_one_file_leave_whole_rows(commands: Any, given: Path, tmp_path: Path) -> None:
    arguments = ["eval", "--photos", given / "pictures", "--model", given / "tiny.onnx", "--csv", "rows.csv"]
    arguments += ["--ratio", "100,300", "--exposure", "gt", "--resume"]
    both = [commands.start(*arguments, folder=tmp_path) for _ in range(2)]
    for running in both:
        ended = running.wait()
        assert ended.code == 0, ended.output
    with (tmp_path / "rows.csv").open(newline="") as file:
        names, *rows = csv.reader(file)
    assert names[-1] == "key"
    assert {len(row) for row in rows} == {len(names)}
    assert len({row[-1] for row in rows}) == 2  # a row for each ratio, of one of them or of both
