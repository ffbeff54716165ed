"""What the page says of the exposure is what the amplifier did, by its own numbers."""

import numpy as np
import pytest

from rdi.amplifier import bin_edges
from rdi.camera import Cfa, RawPhoto
from rdi.metadata import ModelMetadata
from rdi.runtime.exposure import BURNT_SHARE, Exposure, ExposureMode, choose_amplification
from rdi.runtime.report.explanation import explain


def hall_with_lights() -> RawPhoto:
    mosaic = np.random.default_rng(3).poisson(40, (80, 100)) + 512
    mosaic.ravel()[::20] = 3000
    mosaic.ravel()[7::100] = 16383
    return RawPhoto(
        mosaic.astype(np.uint16), Cfa.RGGB, np.array([510.0, 511, 512, 513]), 16383.0, np.array([2.4, 1.0, 1.6])
    )


def test_the_bins_hold_every_pixel_below_white_once() -> None:
    photo, model = hall_with_lights(), ModelMetadata()
    told = explain(photo, model, choose_amplification(photo, model, Exposure()))
    black = photo.cfa.tile(photo.black_level, *photo.mosaic.shape).astype(np.float32)
    x = (np.maximum(photo.mosaic - black, 0) / (np.float32(16383) - black)).astype(np.float32)
    inside, _ = np.histogram(x[x < 1], bin_edges())
    assert told.shares * x.size == pytest.approx(inside)
    assert told.at_white == pytest.approx(0.01)
    assert told.shares.sum() + told.at_white == pytest.approx(1)


def test_eq_5_comes_out_of_the_mean_and_the_limit_is_what_auto_held_back_to() -> None:
    photo, model = hall_with_lights(), ModelMetadata()
    chosen = choose_amplification(photo, model, Exposure())
    told = explain(photo, model, chosen)
    assert told.mean is not None
    assert model.m * 0.01 / told.mean == pytest.approx(chosen.estimate)
    assert chosen.held_back
    assert told.limit == chosen.chosen
    assert told.burnt <= BURNT_SHARE
    assert told.burnt_by_estimate is not None
    assert told.burnt_by_estimate > BURNT_SHARE


def test_a_factor_that_was_given_is_explained_too() -> None:
    photo, model = hall_with_lights(), ModelMetadata()
    told = explain(photo, model, choose_amplification(photo, model, Exposure(ExposureMode.NUMBER, 7000.0)))
    assert told.burnt_by_estimate is None
    assert told.burnt > 0.9
