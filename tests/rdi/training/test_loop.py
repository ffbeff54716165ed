"""Training end to end on a handful of small photos."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

from rdi.checkpoint import load_checkpoint, save_checkpoint
from rdi.errors import OutputError, TrainingDataError
from rdi.metadata import BelowBlack, Companding, ModelMetadata, Rendering, WhiteBalance
from rdi.network import RestorationNetwork
from rdi.runs import CHECKPOINT
from rdi.training.choices import Optimiser
from rdi.training.learner import Learner
from rdi.training.loop import Observer, train
from rdi.training.run import prepare_run
from rdi.training.schedule import learning_rate_factor
from rdi.training.settings import TrainingSettings
from rdi.training.sources import PhotoSource
from rdi.training.validation import Validation

SETTINGS = TrainingSettings(
    steps=6, batch=1, crop=192, warm_up=2, checkpoint_every=3, validate_every=6, workers=0, tensorboard=False
)


@pytest.fixture
def photos(training_photos):
    return training_photos


def train_on_photos(folder, run_folder, settings, **options):
    return train(PhotoSource(folder, settings), prepare_run(run_folder), settings, **options)


def test_training_lowers_the_loss_and_leaves_a_described_checkpoint(photos, tmp_path):
    losses: list[float] = []
    validations: list[Validation] = []
    counts: list[tuple[object, ...]] = []
    observer = Observer(
        on_start=lambda *numbers: counts.append(numbers),
        on_step=lambda progress: losses.append(progress.loss),
        on_validation=validations.append,
    )
    settings = replace(SETTINGS, steps=24, validate_every=24, ratio=(20, 20), iso=(400, 400))
    path = train_on_photos(photos, tmp_path / "run", settings, observer=observer)
    assert counts == [(2, 1, [])]
    assert len(losses) == 24
    assert np.mean(losses[-6:]) < 0.8 * np.mean(losses[:6])
    assert [(v.step, v.frames) for v in validations] == [(24, 1)]
    assert 0 < validations[0].ssim < 1
    metadata = load_checkpoint(path).metadata
    assert metadata.training["steps_done"] == 24
    assert metadata.training["settings"]["crop"] == 192
    assert metadata.training["photos"] == 2
    assert metadata.quality["validation_psnr"] == pytest.approx(validations[0].psnr, abs=1e-3)
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "averages.csv",
        CHECKPOINT,
        "losses.csv",
        "pictures",
        "state",
    ]


def test_the_same_seed_gives_the_same_weights(photos, tmp_path):
    weights = []
    for name in ("one", "two"):
        path = train_on_photos(photos, tmp_path / name, replace(SETTINGS, steps=3, validate_every=9))
        weights.append(load_checkpoint(path).network.state_dict())
    assert all(torch.equal(tensor, weights[1][name]) for name, tensor in weights[0].items())


def test_training_starts_from_given_weights(photos, tmp_path):
    torch.manual_seed(5)
    save_checkpoint(RestorationNetwork(), ModelMetadata(), tmp_path / "start.safetensors")
    settings = replace(SETTINGS, steps=1, learning_rate=1e-6, validate_every=9)
    path = train_on_photos(photos, tmp_path / "run", settings, initial=load_checkpoint(tmp_path / "start.safetensors"))
    start = load_checkpoint(tmp_path / "start.safetensors").metadata
    assert load_checkpoint(path).metadata.training["started_from"]["weights_sha256"] == start.weights_sha256
    before, after = (load_checkpoint(p).network.state_dict() for p in (tmp_path / "start.safetensors", path))
    moved = max(float((before[name] - after[name]).abs().max()) for name in before)
    assert 0 < moved < 1e-4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_a_polite_kill_keep_the_last_step(photos, tmp_path, number):
    def interrupt(progress):
        if progress.step == 2:
            os.kill(os.getpid(), number)

    handler = signal.getsignal(number)
    path = train_on_photos(photos, tmp_path / "run", SETTINGS, observer=Observer(on_step=interrupt))
    assert load_checkpoint(path).metadata.training["steps_done"] == 2
    assert signal.getsignal(number) is handler


def test_a_loss_that_is_not_finite_stops_and_keeps_the_checkpoint_before(photos, tmp_path, monkeypatch):
    whole = Learner.loss

    def fifth_is_nan(self, batch):
        return whole(self, batch) * (float("nan") if next(steps) == 5 else 1)

    steps = iter(range(1, 100))
    monkeypatch.setattr(Learner, "loss", fifth_is_nan)
    with pytest.raises(TrainingDataError, match=r"loss is nan at step 5; .*The batch: sample 4"):
        train_on_photos(photos, tmp_path / "run", SETTINGS)
    assert load_checkpoint(tmp_path / "run" / CHECKPOINT).metadata.training["steps_done"] == 3


def test_a_worker_process_gives_the_same_run(photos, tmp_path):
    settings = replace(SETTINGS, steps=2, validate_every=9)
    here = train_on_photos(photos, tmp_path / "here", settings)
    beside = train_on_photos(photos, tmp_path / "beside", replace(settings, workers=1))
    for name, tensor in load_checkpoint(here).network.state_dict().items():
        assert torch.equal(tensor, load_checkpoint(beside).network.state_dict()[name])


def test_the_papers_way_says_so_in_the_checkpoint(photos, tmp_path):
    paper = Rendering.PAPER, WhiteBalance.BAKED, BelowBlack.CUT, Companding.NONE
    rendering, balance, below_black, companding = paper
    settings = replace(
        SETTINGS,
        steps=1,
        validate_every=9,
        rendering=rendering,
        white_balance=balance,
        below_black=below_black,
        companding=companding,
    )
    metadata = load_checkpoint(train_on_photos(photos, tmp_path, settings)).metadata
    found = metadata.rendering, metadata.white_balance, metadata.below_black, metadata.companding
    assert found == paper


def test_the_learning_rate_rises_then_falls_to_a_hundredth():
    settings = TrainingSettings(steps=1000, warm_up=100)
    factors = [learning_rate_factor(step, settings) for step in range(1000)]
    assert factors[0] == pytest.approx(0.01)
    assert factors[100] == max(factors) == 1
    assert (np.diff(factors[100:]) < 0).all()
    assert factors[-1] == pytest.approx(0.01, abs=1e-4)


def test_the_schedule_and_the_clipping_reach_the_optimiser(photos, tmp_path, monkeypatch):
    rates, norms = [], []
    step = torch.optim.AdamW.step

    def recorded_step(self, *given, **named):
        rates.append(self.param_groups[0]["lr"])
        gradients = [p.grad.flatten() for group in self.param_groups for p in group["params"]]
        norms.append(float(torch.cat(gradients).norm()))
        return step(self, *given, **named)

    monkeypatch.setattr(torch.optim.AdamW, "step", recorded_step)
    settings = replace(SETTINGS, optimiser=Optimiser.ADAMW)
    train_on_photos(photos, tmp_path / "run", settings)
    expected = [settings.learning_rate * learning_rate_factor(i, settings) for i in range(6)]
    assert rates == pytest.approx(expected)
    assert max(norms) <= settings.clip * 1.001


def test_an_earlier_runs_checkpoint_is_not_lost(photos, tmp_path):
    tmp_path.joinpath(CHECKPOINT).write_bytes(b"earlier")
    with pytest.raises(OutputError, match="--overwrite"):
        prepare_run(tmp_path)
    assert prepare_run(tmp_path, overwrite=True) == tmp_path
    begun = tmp_path / "begun"  # and ended before anything was saved
    (begun / "state").mkdir(parents=True)
    assert prepare_run(begun) == begun
    (begun / "state" / "00000000.safetensors").touch()
    with pytest.raises(OutputError, match=r"00000000.safetensors exists from an earlier run"):
        prepare_run(begun)
    assert (tmp_path / CHECKPOINT).read_bytes() == b"earlier"


def test_a_run_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(OutputError, match="cannot be made"):
            prepare_run(folder)
