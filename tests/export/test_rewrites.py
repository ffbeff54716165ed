"""The pairs that `rdi bench --rewrites` times compute the same, in PyTorch and as they are exported and run."""

from functools import cache

import numpy as np
import onnx
import pytest
import torch

from rdi.export.benchmarks.rewrite_speed import Gain, RewriteBenchmark, exported, pair
from rdi.export.benchmarks.rewrites import Rewrite, rewrites
from rdi.export.deployment.picture import LARGEST

SIZE = (96, 160)


@cache
def all_rewrites() -> dict[str, Rewrite]:
    return {rewrite.name: rewrite for rewrite in rewrites()}


def assert_same(before: np.ndarray, after: np.ndarray) -> None:
    """Equal within float32 rounding of the largest value; integers within one."""
    assert before.dtype == after.dtype
    assert before.shape == after.shape
    allowed = 1.0 if before.dtype == np.uint16 else 2e-6 * float(np.abs(before).max())
    found, expected = after.astype(np.float64), before.astype(np.float64)
    assert np.abs(found - expected).max() <= allowed
    spread = float(expected.std())
    assert spread > (LARGEST / 100 if before.dtype == np.uint16 else 1e-3), "nothing to compare"


@pytest.mark.parametrize("name", list(all_rewrites()))
def test_both_modules_of_a_pair_compute_the_same(name: str) -> None:
    rewrite = all_rewrites()[name]
    generator = torch.Generator().manual_seed(4)
    inputs = [
        torch.rand((1, channels, SIZE[0] // s, SIZE[1] // s), generator=generator) for channels, s in rewrite.inputs
    ]
    with torch.inference_mode():
        assert_same(rewrite.before(*inputs).numpy(), rewrite.after(*inputs).numpy())


@pytest.mark.parametrize("name", list(all_rewrites()))
def test_so_do_their_exports_in_the_sessions_that_are_timed(name: str) -> None:
    runs = pair(all_rewrites()[name], SIZE, threads=1)
    before, after = (np.asarray(runs[side]()).copy() for side in ("before", "after"))
    assert_same(before, after)


def test_a_pair_shows_what_its_rewrite_does_to_the_graph() -> None:
    def kinds(rewrite: Rewrite) -> tuple[set[str], set[str]]:
        shapes = [(1, channels, SIZE[0] // s, SIZE[1] // s) for channels, s in rewrite.inputs]
        sides = (exported(module, shapes, open_sizes=False) for module in (rewrite.before, rewrite.after))
        before, after = ({node.op_type for node in onnx.load_from_string(side).graph.node} for side in sides)
        return before, after

    before, after = kinds(all_rewrites()["unshuffle, then a convolution"])
    assert "Transpose" in before
    assert after == {"Conv"}
    before, after = kinds(all_rewrites()["convolution of a concatenation"])
    assert "Concat" in before
    assert "Concat" not in after
    before, after = kinds(all_rewrites()["HSE's last convolution, then the merge's first"])
    assert "ScatterElements" in after - before


def test_gains_are_told_by_the_minima() -> None:
    benchmark = RewriteBenchmark(2, 5, (Gain("one", 64, 96, 30.0, 12.0, 31.0, 14.0),))
    assert "| one | 64x96 | 30.0 | 12.0 | 18.0 | 2.50 |" in benchmark.markdown()
    (row,) = benchmark.to_dict()["rewrites"]
    assert row["times_as_fast"] == 2.5
    assert row["saved"] == 18
