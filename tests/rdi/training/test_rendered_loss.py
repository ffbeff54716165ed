"""The rendering that a loss sees is the one that a picture gets, and it keeps its gradients."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from rdi.checkpoint import load_checkpoint
from rdi.color import TONES
from rdi.gamut import FARTHEST, KNEE, NEAREST
from rdi.metadata import Companding, Curve, Rendering
from rdi.rendering import render_camera
from rdi.sensors.cameras import find_sensor
from rdi.torch_rendering import render
from rdi.training import captures as captures_module
from rdi.training.captures import SimulatedCaptures
from rdi.training.learner import Learner
from rdi.training.photos import PhotoShelf
from rdi.training.processes import Processes
from rdi.training.sample import Sample
from rdi.training.settings import TrainingSettings

SETTINGS = TrainingSettings(
    steps=2, batch=2, crop=192, workers=0, rendering=Rendering.CAMERA, companding=Companding.NONE
)


def camera_rgb(seed: int = 0) -> torch.Tensor:
    return torch.rand((2, 3, 40, 50), generator=torch.Generator().manual_seed(seed)) * 2 - 0.4


def matrices() -> torch.Tensor:
    sensors = (find_sensor(name) for name in ("Canon EOS 30D", "Nikon D850"))
    return torch.stack([torch.tensor(sensor.srgb_from_camera, dtype=torch.float32) for sensor in sensors])


def test_clipped_it_is_the_picture_of_each_sample_with_its_own_matrix_and_strength() -> None:
    camera, strengths = camera_rgb(), (1.0, 0.0)
    rendered = render(camera, matrices(), torch.tensor(strengths)).clamp(0, 1)
    for number, strength in enumerate(strengths):
        picture = camera[number].permute(1, 2, 0).numpy()
        wanted = render_camera(picture, matrices()[number].double().numpy(), strength)
        np.testing.assert_allclose(rendered[number].permute(1, 2, 0), wanted, atol=1e-5)


def recorded(camera: Tensor, camera_to_srgb: Tensor, strength: Tensor, curve: Curve) -> Tensor:
    """`render`, plainly written, so that PyTorch works out its gradient."""
    tone = TONES[curve]
    linear = torch.einsum("bij,bjhw->bihw", camera_to_srgb, camera)
    intensity = linear.mean(dim=1, keepdim=True)
    difference = linear - intensity
    within = intensity.clamp(NEAREST, 1 - NEAREST)
    low = difference.amin(dim=1, keepdim=True) / -within
    high = difference.amax(dim=1, keepdim=True) / (1 - within)
    farthest = KNEE / (1 - strength).clamp(min=KNEE / FARTHEST)
    way = torch.minimum(torch.maximum(low, high).clamp(min=KNEE), farthest.view(-1, 1, 1, 1))
    mapped = intensity + difference * ((way - KNEE**2) / (way * (way + (1 - 2 * KNEE))))
    power = tone.scale * mapped.clamp(tone.knee, 1.0) ** tone.power - tone.offset
    beyond = tone.scale * tone.power * (mapped - 1).clamp(min=0.0)
    return torch.where(mapped < tone.knee, tone.slope * mapped, power + beyond)


@pytest.mark.parametrize("curve", Curve)
def test_the_written_out_gradient_is_the_one_that_pytorch_records(curve: Curve) -> None:
    """Within the hull, beyond it, below black, above white, and where two channels are equally far out."""
    camera = camera_rgb().double()
    camera = torch.cat([camera, camera * 0.02 - 0.005, camera * 10, camera - 1, camera[:, [0, 0, 2]]], dim=2)
    camera_to_srgb = torch.stack([matrices()[0].double(), torch.eye(3, dtype=torch.float64)])
    weights = torch.rand(camera.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for strength in (0.0, 0.5, 1.0):
        strengths, gradients = torch.full((2,), strength, dtype=torch.float64), []
        for rendering in (render, recorded):
            given = camera.clone().requires_grad_()
            seen = rendering(given, camera_to_srgb, strengths, curve)
            gradients.append((seen.detach(), *torch.autograd.grad((seen * weights).sum(), given)))
        for ours, theirs in zip(*gradients, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def test_every_value_has_a_finite_gradient_beyond_black_and_white_too() -> None:
    camera = torch.cat([camera_rgb(), torch.zeros(2, 3, 1, 50), torch.full((2, 3, 1, 50), 9.0)], dim=2).requires_grad_()
    render(camera, matrices(), torch.ones(2)).sum().backward()
    assert camera.grad is not None
    assert camera.grad.isfinite().all()
    assert (camera.grad.abs().sum(dim=1) > 0.05).all()


def test_what_a_capture_aims_at_is_reached_by_what_the_sensor_saw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At ISO 50 and ratio 1 there is next to no noise: an even area as the sensor counts it, rendered, is the one."""
    colours = np.kron(
        np.array([[[180, 60, 40], [60, 150, 70]], [[50, 80, 170], [120, 120, 120]]]), np.ones((200, 200, 1))
    )
    Image.fromarray(colours.astype(np.uint8)).save(tmp_path / "patches.png")
    monkeypatch.setattr(captures_module, "draw_light", lambda _: np.ones(3))
    monkeypatch.setattr(captures_module, "draw_highlights", lambda _: 1.0)
    settings = replace(SETTINGS, iso=(50, 50), ratio=(1, 1), steps=4)
    captures = SimulatedCaptures(PhotoShelf([tmp_path / "patches.png"], settings.crop), settings)
    for index in range(len(captures)):
        sample = captures[index]
        cells = sample.inputs[0].view(96, 2, 96, 2)
        camera = torch.stack([cells[:, 0, :, 0], cells[:, 0, :, 1] / 2 + cells[:, 1, :, 0] / 2, cells[:, 1, :, 1]])
        rendered = render(camera[None], sample.camera_to_srgb[None], sample.gamut_compression[None])[0]
        difference = (rendered - sample.target[:, ::2, ::2]).abs()
        assert sample.gamut_compression == 1
        assert difference.quantile(0.9) < 0.02, captures.describe(index)


def test_the_loss_of_a_camera_network_is_that_of_its_picture() -> None:
    from rdi.network import RestorationNetwork

    torch.manual_seed(0)
    network, plain = RestorationNetwork(), replace(SETTINGS, mixed_precision=False)
    learner = Learner(network, plain, Processes())
    batch = Sample(torch.rand(2, 1, 192, 192), torch.rand(2, 3, 192, 192), matrices(), torch.ones(2))
    with torch.no_grad():
        output = network.unclamped(batch.inputs)
        as_picture = Learner(network, replace(plain, rendering=Rendering.PAPER), Processes())
        as_picture.model = torch.nn.Identity()
        wanted = as_picture.loss(batch._replace(inputs=render(output, batch.camera_to_srgb, batch.gamut_compression)))
        torch.testing.assert_close(learner.loss(batch), wanted)


def test_a_run_says_what_its_network_gives(tmp_path: Path) -> None:
    from rdi.training.loop import train
    from rdi.training.run import prepare_run
    from rdi.training.settings import Places
    from rdi.training.sources import open_source

    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (200, 220, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    source = open_source(Places(photos=folder), SETTINGS)
    path = train(source, prepare_run(tmp_path / "run"), replace(SETTINGS, validate_every=2))
    metadata = load_checkpoint(path).metadata
    assert metadata.rendering is Rendering.CAMERA
    assert metadata.quality["validation_frames"] == 1
