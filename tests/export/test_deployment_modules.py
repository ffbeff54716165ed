"""Every part of the deployment form against the part of the trained network that it replaces, and the whole."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rdi.export.deployment import DeploymentNetwork, deploy
from rdi.export.deployment.borders import BorderCorrection, add_edges
from rdi.export.deployment.convolution import Convolution, same
from rdi.export.deployment.encoders import (
    DeployedDenseBlock,
    DeployedHigher,
    DeployedMedium,
    DeployedMerge,
    outputs_of_row,
    reading_every_fourth_row,
)
from rdi.export.deployment.network import DeployedOutput
from rdi.export.deployment.phases import PHASES, PhaseConvolution
from rdi.export.deployment.picture import assemble, quantise, tile_order
from rdi.export.deployment.pixels import composed, composed_bias, in_tiles, over_blocks, over_pixels
from rdi.export.frames import PATTERNS
from rdi.network import ResidualDenseBlock, RestorationNetwork, fold_weight_norm, plain_network

SIZES = ((32, 32), (64, 96), (160, 64), (96, 352))
# Float32 sums of up to thousands of products in another order: parts of the largest value.
ROUNDING = 5e-6


@pytest.fixture(scope="module")
def trained() -> RestorationNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = RestorationNetwork()
        for layer in network.modules():  # biases of 0, as torch begins, would hide that one is missing
            if isinstance(layer, nn.Conv2d) and layer.bias is not None:
                nn.init.normal_(layer.bias, std=0.2)
        return plain_network(fold_weight_norm(network))


@pytest.fixture(scope="module")
def deployed(trained: RestorationNetwork) -> DeploymentNetwork:
    return deploy(trained)


def frame(pattern: str, height: int, width: int, strength: float = 1.0) -> Tensor:
    signal = PATTERNS[pattern](height, width, np.random.default_rng(8)) * strength
    return torch.from_numpy(signal.astype(np.float32))[None, None]


def features(channels: int, height: int, width: int) -> Tensor:
    return torch.randn((1, channels, height, width), generator=torch.Generator().manual_seed(9))


def assert_close(found: Tensor, expected: Tensor) -> None:
    assert found.shape == expected.shape
    assert float((found - expected).detach().abs().max()) <= ROUNDING * float(expected.detach().abs().max())


def phases_of(x: Tensor) -> list[Tensor]:
    return [x[:, :, row::2, column::2] for row, column in PHASES]


def picture_of(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_deployment_form_is_the_trained_network(
    trained: RestorationNetwork, deployed: DeploymentNetwork, pattern: str, size: tuple[int, int]
) -> None:
    x = frame(pattern, *size)
    assert_close(deployed.unclamped(x), picture_of(trained.unclamped(x)))


def test_it_stays_so_beyond_the_reach_of_the_borders_and_with_values_beyond_white(
    trained: RestorationNetwork, deployed: DeploymentNetwork
) -> None:
    x = frame("random", 1088, 1056, strength=20)
    assert_close(deployed.unclamped(x), picture_of(trained.unclamped(x)))


def test_every_border_pixel_is_as_exact_as_the_inside(trained: RestorationNetwork, deployed: DeploymentNetwork) -> None:
    x = frame("border", 64, 96)
    difference = (deployed.unclamped(x) - picture_of(trained.unclamped(x))).abs().amax((0, 3))
    inside = difference[8:-8, 8:-8].max()
    for edge in (difference[:4], difference[-4:], difference[:, :4], difference[:, -4:]):
        assert edge.max() <= 4 * inside + 1e-6


def test_the_picture_is_the_trained_networks_rounded(trained: RestorationNetwork, deployed: DeploymentNetwork) -> None:
    x = frame("ramp", 96, 64)
    picture = deployed(x)
    assert picture.dtype == torch.uint16
    expected = picture_of(trained(x))
    assert float((picture.to(torch.float64) / 65535 - expected).abs().max()) <= 0.5 / 65535 + 1e-5
    assert 0 < int((expected == 0).sum() + (expected == 1).sum()) < expected.numel()


def test_the_weights_are_float32_and_their_number_is_kept_small(deployed: DeploymentNetwork) -> None:
    assert {tensor.dtype for tensor in deployed.state_dict().values()} == {torch.float32}
    assert sum(tensor.numel() for tensor in deployed.state_dict().values()) < 1_010_000


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_medium_scale_encoder_reads_the_gathered_pixels(
    trained: RestorationNetwork, deployed: DeploymentNetwork, pattern: str, size: tuple[int, int]
) -> None:
    x = frame(pattern, *size)
    pixels = deployed.eighth(x)
    assert torch.equal(pixels, F.pixel_unshuffle(F.pixel_unshuffle(x, 2), 4))
    assert torch.equal(deployed.quarter(x), F.pixel_unshuffle(x, 4))
    assert_close(DeployedMedium(trained.medium)(pixels), trained.medium(F.pixel_unshuffle(x, 2)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_higher_scale_encoder_reads_the_tensor_at_an_eighth(
    trained: RestorationNetwork, pattern: str, size: tuple[int, int]
) -> None:
    by_2 = F.pixel_unshuffle(frame(pattern, *size), 2)
    before_expansion = DeployedHigher(trained.higher)(F.pixel_unshuffle(by_2, 4))
    assert_close(trained.higher.expand(before_expansion), trained.higher(by_2))


def test_its_first_convolution_reads_one_row_in_four(trained: RestorationNetwork) -> None:
    weight, bias = torch.zeros(128, 64, 12, 12), torch.randn(128)
    for row in range(4):
        weight[outputs_of_row(row), :, row::4] = torch.randn(32, 64, 3, 12)
        first, second = outputs_of_row(row).split(16)
        weight[first, 32:] = 0
        weight[second, :32] = 0
    assert sorted(torch.cat([outputs_of_row(row) for row in range(4)]).tolist()) == list(range(128))
    x = features(64, 16, 24)
    expected = F.conv2d(x, weight, bias, stride=4, padding=4)
    for row in range(4):
        chosen = outputs_of_row(row)
        assert_close(reading_every_fourth_row(weight[chosen], bias[chosen], row)(x), expected[:, chosen])


def test_no_weight_of_it_is_lost(trained: RestorationNetwork) -> None:
    parts = [part for part in DeployedHigher(trained.higher).reduce if isinstance(part, Convolution)]
    assert sum(int(part.weight.count_nonzero()) for part in parts) == trained.higher.reduce.weight.numel()


@pytest.mark.parametrize("layers", [4, 5])
def test_a_dense_block_concatenates_nothing(layers: int) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        block = ResidualDenseBlock(layers)
    x = features(64, 9, 13)
    assert_close(DeployedDenseBlock(block)(x), block(x))


@pytest.mark.parametrize("size", [(4, 4), (9, 14), (20, 5)])
def test_the_merge_needs_no_shuffle_and_is_exact_to_the_border(
    trained: RestorationNetwork, size: tuple[int, int]
) -> None:
    medium, higher = features(64, *size), features(4, *size)
    expected = F.pixel_unshuffle(trained.merge(medium, trained.higher.expand(higher)), 2)
    found = DeployedMerge(trained.higher.expand, trained.merge)(medium, higher)
    for one, (row, column) in zip(found, PHASES, strict=True):
        assert_close(one, expected[:, :, row::2, column::2])


def test_a_convolution_on_phases_is_one_on_the_picture() -> None:
    weight, x, start = torch.randn(5, 3, 3, 3), torch.randn(1, 3, 12, 18), torch.randn(1, 5, 12, 18)
    expected = F.conv2d(x, weight, padding=1) + start
    found = PhaseConvolution(weight)(phases_of(x), phases_of(start))
    for one, wanted in zip(found, phases_of(expected), strict=True):
        assert_close(one, wanted)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_last_stage_is_exact_to_the_border(
    trained: RestorationNetwork, pattern: str, size: tuple[int, int]
) -> None:
    x, half = frame(pattern, *size), features(12, size[0] // 2, size[1] // 2)
    lower = trained.lower(F.pixel_unshuffle(x, 2))
    expected = F.pixel_shuffle(trained.output(torch.cat((lower, half), dim=1)), 2)
    output = DeployedOutput(trained.lower, trained.output)
    tiles = output(x, F.pixel_unshuffle(x, 4), phases_of(F.pixel_unshuffle(half, 2)))
    assert_close(assemble(tiles), picture_of(expected))


def composed_pair() -> tuple[nn.Conv2d, nn.Conv2d, Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(4)
        first, second = nn.Conv2d(4, 12, 5, padding=2), nn.Conv2d(12, 12, 5, padding=2, bias=False)
    return first.requires_grad_(False), second.requires_grad_(False), over_pixels(first.weight.detach(), 2)


def joined(first: nn.Conv2d, second: nn.Conv2d, on_mosaic: Tensor, x: Tensor) -> Tensor:
    """Both convolutions as one, tiles of 2x2 half-resolution pixels: (1, 48, H/4, W/4); wrong at the edges."""
    assert first.bias is not None
    both = in_tiles(composed(on_mosaic, second.weight, 2), 2, 2)
    bias = (second.weight.sum((2, 3)) @ first.bias).repeat_interleave(4)
    out: Tensor = Convolution(both, bias, stride=(4, 4), padding=(8, 8, 8, 8))(x)
    return out


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_is_wrong_at_the_edges_of_a_composed_convolution_is_taken_off(pattern: str, size: tuple[int, int]) -> None:
    first, second, on_mosaic = composed_pair()
    assert first.bias is not None
    x = frame(pattern, *size)
    expected = F.pixel_unshuffle(second(first(F.pixel_unshuffle(x, 2))), 2)
    found = joined(first, second, on_mosaic, x)
    assert float((found - expected).abs().max()) > 100 * ROUNDING * float(expected.abs().max()), "nothing to correct"
    edges = BorderCorrection(on_mosaic, first.bias, in_tiles(second.weight, 2), stride=2, tile=2)(x)
    assert_close(add_edges(found, edges), expected)


@pytest.mark.parametrize("kernels", [(3, 3), (3, 5), (5, 3)])
def test_so_it_is_for_convolutions_of_other_sizes(kernels: tuple[int, int]) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(6)
        first = nn.Conv2d(3, 7, kernels[0], padding=kernels[0] // 2).requires_grad_(False)
        second = nn.Conv2d(7, 5, kernels[1], padding=kernels[1] // 2).requires_grad_(False)
    assert first.bias is not None
    assert second.bias is not None
    tile = kernels[1] // 2
    x = features(3, 8 * tile, 6 * tile)
    expected = F.pixel_unshuffle(second(first(x)), tile)
    weight = in_tiles(composed(first.weight, second.weight), tile)
    bias = composed_bias(first.bias, second.weight, second.bias).repeat_interleave(tile**2)
    found = Convolution(weight, bias, stride=(tile, tile), padding=same(sum(kernels) - 1))(x)
    edges = BorderCorrection(first.weight, first.bias, in_tiles(second.weight, tile), tile=tile)(x)
    assert_close(add_edges(found, edges), expected)


@pytest.mark.parametrize("kind", [lambda x: x, quantise])
def test_tiles_are_put_together_in_the_pictures_order(kind: Callable[[Tensor], Tensor]) -> None:
    outputs = torch.rand(1, 12, 8, 12)  # of the last convolution, at half resolution
    expected = kind(picture_of(F.pixel_shuffle(outputs, 2)).contiguous())
    quarter = F.pixel_unshuffle(outputs, 2)[:, tile_order()]
    tiles = [kind(part.contiguous()) for part in phases_of(quarter)]
    assert torch.equal(assemble(tiles), expected)


def test_quantisation_rounds_to_even_and_clips() -> None:
    values = torch.tensor([-1.0, 0.0, 0.4999999, 0.5, 1.0, 2.0, 1 / 65535])
    assert quantise(values).tolist() == [0, 0, 32767, 32768, 65535, 65535, 1]
    assert quantise(values).dtype == torch.uint16


def test_over_blocks_keeps_every_number(trained: RestorationNetwork) -> None:
    weight = in_tiles(trained.output.weight, 2)
    assert torch.equal(over_blocks(weight, 2).flatten().sort().values, weight.flatten().sort().values)
