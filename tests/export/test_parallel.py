"""Branches in sequence and all at once: one picture, and a verdict that follows from the figures."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from rdi.export.benchmarks.branch_speed import graph
from rdi.export.benchmarks.parallel import InStreams, InThreads, in_sequence, restore
from rdi.export.benchmarks.parallel_speed import (
    SEQUENCE,
    ParallelSpeeds,
    Trial,
    cuda_ways,
    measure_parallel,
    onnxruntime_ways,
    session,
    verdict,
)
from rdi.export.deployment import deploy
from rdi.network import RestorationNetwork, fold_weight_norm, plain_network
from rdi.runtime.timing import Latency

MOSAIC = torch.rand((1, 1, 64, 96), generator=torch.Generator().manual_seed(2))


@pytest.fixture(scope="module")
def network() -> RestorationNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return plain_network(fold_weight_norm(RestorationNetwork().eval()))


def test_branches_at_once_give_the_networks_picture(network: RestorationNetwork) -> None:
    picture = network(MOSAIC)
    assert torch.equal(restore(network, MOSAIC, in_sequence), picture)
    torch.testing.assert_close(restore(network, MOSAIC, InThreads(1)), picture, rtol=0, atol=1e-6)


def test_threads_of_the_branches_leave_the_callers_number_alone(network: RestorationNetwork) -> None:
    before = torch.get_num_threads()
    restore(network, MOSAIC, InThreads(before + 1))
    assert torch.get_num_threads() == before


class PretendedCuda:
    """Keeps what is asked of streams; runs on the CPU."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.made = 0

    def Stream(self) -> "PretendedStream":  # noqa: N802
        self.made += 1
        return PretendedStream(f"stream {self.made}", self)

    def current_stream(self) -> "PretendedStream":
        return PretendedStream("current", self)

    @contextmanager
    def stream(self, stream: "PretendedStream") -> Iterator[None]:
        self.said.append(f"on {stream.name}")
        yield


class PretendedStream:
    def __init__(self, name: str, cuda: PretendedCuda) -> None:
        self.name, self.cuda = name, cuda

    def wait_stream(self, other: "PretendedStream") -> None:
        self.cuda.said.append(f"{self.name} waits for {other.name}")


def test_streams_wait_for_what_came_before_and_what_comes_after_waits_for_them(network: RestorationNetwork) -> None:
    cuda = PretendedCuda()
    picture = restore(network, MOSAIC, InStreams(cuda))
    assert torch.equal(picture, network(MOSAIC))
    queued = [f"stream {i} waits for current on stream {i}".split(" on ") for i in (1, 2, 3)]
    assert cuda.said == [
        *(text for waits, on in queued for text in (waits, f"on {on}")),
        *(f"current waits for stream {i}" for i in (1, 2, 3)),
    ]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU and a PyTorch built for CUDA")
def test_on_a_gpu_streams_give_the_picture_of_the_sequence(network: RestorationNetwork) -> None:
    ways = cuda_ways(network, MOSAIC)
    sequence, streams = (way() for way in ways.values())
    assert isinstance(sequence, torch.Tensor)
    assert isinstance(streams, torch.Tensor)
    torch.testing.assert_close(streams, sequence)


@pytest.mark.parametrize("deployed", [False, True])
def test_a_session_that_runs_operators_at_once_gives_the_same_picture(
    network: RestorationNetwork, deployed: bool
) -> None:
    content = graph(deploy(network) if deployed else network, [MOSAIC.shape])
    size, inputs = (64, 96), {"x0": MOSAIC.numpy()}
    pictures = [session(content, size, *counts).run(["out"], inputs)[0] for counts in ((1, 2), (3, 1))]
    expected = np.moveaxis(network(MOSAIC).numpy(), 1, -1) * 65535 if deployed else network(MOSAIC).numpy()
    for picture in pictures:
        np.testing.assert_allclose(picture, expected, atol=1 if deployed else 2e-5)


def test_a_fair_setting_has_as_many_threads_in_all() -> None:
    assert list(onnxruntime_ways(2).values()) == [(1, 2), (2, 1), (3, 2)]
    assert list(onnxruntime_ways(8).values()) == [(1, 8), (3, 2), (3, 8)]
    assert list(onnxruntime_ways(1).values()) == [(1, 1), (3, 1)]


def trial(way: str, minimum: float, median: float) -> Trial:
    return Trial(way, Latency(minimum, median, median))


@pytest.mark.parametrize(
    ("at_once", "said"),
    [
        ((65.0, 70.0), "save 35% of the time, as the paper says, or more."),
        ((90.0, 93.0), "save 10% of the time, less than the paper's 30%."),
        ((90.0, 110.0), "take 0.90 times as long: no difference beyond noise."),
        ((102.0, 108.0), "take 1.02 times as long: no difference beyond noise."),
        ((180.0, 200.0), "cost 80% more time at best (3 streams): in sequence is faster."),
    ],
)
def test_the_verdict_follows_from_minima_and_medians(at_once: tuple[float, float], said: str) -> None:
    trials = (trial(SEQUENCE, 100, 102), trial("slow", 300, 310), trial("3 streams", *at_once))
    assert verdict("Engine", trials).startswith("Engine: branches at once ")
    assert verdict("Engine", trials).endswith(said)


def test_the_table_has_every_way_with_its_ratio_and_the_verdicts() -> None:
    trials = (trial(SEQUENCE, 100, 102), trial("at once", 180, 200))
    speeds = ParallelSpeeds(64, 96, 2, 3, {"Engine": trials}, ("a note",))
    table = speeds.markdown()
    assert "| Engine | at once | 180 | 200 | 200 | 1.80 |" in table
    assert f"- {verdict('Engine', trials)}\n- a note" in table
    once = ParallelSpeeds(64, 96, 2, 1, {"Engine": trials}, ())
    assert once.verdicts() == [f"{verdict('Engine', trials)} (1 run of each: too few to rely on)"]
    assert speeds.to_dict()["engines"]["Engine"][1]["parallel"] is True


def test_every_engine_is_measured_with_the_sequence_first(network: RestorationNetwork) -> None:
    speeds = measure_parallel(network, (32, 64), threads=1, runs=1)
    assert list(speeds.engines)[:3] == ["PyTorch", "ONNX Runtime, as trained", "ONNX Runtime, rdi's form"]
    for trials in speeds.engines.values():
        assert [trial.parallel for trial in trials] == [False] + [True] * (len(trials) - 1)
        assert len(trials) >= 2
