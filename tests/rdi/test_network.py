"""The network of the paper: its size, the published outputs, and tests that notice a wrong slope, weight or order."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from rdi import network as network_module
from rdi.checkpoint import load_published
from rdi.network import (
    PARAMETERS,
    PARAMETERS_FOLDED,
    RestorationNetwork,
    fold_weight_norm,
    plain_network,
    shuffle_channels,
)

BOUND = 1e-5


@pytest.fixture(scope="module")
def cases(shared):
    reference = np.load(shared / "reference" / "network_parity.npz")
    found = []
    for name in sorted({key.split("_")[0] for key in reference.files}):
        x = np.maximum(reference[f"{name}_raw"].astype(np.float32) - 512, 0) / np.float32(15871)
        x *= reference[f"{name}_amplification"] * reference[f"{name}_m"]
        found.append((torch.from_numpy(x)[None, None], torch.from_numpy(reference[f"{name}_rgb"])[None]))
    assert len(found) == 5
    return found


@pytest.fixture
def published(shared):
    return load_published(shared / "reference" / "paper_weights.pth").network


def worst(network, cases):
    with torch.inference_mode():
        return max(float((network(x) - rgb).abs().max()) for x, rgb in cases)


def test_the_network_has_the_papers_number_of_parameters():
    network = RestorationNetwork()
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS == 784_768
    folded = plain_network(fold_weight_norm(network))
    assert sum(tensor.numel() for tensor in folded.state_dict().values()) == PARAMETERS_FOLDED == 783_432


def test_the_output_is_a_picture_of_the_mosaics_size():
    network = RestorationNetwork().eval()
    for height, width in [(32, 32), (64, 96), (160, 32)]:
        with torch.inference_mode():
            picture = network(torch.rand(2, 1, height, width) * 3)
        assert picture.shape == (2, 3, height, width)
        assert picture.min() >= 0
        assert picture.max() <= 1


@pytest.mark.real_data
def test_published_weights_give_the_published_pictures(published, cases):
    assert worst(published, cases) < BOUND
    assert worst(plain_network(fold_weight_norm(published)), cases) < BOUND


@pytest.mark.real_data
def test_a_single_wrong_weight_is_noticed(published, cases):
    with torch.no_grad():
        published.higher.blocks[1].dense[2].parametrizations.weight.original1[3, 5, 1, 1] += 0.05
    assert worst(published, cases) > BOUND


@pytest.mark.real_data
def test_a_wrong_slope_is_noticed(published, cases, monkeypatch):
    monkeypatch.setattr(network_module, "LEAKY_SLOPE", 0.21)
    assert worst(published, cases) > BOUND


@pytest.mark.real_data
def test_an_activation_before_the_last_dense_layer_is_noticed(published, cases, monkeypatch):
    def forward(self, x):
        features = x
        for i, layer in enumerate(self.dense):
            dense = layer(network_module.activate(features) if i > 0 else features)
            features = torch.cat((features, dense), dim=1)
        return self.fuse(features) + x

    monkeypatch.setattr(network_module.ResidualDenseBlock, "forward", forward)
    assert worst(published, cases) > BOUND


@pytest.mark.real_data
@pytest.mark.parametrize("part", ["channel shuffle", "unshuffle by 16", "concatenation"])
def test_a_wrong_channel_order_is_noticed(published, cases, monkeypatch, part):
    if part == "channel shuffle":
        monkeypatch.setattr(network_module, "shuffle_channels", lambda x, **_: x)
    elif part == "unshuffle by 16":
        whole = functional.pixel_unshuffle

        def twice(x, ratio):
            return whole(whole(x, 4), 4) if ratio == 16 else whole(x, ratio)

        monkeypatch.setattr(functional, "pixel_unshuffle", twice)
    else:
        joined = torch.cat
        monkeypatch.setattr(torch, "cat", lambda parts, dim: joined(tuple(reversed(parts)), dim=dim))
    assert worst(published, cases) > BOUND


def test_folding_changes_nothing_and_leaves_the_network_as_it_was():
    torch.manual_seed(0)
    network = RestorationNetwork().eval()
    before = copy.deepcopy(network.state_dict())
    x = torch.rand(1, 1, 64, 96)
    with torch.inference_mode():
        folded = plain_network(fold_weight_norm(network))
        assert torch.equal(folded(x), network(x))
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    network(x).sum().backward()


def test_initialisation_is_the_papers_gain_for_each_layer():
    torch.manual_seed(1)
    network = RestorationNetwork()
    layers = {name: module for name, module in network.named_modules() if isinstance(module, nn.Conv2d)}
    assert len(layers) == 27
    with_slope = {name for name in layers if name.endswith(("medium.conv1", "merge.expand"))}
    with_slope |= {f"higher.blocks.{b}.dense.{i}" for b, n in enumerate((4, 5, 5)) for i in range(n - 1)}
    for name, layer in layers.items():
        fan_in = layer.weight[0].numel()
        expected = math.sqrt(2 / (1 + (0.2 if name in with_slope else 1.0) ** 2) / fan_in)
        spread = 5 / math.sqrt(2 * layer.weight.numel())  # five standard errors of a standard deviation
        assert float(layer.weight.detach().std()) == pytest.approx(expected, rel=spread), name


def test_channels_are_interleaved_from_the_two_groups():
    x = torch.arange(6.0).view(1, 6, 1, 1)
    assert shuffle_channels(x, groups=2).flatten().tolist() == [0, 3, 1, 4, 2, 5]


def test_saturated_pixels_still_have_a_gradient_before_the_clamp():
    network = RestorationNetwork()
    x = torch.full((1, 1, 32, 32), 50.0)
    network.unclamped(x).sum().backward()
    assert all(
        parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in network.output.parameters()
    )
