"""The whole loop on a GPU: steps, saving, validation, resuming."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rdi.checkpoint import load_checkpoint
from rdi.training.choices import Device
from rdi.training.configuration import Configuration
from rdi.training.loop import Observer, Progress
from rdi.training.session import new_session, resumed_session
from rdi.training.settings import Places, TrainingSettings
from rdi.training.validation import Validation

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")

SETTINGS = TrainingSettings(
    steps=12, batch=2, crop=192, warm_up=2, checkpoint_every=4, validate_every=12, workers=1, tensorboard=False
)


def run(photos: Path, folder: Path, settings: TrainingSettings) -> tuple[list[float], list[Validation], Path | None]:
    losses, validations = list[float](), list[Validation]()

    def note(progress: Progress) -> None:
        losses.append(progress.loss)

    observer = Observer(on_step=note, on_validation=validations.append)
    session = new_session(Configuration(settings, Places(photos=photos, out=folder)))
    return losses, validations, session.train(observer)


@pytest.mark.parametrize("changed", [{}, {"channels_last": True, "mixed_precision": False, "ema": 0.0}])
def test_a_gpu_trains_saves_validates_and_goes_on(
    training_photos: Path, tmp_path: Path, changed: dict[str, bool | float]
) -> None:
    settings = replace(SETTINGS, device=Device.CUDA, **changed)  # type: ignore[arg-type]
    losses, validations, path = run(training_photos, tmp_path / "gpu", settings)
    assert path is not None
    assert len(losses) == 12
    assert [validation.step for validation in validations] == [12]
    assert load_checkpoint(path).metadata.training["steps_done"] == 12
    assert resumed_session(tmp_path / "gpu", {"steps": 14}).train(Observer()) == path
    assert load_checkpoint(path).metadata.training["steps_done"] == 14


def test_a_gpu_begins_as_the_cpu_does(training_photos: Path, tmp_path: Path) -> None:
    exact = replace(SETTINGS, steps=2, validate_every=2, mixed_precision=False)
    cpu, gpu = (
        run(training_photos, tmp_path / device, replace(exact, device=device))[0]
        for device in (Device.CPU, Device.CUDA)
    )
    assert gpu == pytest.approx(cpu, rel=0.02)
