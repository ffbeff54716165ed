"""Companding: there and back, a line near black, and noise that is as strong in highlights as in shadows."""

import numpy as np
import torch

from rdi.camera import Cfa
from rdi.companding import ROOT_OF_TOE, TOE, compress, expand
from rdi.levels import to_light
from rdi.metadata import Companding, ModelMetadata, Rendering
from rdi.rendering import finish
from rdi.sensors.cameras import find_sensor
from rdi.simulate import Exposure, simulate

LIGHT = np.concatenate([-np.geomspace(1e-6, 400, 200)[::-1], [0], np.geomspace(1e-6, 400, 200)]).astype(np.float32)


def test_what_was_compressed_is_expanded_to_the_same_light():
    given = LIGHT.copy()
    compressed = compress(given)
    assert compressed.dtype == np.float32
    assert np.array_equal(given, LIGHT)
    np.testing.assert_allclose(expand(compressed), LIGHT, rtol=2e-6)
    np.testing.assert_allclose(expand(torch.from_numpy(compressed)).numpy(), LIGHT, rtol=2e-6)


def test_the_curve_is_the_documented_one_odd_and_straight_near_black():
    np.testing.assert_allclose(
        compress(LIGHT), np.sign(LIGHT) * (np.sqrt(np.abs(LIGHT) + TOE) - ROOT_OF_TOE), atol=1e-6, rtol=1e-5
    )
    assert np.array_equal(compress(-LIGHT), -compress(LIGHT))
    tiny = np.array([-1e-4, 1e-4], np.float32)
    np.testing.assert_allclose(compress(tiny), tiny / (2 * ROOT_OF_TOE), rtol=1e-3)
    assert (np.diff(compress(LIGHT)) > 0).all()


def test_noise_is_nearly_as_strong_in_highlights_as_in_shadows():
    def spread(companding: Companding) -> float:
        deviations = []
        for code in (100, 150, 200, 250):  # 0.15 to 0.95 of white, linear
            raw = simulate(np.full((128, 128, 3), code, np.uint8), Exposure(3200, 100, np.ones(3)), seed=code)
            light = to_light(raw.mosaic, raw.cfa, np.full(4, 512.0), 16383, 100, companding=companding)
            deviations.append(light[::2, 1::2].std())
        return float(max(deviations) / min(deviations))

    assert spread(Companding.ROOT) < 1.1
    assert spread(Companding.NONE) > 1.8


def test_the_mean_of_a_black_stays_0():
    raw = simulate(np.zeros((256, 256, 3), np.uint8), Exposure(3200, 300, np.ones(3)))
    light = to_light(raw.mosaic, raw.cfa, np.full(4, 512.0), 16383, 300, companding=Companding.ROOT)
    assert abs(light.mean()) < 0.05 * light.std()


def test_the_input_is_compressed_site_by_site_and_only_light_is_expanded():
    mosaic = np.random.default_rng(0).integers(400, 3000, (6, 8)).astype(np.uint16)
    levels = np.array([500.0, 512, 520, 524]), 16383, 30.0, np.array([2.0, 1, 1, 1.5])
    plain = to_light(mosaic, Cfa.RGGB, *levels)
    assert np.array_equal(to_light(mosaic, Cfa.RGGB, *levels, companding=Companding.ROOT), compress(plain))
    matrix = find_sensor("Nikon D850").srgb_from_camera
    output = np.random.default_rng(1).random((4, 6, 3), dtype=np.float32)
    for rendering, seen in ((Rendering.CAMERA, expand(output)), (Rendering.PAPER, output)):
        described = ModelMetadata(rendering=rendering)
        np.testing.assert_allclose(
            finish(output, described.replace(companding=Companding.ROOT), matrix), finish(seen, described, matrix)
        )
