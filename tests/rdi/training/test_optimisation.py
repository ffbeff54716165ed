"""Adam, AdamW and Muon as the learner uses them."""

import pytest
import torch

from rdi.network import RestorationNetwork
from rdi.training.acceleration import lay_channels_last
from rdi.training.choices import Optimiser
from rdi.training.muon import Muon, orthogonal
from rdi.training.optimisation import REST_SHARE, Optimisation
from rdi.training.settings import TrainingSettings

RATE = 0.01


def stepped(network: RestorationNetwork, steps: int = 2) -> RestorationNetwork:
    """After some steps of Muon with gradients that are the same whatever the layout."""
    optimisation = Optimisation(network, TrainingSettings(optimiser=Optimiser.MUON))
    for step in range(steps):
        for number, parameter in enumerate(network.parameters()):
            generator = torch.Generator().manual_seed(1000 * step + number)
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        optimisation.step(RATE)
    return network


def network() -> RestorationNetwork:
    torch.manual_seed(0)
    return RestorationNetwork()


def test_muon_moves_kernels_as_matrices_and_adamw_the_rest() -> None:
    before = {name: value.detach().clone() for name, value in network().named_parameters()}
    after = dict(stepped(network(), 1).named_parameters())
    for name, value in after.items():
        change = (value - before[name]).detach()
        if name.endswith("weight.original1"):
            # Orthogonal rows, scaled so that the mean square is that of AdamW's steps: 0.2 of the rate.
            assert float(change.square().mean().sqrt()) == pytest.approx(0.2 * RATE, rel=0.35), name
        else:
            assert float(change.abs().max()) == pytest.approx(RATE * REST_SHARE, rel=0.01), name


def test_kernels_are_what_torchs_muon_makes_of_their_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.float)  # PyTorch's multiplies in bfloat16 only
    kernels = dict(network().named_parameters())
    moved = dict(stepped(network()).named_parameters())
    for number, (name, kernel) in enumerate(kernels.items()):
        if not name.endswith("weight.original1"):
            continue
        matrix = torch.nn.Parameter(kernel.detach().flatten(1))
        muon = torch.optim.Muon([matrix], lr=RATE, weight_decay=1e-4, adjust_lr_fn="match_rms_adamw")
        for step in range(2):
            generator = torch.Generator().manual_seed(1000 * step + number)
            matrix.grad = torch.randn(kernel.shape, generator=generator).flatten(1)
            muon.step()
        assert torch.allclose(moved[name].flatten(1), matrix, rtol=0, atol=1e-4 * RATE), name


@pytest.mark.parametrize("shape", [(12, 100), (64, 36), (32, 32)])
def test_singular_values_come_near_one(shape: tuple[int, int]) -> None:
    values = torch.linalg.svdvals(orthogonal(torch.randn(shape, generator=torch.Generator().manual_seed(0))))
    assert 0.5 < float(values.min()) <= float(values.max()) < 1.3


def test_a_matrix_without_a_gradient_stays_and_one_of_zeros_is_no_division_by_zero() -> None:
    still, zero = (torch.nn.Parameter(torch.ones(3, 4)) for _ in range(2))
    zero.grad = torch.zeros(3, 4)
    Muon([still, zero], weight_decay=0.0).step()
    assert torch.equal(still, torch.ones(3, 4))
    assert torch.equal(zero, torch.ones(3, 4))


def test_the_layout_of_the_kernels_changes_nothing_but_rounding() -> None:
    turned = network()
    lay_channels_last(turned)
    for one, other in zip(stepped(network()).parameters(), stepped(turned).parameters(), strict=True):
        assert torch.allclose(one, other, atol=2e-4 * RATE / 0.01)
