"""Validation frames in strips are what the plain network makes of them."""

import numpy as np
import pytest
import torch

from rdi import reference
from rdi.camera import Cfa, RawPhoto
from rdi.checkpoint import load_checkpoint
from rdi.training import full_frames
from rdi.training.full_frames import release_memory, restore_frame


@pytest.mark.parametrize("strip", [64, 96, 256, 4096])
@pytest.mark.parametrize("shape", [(300, 90), (41, 60)])
def test_strips_equal_the_whole_frame(checkpoint_file, monkeypatch, strip, shape):
    monkeypatch.setattr(full_frames, "STRIP", strip)
    checkpoint = load_checkpoint(checkpoint_file)
    mosaic = 512 + np.random.default_rng(1).poisson(60, shape)
    photo = RawPhoto(mosaic.astype(np.uint16), Cfa.GBRG, np.array([512.0]), 16383.0)
    network = checkpoint.network.eval()
    whole = reference.restore(network, checkpoint.metadata, photo, 80.0)
    release_memory()
    picture = restore_frame(network, checkpoint.metadata, photo, 80.0)
    assert picture.shape == (*shape, 3)
    assert whole.std() > 0.01
    assert np.abs(picture - whole).max() < 2e-5


def test_it_takes_less_memory_than_the_whole_frame(checkpoint_file):
    """Bytes of the tensors that are alive at once, by what autograd's profiler counts."""
    checkpoint = load_checkpoint(checkpoint_file)
    mosaic = np.full((1600, 640), 600, np.uint16)
    photo = RawPhoto(mosaic, Cfa.RGGB, np.array([512.0]), 16383.0)
    largest = []
    for restore in (reference.restore, restore_frame):
        with torch.profiler.profile(profile_memory=True) as profile:
            restore(checkpoint.network.eval(), checkpoint.metadata, photo, 80.0)
        alive = 0
        peak = 0
        for event in profile.profiler.kineto_results.events():
            if event.name() == "[memory]":
                alive += event.nbytes()
                peak = max(peak, alive)
        largest.append(peak)
    assert largest[1] < 0.6 * largest[0]
