"""The training loss equals its definition and hands a gradient to every pixel."""

import pytest
import pytorch_msssim
import torch

from rdi.training.choices import PixelLoss
from rdi.training.loss import ms_ssim, restoration_loss, weighted_loss


def pair(noise, shape=(2, 3, 192, 224), seed=0):
    torch.manual_seed(seed)
    target = torch.nn.functional.avg_pool2d(torch.rand(*shape), 3, 1, 1)
    return (target + noise * torch.randn(shape)).clamp(0, 1), target


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("shape", [(2, 3, 192, 224), (1, 3, 256, 256), (1, 1, 176, 160 + 1)])
def test_ms_ssim_is_that_of_pytorch_msssim(noise, shape):
    picture, target = pair(noise, shape)
    assert float(ms_ssim(picture, target)) == pytest.approx(
        float(pytorch_msssim.ms_ssim(picture, target, data_range=1.0)), abs=5e-6
    )


def test_the_gradient_is_that_of_pytorch_msssim():
    picture, target = pair(0.1)
    ours, theirs = picture.clone().requires_grad_(), picture.clone().requires_grad_()
    ms_ssim(ours, target).backward()
    pytorch_msssim.ms_ssim(theirs, target, data_range=1.0).backward()
    assert torch.allclose(ours.grad, theirs.grad, atol=1e-8)


def test_the_loss_is_the_papers_sum():
    picture, target = pair(0.1)
    structure = pytorch_msssim.ms_ssim(picture, target, data_range=1.0)
    expected = 0.8 * (picture - target).abs().mean() + 0.2 * (1 - structure)
    assert float(restoration_loss(picture, target)) == pytest.approx(float(expected), abs=1e-6)
    assert float(restoration_loss(target, target)) == pytest.approx(0, abs=1e-6)


def test_pixels_beyond_white_are_pulled_back_unless_the_target_is_white_itself():
    _, target = pair(0.0)
    target[:, :, ::2] = 1.0
    restored = (target + 2).requires_grad_()
    (gradient,) = torch.autograd.grad(restoration_loss(restored, target), restored)
    assert (gradient[:, :, 1::2] > 0).all()
    assert (gradient[:, :, ::2] == 0).all()


def test_pixels_darker_than_a_white_target_are_pulled_up():
    target = torch.ones(1, 3, 192, 192)
    restored = torch.full_like(target, 0.9).requires_grad_()
    (gradient,) = torch.autograd.grad(restoration_loss(restored, target), restored)
    assert (gradient < 0).all()


def test_faint_grain_in_even_areas_costs_more_with_a_grain_weight():
    target = torch.full((1, 3, 192, 192), 0.3)
    restored = (target + 0.01 * torch.randn(target.shape, generator=torch.Generator().manual_seed(0))).requires_grad_()
    weights = PixelLoss.L1, 0.8, 0.2
    paper, heavier = weighted_loss(restored, target, *weights), weighted_loss(restored, target, *weights, 0.5)
    structure = pytorch_msssim.SSIM(data_range=1.0, win_sigma=1.5)
    expected = 0.5 * float(1 - structure(restored, target).detach())
    assert float((heavier - paper).detach()) == pytest.approx(expected, abs=1e-4)
    assert float(heavier.detach()) > 2 * float(paper.detach())
    (gradient,) = torch.autograd.grad(weighted_loss(restored, target, PixelLoss.L1, 0, 0, 1), restored)
    assert gradient.abs().max() > 0
