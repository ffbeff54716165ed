"""Validation measures what `rdi eval` measures."""

import numpy as np
import pytest
import torch

from rdi import protocol
from rdi.errors import TrainingDataError
from rdi.metadata import ModelMetadata
from rdi.network import RestorationNetwork
from rdi.training.before_after import amplified, before_after, save_pictures
from rdi.training.validation import Frame, validate


@pytest.fixture
def captures(training_photos):
    return list(protocol.captures([training_photos / "a.png", training_photos / "b.png"], 100.0))


def test_the_means_over_the_frames_are_given(captures):
    torch.manual_seed(0)
    network = RestorationNetwork().train()
    shown: list[tuple[int, str]] = []
    result = validate(network, ModelMetadata(), captures, 7, lambda n, frame: shown.append((n, frame.capture.name)))
    single = [validate(network, ModelMetadata(), [capture], 7) for capture in captures]
    assert (result.step, result.frames) == (7, 2)
    assert result.psnr == pytest.approx(np.mean([one.psnr for one in single]))
    assert result.ssim == pytest.approx(np.mean([one.ssim for one in single]))
    assert shown == [(0, "a.png"), (1, "b.png")]
    assert network.training


def test_without_a_frame_it_says_so():
    with pytest.raises(TrainingDataError, match="no frame to validate with"):
        validate(RestorationNetwork(), ModelMetadata(), [], 1)


def test_the_amplified_capture_looks_like_its_target(captures):
    """Colours and orientation: a wrong phase or balance would turn it orange or mirror it."""
    capture = captures[0]
    before = amplified(Frame(capture, capture.target), ModelMetadata())
    target = capture.target[:200, :220].reshape(100, 2, 110, 2, 3).mean(axis=(1, 3))
    assert before.shape == target.shape
    for colour in range(3):
        assert np.corrcoef(before[..., colour].ravel(), target[..., colour].ravel())[0, 1] > 0.6


def test_pictures_are_named_by_step_and_frame(captures, tmp_path):
    frame = Frame(captures[0], captures[0].target)
    panels = save_pictures(frame, ModelMetadata(), tmp_path, 12)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "step-00000012_a.jpg",
        "step-00000012_a_before-after.jpg",
    ]
    assert panels.shape == (200, 660, 3)
    assert np.array_equal(panels[:, 220:440], panels[:, 440:])  # restored perfectly
    assert np.array_equal(panels, before_after(frame, ModelMetadata()))
