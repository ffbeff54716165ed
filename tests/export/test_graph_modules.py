import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rdi.amplifier import (
    MConvention,
    count_raw_values,
    estimate_amplification,
    normalised_values,
    weights_of,
)
from rdi.camera import Cfa, RawPhoto
from rdi.companding import compress
from rdi.export.amplifier import Amplifier
from rdi.export.deployment.picture import quantise
from rdi.export.graph import RestorationGraph
from rdi.export.sites import Sites
from rdi.metadata import BelowBlack, Companding, ModelMetadata


class Passing(torch.nn.Module):
    """In place of the network: red is the mosaic itself, green a half, blue the mosaic's negative light."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = quantise(torch.stack((x, torch.full_like(x, 0.5), -x), dim=-1)[0])
        return out


def scalar(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float32)


@pytest.mark.parametrize("cfa", [Cfa.RGGB, Cfa.XTRANS])
def test_site_values_lie_where_the_cfa_has_them(cfa: Cfa) -> None:
    sites = Sites(cfa)
    values = np.arange(cfa.sites, dtype=np.float64)
    mosaic = torch.zeros((1, 1, 64, 96))
    spread = (sites.view(mosaic) + sites.tile(torch.from_numpy(values), mosaic)).view(64, 96)
    assert np.array_equal(spread.numpy(), cfa.tile(values, 64, 96))


@given(black=st.floats(0, 4000), span=st.floats(1, 60_000))
def test_every_raw_value_falls_into_the_bin_of_the_reference(black: float, span: float) -> None:
    white = float(np.float32(black + span))
    amplifier = Amplifier(Cfa.RGGB, MConvention.BEFORE_CLIP)
    weights, weighted = amplifier.tables(torch.full((1,), black, dtype=torch.float32), scalar(white))
    x = normalised_values(black, white)
    assert np.array_equal(weights.numpy(), weights_of(x))
    assert np.array_equal(weighted.numpy(), weights_of(x) * x)


@pytest.mark.parametrize("convention", list(MConvention))
@pytest.mark.parametrize("cfa", [Cfa.RGGB, Cfa.XTRANS])
def test_the_amplifier_equals_the_reference_with_a_black_level_for_each_site(cfa: Cfa, convention: MConvention) -> None:
    black = 500 + np.arange(cfa.sites) % 5 + 0.5 * (np.arange(cfa.sites) % 2)
    mosaic = (500 + np.random.default_rng(3).poisson(np.linspace(0, 900, 64 * 96))).reshape(64, 96).astype(np.uint16)
    photo = RawPhoto(mosaic, cfa, black, 4000.0)
    expected = estimate_amplification(count_raw_values(photo), black, 4000.0, 8.0, convention)
    found = Amplifier(cfa, convention)(
        torch.from_numpy(mosaic)[None, None], torch.from_numpy(black.astype(np.float32)), scalar(4000), scalar(8)
    )
    assert float(found) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("value", "expected"), [(400, 300.0), (512, 300.0), (16383, 1.0), (65535, 1.0)])
def test_black_frames_give_300_and_white_ones_1(value: int, expected: float) -> None:
    mosaic = torch.full((1, 1, 32, 32), value, dtype=torch.int32).to(torch.uint16)
    found = Amplifier(Cfa.RGGB, MConvention.BEFORE_CLIP)(mosaic, torch.full((4,), 512.0), scalar(16383), scalar(5))
    assert float(found) == expected


def test_the_conventions_differ_in_the_place_of_m() -> None:
    mosaic = torch.full((1, 1, 32, 32), 513, dtype=torch.int32).to(torch.uint16)
    before, after = (
        float(Amplifier(Cfa.RGGB, convention)(mosaic, torch.full((4,), 512.0), scalar(16383), scalar(8)))
        for convention in (MConvention.BEFORE_CLIP, MConvention.AFTER_CLIP)
    )
    assert before == 300
    assert after == pytest.approx(8 * 158.71)


@pytest.mark.parametrize("companding", list(Companding))
@pytest.mark.parametrize(("below_black", "least"), [(BelowBlack.KEPT, -np.inf), (BelowBlack.CUT, 0)])
def test_levels_gains_and_amplification_reach_the_network(
    below_black: BelowBlack, least: float, companding: Companding
) -> None:
    graph = RestorationGraph(Passing(), ModelMetadata(below_black=below_black, companding=companding))
    mosaic = np.random.default_rng(1).integers(400, 900, (32, 64)).astype(np.uint16)
    black, gains = np.array([510.0, 512, 514, 520.5]), np.array([2.0, 1, 1, 1.5])
    rgb, used = graph(
        torch.from_numpy(mosaic)[None, None],
        torch.from_numpy(black.astype(np.float32)),
        scalar(4512),
        torch.from_numpy(gains.astype(np.float32)),
        scalar(3),
        scalar(5),
    )
    tiled = Cfa.RGGB.tile(black, 32, 64)
    x = np.maximum(mosaic - tiled, least) / (4512 - tiled) * 3 * Cfa.RGGB.tile(gains, 32, 64)
    x = compress(x.astype(np.float32)) if companding is Companding.ROOT else x
    assert float(used) == 3
    assert np.abs(rgb[0, :, :, 0].numpy() / 65535 - np.maximum(x, 0)).max() <= 0.5 / 65535 + 1e-6
    assert (rgb[0, :, :, 1] == 32768).all()
    assert np.abs(rgb[0, :, :, 2].numpy() / 65535 - np.maximum(-x, 0)).max() <= 0.5 / 65535 + 1e-6


def test_an_amplification_that_is_not_above_0_is_estimated() -> None:
    graph = RestorationGraph(Passing(), ModelMetadata())
    mosaic = torch.full((1, 1, 32, 32), 612, dtype=torch.int32).to(torch.uint16)
    levels = (torch.full((4,), 512.0), scalar(16383), torch.ones(4))
    estimate = graph.amplifier(mosaic, levels[0], levels[1], scalar(5))
    assert 1 < float(estimate) < 300
    for amplification in (0.0, -1.0):
        assert graph(mosaic, *levels, scalar(amplification), scalar(5))[1] == estimate
    assert graph(mosaic, *levels, scalar(0.5), scalar(5))[1] == 0.5
