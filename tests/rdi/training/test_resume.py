"""A run that was stopped and resumed equals one that never was, bit for bit."""

import csv
import os
import shutil
import signal
from dataclasses import replace

import pytest
import torch

from rdi.checkpoint import load_checkpoint
from rdi.errors import CheckpointError, OutputError, UsageError
from rdi.locks import writer_lock
from rdi.model_kinds import BelowBlack, Companding
from rdi.runs import CHECKPOINT
from rdi.training.choices import Optimiser, Schedule
from rdi.training.configuration import Configuration, configure
from rdi.training.loop import Observer
from rdi.training.resume import differences, newest_run, resumed
from rdi.training.session import Session, new_session, resumed_session
from rdi.training.settings import Places, TrainingSettings
from rdi.training.state import load_newest_state

SETTINGS = TrainingSettings(
    steps=6, batch=2, crop=192, warm_up=2, checkpoint_every=2, validate_every=4, workers=0, tensorboard=False
)


def run_whole(photos, folder, settings):
    new_session(Configuration(settings, Places(photos=photos, out=folder))).train(Observer())
    return folder


def run_in_two(photos, folder, settings, stop_at):
    """Stop after a step as Ctrl-C would, then resume in another session."""

    def interrupt(progress):
        if progress.step == stop_at:
            os.kill(os.getpid(), signal.SIGINT)

    new_session(Configuration(settings, Places(photos=photos, out=folder))).train(Observer(on_step=interrupt))
    assert load_newest_state(folder)[0].step == stop_at
    torch.manual_seed(999)  # whatever the process did in between
    resumed_session(folder, {}).train(Observer())
    return folder


def assert_equal_runs(one, other):
    first, second = (load_newest_state(folder)[0] for folder in (one, other))
    assert first.step == second.step
    assert first.tensors.keys() == second.tensors.keys()
    assert [name for name in first.tensors if not torch.equal(first.tensors[name], second.tensors[name])] == []
    for table in ("losses.csv", "averages.csv"):
        assert (one / table).read_text() == (other / table).read_text()
    weights = [load_checkpoint(folder / CHECKPOINT).network.state_dict() for folder in (one, other)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"mixed_precision": False, "ema": 0.0, "optimiser": Optimiser.ADAM, "channels_last": True, "clip": 0.0},
        {"optimiser": Optimiser.MUON, "channels_last": True},
        {"workers": 2, "schedule": Schedule.STEP, "reduce_at": (4,)},
    ],
    ids=["default", "plain", "muon", "workers"],
)
def test_stopped_and_resumed_equals_never_stopped(training_photos, tmp_path, changes):
    settings = replace(SETTINGS, **changes)
    whole = run_whole(training_photos, tmp_path / "whole", settings)
    in_two = run_in_two(training_photos, tmp_path / "two", settings, stop_at=3)
    assert_equal_runs(whole, in_two)


def test_another_number_of_workers_and_checkpoints_changes_nothing(training_photos, tmp_path):
    whole = run_whole(training_photos, tmp_path / "whole", SETTINGS)
    in_two = tmp_path / "two"
    new_session(Configuration(SETTINGS, Places(photos=training_photos, out=in_two))).train(stop_after(2))
    resumed_session(in_two, {"workers": 1, "checkpoint_every": 3}).train(Observer())
    assert_equal_runs(whole, in_two)


def stop_after(step):
    return Observer(on_step=lambda progress: os.kill(os.getpid(), signal.SIGINT) if progress.step == step else None)


@pytest.fixture(scope="module")
def stopped(training_photos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stopped") / "run"
    new_session(Configuration(SETTINGS, Places(photos=training_photos, out=folder))).train(stop_after(4))
    return folder


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"batch": 4}, "--batch 4 does not fit: the run was begun with 2"),
        ({"seed": 1}, "--seed 1"),
        ({"learning_rate": 1e-4}, "--learning-rate 0.0001"),
        ({"mixed_precision": False}, "--mixed-precision off"),
        ({"ema": 0.0}, "--ema 0"),
        ({"steps": 4}, "done its 4 steps; give more with --steps"),
    ],
)
def test_what_would_make_it_another_run_is_refused(stopped, given, reason):
    with pytest.raises(UsageError, match=reason):
        resumed_session(stopped, given)


def test_what_changes_nothing_may_be_given_anew(stopped, tmp_path):
    given = {"steps": 9, "workers": 3, "checkpoint_every": 7, "validate_every": 5, "keep_at": "5,6", "threads": 1}
    configuration = resumed(load_newest_state(stopped)[0], given | {"losses_file": tmp_path / "losses.csv"})
    assert (configuration.settings.steps, configuration.settings.keep_at) == (9, (5, 6))
    assert configuration.settings.batch == SETTINGS.batch
    assert configuration.places.losses_file == tmp_path / "losses.csv"


def test_a_run_from_before_there_was_a_choice_goes_on_with_light_as_it_is(stopped):
    state = load_newest_state(stopped)[0]
    del state.facts["settings"]["companding"]
    assert resumed(state, {"steps": 9}).settings.companding is Companding.NONE


def test_a_run_from_before_there_was_a_choice_goes_on_cutting_counts_below_black(stopped):
    state = load_newest_state(stopped)[0]
    del state.facts["settings"]["below_black"]
    assert resumed(state, {"steps": 9}).settings.below_black is BelowBlack.CUT
    with pytest.raises(UsageError, match="--below-black kept does not fit: the run was begun with cut"):
        resumed(state, {"steps": 9, "below_black": "kept"})


def test_settings_survive_being_stored(training_photos, tmp_path):
    odd = configure(
        {
            "iso": "500-900",
            "mix": "photos=2",
            "reduce_at": "3,4",
            "schedule": "step",
            "white_balance": "baked",
            "rendering": "paper",
            "leave_out": "b*",
        }
    ).settings
    small = replace(odd, crop=192, batch=1, steps=2, workers=0, validate_every=9, tensorboard=False)
    new_session(Configuration(small, Places(photos=training_photos, out=tmp_path / "run"))).train(stop_after(1))
    assert resumed(load_newest_state(tmp_path / "run")[0], {}).settings == small


def test_other_data_are_refused(stopped, training_photos, tmp_path):
    other = tmp_path / "photos"
    shutil.copytree(training_photos, other)
    (other / "b.png").rename(other / "c.png")
    with pytest.raises(UsageError, match=r"begun with other data \(names_sha256: "):
        resumed_session(stopped, {"photos": other}).train(Observer())
    (other / "c.png").unlink()
    with pytest.raises(UsageError, match=r"begun with other data \(photos: 2, now 1\)"):
        resumed_session(stopped, {"photos": other}).train(Observer())


def test_data_that_moved_are_accepted(training_photos, tmp_path):
    folder = tmp_path / "run"
    new_session(Configuration(SETTINGS, Places(photos=training_photos, out=folder))).train(stop_after(5))
    moved = shutil.copytree(training_photos, tmp_path / "moved")
    notes: list[str] = []
    resumed_session(folder, {"photos": moved}).train(Observer(on_note=notes.append))
    assert notes == []
    assert load_newest_state(folder)[0].step == 6


def test_what_may_change_the_last_bits_is_said(stopped):
    state = load_newest_state(stopped)[0]
    notes = differences(state, {}, state.facts["environment"] | {"processes": 4})
    assert len(notes) == 1
    assert "processes was 1, now 4" in notes[0]


def test_a_damaged_newest_state_gives_way_to_the_one_before(training_photos, tmp_path):
    folder = tmp_path / "run"
    whole = run_whole(training_photos, tmp_path / "whole", SETTINGS)
    new_session(Configuration(SETTINGS, Places(photos=training_photos, out=folder))).train(stop_after(4))
    newest = folder / "state" / "00000004.safetensors"
    content = bytearray(newest.read_bytes())
    content[-1000] ^= 1
    newest.write_bytes(content)
    session = resumed_session(folder, {})
    assert session.start == 2
    assert "damaged" in session.notes[0]
    session.train(Observer())
    assert_equal_runs(whole, folder)


def test_without_a_state_the_error_says_what_to_give(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match="no run to resume under runs/"):
        newest_run()
    with pytest.raises(CheckpointError, match="holds no training state"):
        resumed_session(tmp_path, {})
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "00000004.safetensors").write_bytes(b"half")
    with pytest.raises(CheckpointError, match=r"no readable training state .*; start another run .* with --init"):
        resumed_session(tmp_path, {})


def test_the_newest_run_is_the_one_written_last(training_photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b", "a"):
        run_whole(training_photos, tmp_path / "runs" / name, replace(SETTINGS, steps=1, batch=1))
    assert newest_run().name == "a"


def test_no_row_of_the_table_of_losses_is_lost_or_doubled(training_photos, tmp_path):
    folder = run_in_two(training_photos, tmp_path / "run", replace(SETTINGS, checkpoint_every=100), stop_at=3)
    with (folder / "losses.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["1", "2", "3", "4", "5", "6"]


def test_a_session_of_a_new_run_starts_at_zero(training_photos, tmp_path):
    session = new_session(Configuration(SETTINGS, Places(photos=training_photos, out=tmp_path)))
    assert isinstance(session, Session)
    assert (session.start, session.settings) == (0, SETTINGS)


def test_a_run_is_written_by_one_process_at_a_time(training_photos, tmp_path):
    folder = run_whole(training_photos, tmp_path / "run", replace(SETTINGS, steps=2))
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    second = resumed_session(folder, {"steps": 4})
    with writer_lock(folder, "held"):
        with pytest.raises(OutputError, match="another `rdi train` is writing"):
            second.train(Observer())
        with pytest.raises(OutputError, match="another `rdi train` is writing"):
            replace(new_session(second.configuration, overwrite=True), run=folder).train(Observer())
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == before
    resumed_session(folder, {"steps": 3}).train(Observer())
    with pytest.raises(CheckpointError, match="trained on by another process just now"):
        second.train(Observer())


def test_a_run_that_is_replaced_leaves_nothing_of_itself(training_photos, tmp_path):
    folder = run_whole(training_photos, tmp_path / "run", replace(SETTINGS, keep_at=(1,), pictures=1))
    own = folder / "weights" / "mine.txt"
    own.touch()
    assert len(list(folder.glob("pictures/step-00000004*"))) == 2
    configuration = Configuration(replace(SETTINGS, steps=1), Places(photos=training_photos, out=folder))
    new_session(configuration, overwrite=True).train(Observer())
    assert not list(folder.glob("pictures/step-00000004*"))
    assert [path.name for path in (folder / "weights").iterdir()] == ["mine.txt"]
