"""The network's parts: put together again they are the network, in both forms."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from rdi.export.benchmarks.branch_speed import DEPLOYED, EAGER, PLAIN, BranchSpeeds, in_session, measure_branches
from rdi.export.benchmarks.branches import (
    HSE,
    LSE,
    MERGE,
    MSE,
    OUTPUT,
    PARTS,
    UNSHUFFLE,
    WHOLE,
    Part,
    deployed_parts,
    trained_parts,
)
from rdi.export.deployment import deploy
from rdi.network import RestorationNetwork, fold_weight_norm, plain_network
from rdi.runtime.timing import Latency

SIZE = (64, 96)


@pytest.fixture(scope="module")
def network() -> RestorationNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return plain_network(fold_weight_norm(RestorationNetwork().eval()))


def mosaic() -> Tensor:
    return torch.rand((1, 1, *SIZE), generator=torch.Generator().manual_seed(1))


def named(parts: Sequence[Part]) -> dict[str, Part]:
    return {part.name: part for part in parts}


def test_the_trained_parts_put_together_are_the_network(network: RestorationNetwork) -> None:
    parts = named(trained_parts(network))
    assert tuple(parts) == (*PARTS, WHOLE)
    x = parts[UNSHUFFLE].module(mosaic())
    merged = parts[MERGE].module(parts[MSE].module(x), parts[HSE].module(x))
    picture = parts[OUTPUT].module(parts[LSE].module(x), merged)
    assert torch.equal(picture, network(mosaic()))


def test_the_exported_parts_put_together_are_the_exported_network(network: RestorationNetwork) -> None:
    parts = named(deployed_parts(deploy(network)))
    pixels = parts[UNSHUFFLE].module(mosaic())
    merged = parts[MERGE].module(parts[MSE].module(pixels), parts[HSE].module(pixels))
    picture = parts[OUTPUT].module(mosaic(), *merged)
    assert torch.equal(picture, parts[WHOLE].module(mosaic()))


def test_a_part_runs_in_a_session_of_its_own_with_tensors_of_its_shapes(network: RestorationNetwork) -> None:
    part = named(trained_parts(network))[LSE]
    assert part.shapes(*SIZE) == [(1, 4, 32, 48)]
    found = in_session(part, SIZE, threads=1)()
    assert getattr(found, "shape", None) == (1, 12, 32, 48)


def test_every_part_is_timed_alone_in_three_ways(network: RestorationNetwork) -> None:
    speeds = measure_branches(network, (32, 64), threads=1, runs=1)
    assert list(speeds.ways) == [EAGER, PLAIN, DEPLOYED]
    assert set(speeds.ways[EAGER]) == set(speeds.ways[PLAIN]) == {*PARTS, WHOLE}
    assert set(speeds.ways[DEPLOYED]) == {*PARTS, WHOLE} - {LSE}


def test_the_sum_of_the_parts_stands_beside_the_whole() -> None:
    parts = {name: Latency(2.0, 3.0, 4.0) for name in PARTS} | {WHOLE: Latency(10.0, 11.0, 12.0)}
    deployed = {name: latency for name, latency in parts.items() if name != LSE}
    speeds = BranchSpeeds(64, 96, 1, 3, {EAGER: parts, DEPLOYED: deployed})
    assert (speeds.total(EAGER), speeds.total(DEPLOYED)) == (12.0, 10.0)
    assert speeds.to_dict()["sum_of_parts"] == {EAGER: 12.0, DEPLOYED: 10.0}
    table = speeds.markdown()
    assert "| LSE | 2.0 (3.0) | in output |" in table
    assert "| sum / whole | 1.20 | 1.00 |" in table
