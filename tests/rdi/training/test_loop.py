"""Training end to end on a handful of small photos."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from rdi.checkpoint import load_checkpoint, save_checkpoint
from rdi.errors import TrainingDataError
from rdi.metadata import ModelMetadata, WhiteBalance
from rdi.network import RestorationNetwork
from rdi.training import loop
from rdi.training.loop import CHECKPOINT, Observer, Validation, learning_rate_factor, train
from rdi.training.settings import TrainingSettings
from rdi.training.sources import PhotoSource

SETTINGS = TrainingSettings(steps=6, batch=1, crop=192, warm_up=2, checkpoint_every=3, validate_every=6, workers=0)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    generator = np.random.default_rng(0)
    for name in ("a", "b", "held-out"):
        coarse = generator.integers(0, 256, (14, 16, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((220, 200), Image.Resampling.BICUBIC).save(folder / f"{name}.png")
    (folder / "VALIDATION.txt").write_text("held-out.png\n")
    return folder


def train_on_photos(folder, run_folder, settings, **options):
    return train(PhotoSource(folder, settings), run_folder, settings, **options)


def test_training_lowers_the_loss_and_leaves_a_described_checkpoint(photos, tmp_path):
    losses: list[float] = []
    validations: list[Validation] = []
    counts: list[tuple[int, ...]] = []
    observer = Observer(
        on_start=lambda *numbers: counts.append(numbers),
        on_step=lambda progress: losses.append(progress.loss),
        on_validation=validations.append,
    )
    settings = replace(SETTINGS, steps=24, validate_every=24, ratio=(20, 20), iso=(400, 400))
    path = train_on_photos(photos, tmp_path / "run", settings, observer=observer)
    assert counts == [(2, 1)]
    assert len(losses) == 24
    assert np.mean(losses[-6:]) < 0.8 * np.mean(losses[:6])
    assert [(v.step, v.frames) for v in validations] == [(24, 1)]
    assert 0 < validations[0].ssim < 1
    metadata = load_checkpoint(path).metadata
    assert metadata.training["steps_done"] == 24
    assert metadata.training["settings"]["crop"] == 192
    assert metadata.training["photos"] == 2
    assert metadata.quality["validation_psnr"] == pytest.approx(validations[0].psnr, abs=1e-3)
    assert [file.name for file in path.parent.iterdir()] == [CHECKPOINT]


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
    path = train_on_photos(photos, tmp_path / "run", settings, initial=tmp_path / "start.safetensors")
    start = load_checkpoint(tmp_path / "start.safetensors").metadata
    assert load_checkpoint(path).metadata.training["started_from"]["weights_sha256"] == start.weights_sha256
    before, after = (load_checkpoint(p).network.state_dict() for p in (tmp_path / "start.safetensors", path))
    moved = max(float((before[name] - after[name]).abs().max()) for name in before)
    assert 0 < moved < 1e-4


def test_ctrl_c_keeps_the_last_step(photos, tmp_path):
    def interrupt(progress):
        if progress.step == 2:
            os.kill(os.getpid(), signal.SIGINT)

    handler = signal.getsignal(signal.SIGINT)
    path = train_on_photos(photos, tmp_path / "run", SETTINGS, observer=Observer(on_step=interrupt))
    assert load_checkpoint(path).metadata.training["steps_done"] == 2
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_loss_that_is_not_finite_stops_and_keeps_the_checkpoint_before(photos, tmp_path, monkeypatch):
    whole = loop._step
    steps = iter(range(1, 100))
    monkeypatch.setattr(loop, "_step", lambda *given: float("nan") if next(steps) == 5 else whole(*given))
    with pytest.raises(TrainingDataError, match="nan at step 5"):
        train_on_photos(photos, tmp_path / "run", SETTINGS)
    assert load_checkpoint(tmp_path / "run" / CHECKPOINT).metadata.training["steps_done"] == 3


def test_a_worker_process_gives_the_same_run(photos, tmp_path):
    settings = replace(SETTINGS, steps=2, validate_every=9)
    here = train_on_photos(photos, tmp_path / "here", settings)
    beside = train_on_photos(photos, tmp_path / "beside", replace(settings, workers=1))
    for name, tensor in load_checkpoint(here).network.state_dict().items():
        assert torch.equal(tensor, load_checkpoint(beside).network.state_dict()[name])


def test_the_papers_way_says_so_in_the_checkpoint(photos, tmp_path):
    settings = replace(SETTINGS, steps=1, validate_every=9, white_balance=WhiteBalance.BAKED)
    assert load_checkpoint(train_on_photos(photos, tmp_path, settings)).metadata.white_balance is WhiteBalance.BAKED


def test_the_learning_rate_rises_then_falls_to_a_hundredth():
    settings = TrainingSettings(steps=1000, warm_up=100)
    factors = [learning_rate_factor(step, settings) for step in range(1000)]
    assert factors[0] == pytest.approx(0.01)
    assert factors[100] == max(factors) == 1
    assert (np.diff(factors[100:]) < 0).all()
    assert factors[-1] == pytest.approx(0.01, abs=1e-4)
