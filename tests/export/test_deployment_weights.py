"""The rewrites of weights, one by one, each against the operation that it replaces."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from rdi.export.deployment.channels import dense_weight, merge_groups, split_inputs, split_shuffled_inputs
from rdi.export.deployment.pixels import composed, gathering, in_tiles, over_blocks, over_pixels
from rdi.network import shuffle_channels


def numbers(*shape: int, seed: int = 0) -> Tensor:
    """Normal numbers in float64, in which only a wrong rewrite differs by more than 1e-12."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def assert_equal(found: Tensor, expected: Tensor) -> None:
    assert found.shape == expected.shape
    assert float((found - expected).abs().max()) < 1e-12


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_a_convolution_after_an_unshuffle_is_a_strided_one_on_the_pixels(factor: int, kernel: int) -> None:
    x, weight = numbers(1, 3, 4 * factor, 7 * factor), numbers(5, 3 * factor**2, kernel, kernel)
    expected = F.conv2d(F.pixel_unshuffle(x, factor), weight, padding=kernel // 2)
    over = over_pixels(weight, factor)
    assert_equal(F.conv2d(x, over, stride=factor, padding=factor * (kernel // 2)), expected)


@pytest.mark.parametrize("factor", [2, 4])
def test_a_strided_convolution_after_a_shuffle_is_one_on_the_blocks(factor: int) -> None:
    x, weight = numbers(1, 2 * factor**2, 5, 6), numbers(5, 2, 3 * factor, 3 * factor)
    expected = F.conv2d(F.pixel_shuffle(x, factor), weight, stride=factor, padding=factor)
    assert_equal(F.conv2d(x, over_blocks(weight, factor), padding=1), expected)
    assert torch.equal(over_pixels(over_blocks(weight, factor), factor), weight)


@pytest.mark.parametrize(("tile", "stride", "kernel"), [(2, 1, 5), (2, 2, 10), (4, 1, 3)])
def test_a_tile_of_pixels_comes_out_of_one_convolution_as_channels(tile: int, stride: int, kernel: int) -> None:
    x, weight = numbers(1, 3, 4 * tile * stride, 5 * tile * stride), numbers(6, 3, kernel, kernel)
    edge = (kernel - stride) // 2
    expected = F.pixel_unshuffle(F.conv2d(x, weight, stride=stride, padding=edge), tile)
    assert_equal(F.conv2d(x, in_tiles(weight, tile, stride), stride=tile * stride, padding=edge), expected)


@pytest.mark.parametrize(("stride", "kernel"), [(1, 3), (2, 10)])
def test_two_convolutions_in_a_row_are_one(stride: int, kernel: int) -> None:
    x, first, second = numbers(1, 2, 40, 48), numbers(7, 2, kernel, kernel), numbers(5, 7, 3, 3, seed=1)
    expected = F.conv2d(F.conv2d(x, first, stride=stride), second)
    assert_equal(F.conv2d(x, composed(first, second, stride), stride=stride), expected)


def test_composing_does_not_lose_what_float32_would() -> None:
    first, second = numbers(7, 2, 3, 3).float(), numbers(5, 7, 3, 3).float()
    assert composed(first, second).dtype == torch.float64


@pytest.mark.parametrize("factors", [(2,), (8,), (2, 4)])
def test_gathering_is_an_unshuffle_by_each_factor_in_turn(factors: tuple[int, ...]) -> None:
    x = torch.rand(1, 1, 16, 24)
    expected = x
    for factor in factors:
        expected = F.pixel_unshuffle(expected, factor)
    assert torch.equal(F.conv2d(x, gathering(*factors), stride=math.prod(factors)), expected)


def test_a_convolution_of_a_concatenation_is_a_sum_of_convolutions() -> None:
    a, b, weight = numbers(1, 3, 8, 9), numbers(1, 5, 8, 9, seed=1), numbers(4, 8, 3, 3, seed=2)
    for_a, for_b = split_inputs(weight, [3, 5])
    expected = F.conv2d(torch.cat((a, b), dim=1), weight, padding=1)
    assert_equal(F.conv2d(a, for_a, padding=1) + F.conv2d(b, for_b, padding=1), expected)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_a_channel_shuffle_is_folded_into_the_grouped_convolution_after_it(groups: int) -> None:
    a, b, weight = numbers(1, 16, 6, 7), numbers(1, 16, 6, 7, seed=1), numbers(8, 32 // groups, 3, 3, seed=2)
    expected = F.conv2d(shuffle_channels(torch.cat((a, b), dim=1), groups=2), weight, padding=1, groups=groups)
    for_a, for_b = split_shuffled_inputs(weight)
    found = F.conv2d(a, for_a, padding=1, groups=groups) + F.conv2d(b, for_b, padding=1, groups=groups)
    assert_equal(found, expected)


@pytest.mark.parametrize(("groups", "wanted"), [(4, 2), (4, 1), (8, 2), (6, 3)])
def test_groups_are_merged_by_zeros(groups: int, wanted: int) -> None:
    x, weight = numbers(1, 5 * groups, 6, 7), numbers(3 * groups, 5, 3, 3, seed=1)
    merged = merge_groups(weight, groups, wanted)
    assert_equal(F.conv2d(x, merged, groups=wanted), F.conv2d(x, weight, groups=groups))
    assert int((merged != 0).sum()) == weight.numel()


def test_a_dense_weight_needs_no_groups() -> None:
    x, weight = numbers(1, 12, 6, 7), numbers(4, 3, 3, 3, seed=1)
    assert_equal(F.conv2d(x, dense_weight(weight, 4)), F.conv2d(x, weight, groups=4))
