"""`rdi train`: files of settings, resuming, debug mode, what it shows and what it leaves."""

import csv
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from rdi.checkpoint import load_checkpoint
from rdi.cli.main import app
from rdi.cli.train_display import Display
from rdi.training.captures import SimulatedCaptures
from rdi.training.loop import Progress
from rdi.training.run import kept
from rdi.training.settings import TrainingSettings

FAST = ["--batch", "1", "--crop", "192", "--workers", "0", "--warm-up", "1"]


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in "abcd":
        Image.effect_noise((200, 220), 60).convert("RGB").save(folder / f"{name}.png")
    return folder


def rdi_train(*options: str) -> str:
    result = CliRunner().invoke(app, ["train", *options])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_file_of_settings_is_used_and_stored(photos: Path, tmp_path: Path) -> None:
    text = 'seed = 5\n[source]\nphotos = "photos"\n[optimisation]\nsteps = 9\n'
    (tmp_path / "run.toml").write_text(text)
    rdi_train("--config", "run.toml", "--steps", "1", "--out", "run", "--no-tensorboard", *FAST)
    training = load_checkpoint(tmp_path / "run" / "checkpoint.safetensors").metadata.training
    assert (training["settings"]["seed"], training["settings"]["steps"]) == (5, 1)
    assert (training["configuration_file"], training["configuration"]) == ("run.toml", text)
    assert training["preset"] == "default"


def test_resume_goes_on_with_the_newest_run(photos: Path, tmp_path: Path) -> None:
    rdi_train("--photos", "photos", "--steps", "2", *FAST, "--no-tensorboard", "--keep-at", "1,3")
    said = rdi_train("--resume", "--steps", "4")
    assert "going on from step 2" in said
    assert "after 4 steps" in said
    (run,) = (tmp_path / "runs").iterdir()
    with (run / "losses.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["1", "2", "3", "4"]
    assert sorted(path.name for path in (run / "weights").iterdir()) == [
        "step-00000001.safetensors",
        "step-00000003.safetensors",
    ]
    again = CliRunner().invoke(app, ["train", "--resume", str(run)])
    assert again.exit_code == 2
    assert "has done its 4 steps" in again.stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--resume"], "there is no run to resume under runs/"),
        (["--resume", "photos"], "holds no training state"),
        (["photos"], "give --resume to go on"),
        (["--resume", "--out", "x"], "--out does not go with it"),
        (["--resume", "--preset", "paper"], "--preset does not go with it"),
        (["--photos", "photos", "--config", "none.toml"], "--config none.toml cannot be read"),
        (["--photos", "photos", "--preset", "best"], "give default or paper"),
        (["--photos", "photos", "--train-amplification-file", "a.csv", *FAST], "of use with recorded photos only"),
        (["--photos", "photos", "--pictures-folder", "photos/a.png", *FAST], "photos/a.png is a file; give a folder"),
        (["--photos", "photos", "--losses-file", "photos", *FAST], "photos is a folder; give the name of a CSV file"),
        (["--photos", "photos", "--seed", str(2**63), *FAST], f"too large; give {2**63 - 1} or less"),
    ],
)
def test_slips_are_answered_in_one_line(photos: Path, options: list[str], reason: str) -> None:
    result = CliRunner().invoke(app, ["train", *options])
    assert result.exit_code in (1, 2)
    assert reason in result.stderr
    assert "Traceback" not in result.output


def test_a_run_that_is_broken_off_says_how_it_goes_on(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Display._step

    def break_off(display: Display, progress: Progress) -> None:
        step(display, progress)
        if progress.step == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as changed:
        changed.setattr(Display, "_step", break_off)
        said = rdi_train("--photos", "photos", "--steps", "4000", "--out", "my run", "--no-tensorboard", *FAST)
    assert "rdi export --checkpoint 'my run/checkpoint.safetensors' --out 'my run/rdi.onnx'\n" in said
    assert "stopped before step 4,000; go on with: rdi train --resume 'my run'\n" in said
    assert "stopped" not in rdi_train("--resume", "my run", "--steps", "3")


def test_a_damaged_photo_that_is_held_out_does_not_end_the_run(photos: Path) -> None:
    (photos / "VALIDATION.txt").write_text("a.png\nb.png\n")
    (photos / "a.png").write_bytes((photos / "a.png").read_bytes()[:9000])
    said = rdi_train("--photos", "photos", "--steps", "1", "--out", "run", "--no-tensorboard", *FAST)
    assert "1 photo(s) held out for validation are left out, for example: photos/a.png cannot be read" in said
    assert "2 pictures to train on, 1 held out for validation" in said
    (photos / "b.png").write_text("no picture")
    result = CliRunner().invoke(app, ["train", "--photos", "photos", "--out", "other", *FAST])
    assert result.exit_code == 1
    assert "no photo can be validated with: photos/a.png" in result.stderr


def test_debug_mode_trains_a_little_on_a_little(photos: Path, tmp_path: Path) -> None:
    said = rdi_train(
        *("--photos", "photos", "--debug", "--debug-steps", "2", "--debug-size", "1", "--out", "run"), *FAST
    )
    assert "1 pictures to train on, 1 held out" in said
    assert "after 2 steps" in said
    assert len(list((tmp_path / "run" / "pictures").glob("step-00000002_*.jpg"))) == 2


def test_tensorboard_gets_scalars_and_pictures(photos: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    rdi_train("--photos", "photos", "--steps", "2", "--out", "run", "--tensorboard", *FAST)
    rdi_train("--resume", "run", "--steps", "3")
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    assert [event.step for event in events.Scalars("training/loss")] == [1, 2, 3]
    with (tmp_path / "run" / "losses.csv").open() as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert np.allclose([event.value for event in events.Scalars("training/loss")], losses)
    assert len(events.Tags()["images"]) == 1


def test_places_are_where_they_were_wanted(photos: Path, tmp_path: Path) -> None:
    rdi_train(
        *("--photos", "photos", "--steps", "1", "--out", "run", "--no-tensorboard", "--keep-at", "1"),
        *("--losses-file", "x/losses.csv", "--averages-file", "x/averages.csv"),
        *("--weights-folder", "x/weights", "--pictures-folder", "x/pictures"),
        *FAST,
    )
    found = sorted(path.name for path in (tmp_path / "x").iterdir())
    assert found == ["averages.csv", "losses.csv", "pictures", "weights"]
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [".lock", "checkpoint.safetensors", "state"]


def test_the_batch_of_a_loss_that_is_not_finite_is_named(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = SimulatedCaptures.__getitem__

    def third_is_broken(self: SimulatedCaptures, index: int):
        sample = whole(self, index)
        return sample._replace(inputs=sample.inputs * (float("nan") if index == 2 else 1))

    monkeypatch.setattr(SimulatedCaptures, "__getitem__", third_is_broken)
    result = CliRunner().invoke(
        app, ["train", "--photos", "photos", "--steps", "5", "--checkpoint-every", "1", "--out", "run", *FAST]
    )
    assert result.exit_code == 1
    assert "the loss is nan at step 3; the checkpoint of step 2 in run is as it was" in result.stderr
    assert "sample 2: " in result.stderr
    assert "ISO" in result.stderr
    assert load_checkpoint(tmp_path / "run" / "checkpoint.safetensors").metadata.training["steps_done"] == 2


def test_where_stderr_is_no_terminal_there_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    with Display(100) as display:
        observer = display.observer()
        observer.on_start(3, 1, ["a note"])
        display._lined -= 31  # half a minute later
        for step in (1, 2):
            observer.on_step(Progress(step, 100, 8 * step, 0.5, 0.5))
    said = capsys.readouterr().err
    assert said.startswith("a note\n3 pictures to train on, 1 held out for validation\nstep 1 of 100: loss 0.5000, ")
    assert said.endswith(" left\n")
    assert "\x1b" not in said
    assert said.count("\n") == 3


def test_the_published_list_of_kept_steps() -> None:
    settings = replace(TrainingSettings(), keep_at=(2, 100_002), keep_every=50_000)
    wanted = [2, 100_002, 150_002, 200_002]
    assert [step for step in range(1, 200_003) if kept(step, settings)] == wanted
