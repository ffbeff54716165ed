"""The tone curve and the matrices, against the standards and against LibRaw's own rendering."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rdi import color
from rdi.camera import Cfa, RawPhoto
from rdi.camera.dng import encode_dng
from rdi.errors import LevelsError
from rdi.model_kinds import Curve

CODES = np.linspace(0, 1, 4097, dtype=np.float32)


def test_encoding_is_the_inverse_of_decoding_but_for_the_standards_step() -> None:
    """BT.709's rounded constants leave a step of 0.00025 at the knee; no light has the codes within it."""
    difference = np.abs(color.encode(color.decode(CODES)) - CODES)
    outside = (CODES < 0.081) | (CODES > 0.0813)
    assert difference[outside].max() < 1e-5
    assert difference.max() < 2.5e-4


@pytest.mark.parametrize(
    ("linear", "code"), [(0, 0), (0.01, 0.045), (0.018, 0.081), (0.5, 0.70552), (0.9, 0.94911), (1, 1)]
)
def test_the_curve_has_the_values_of_bt_709(linear: float, code: float) -> None:
    assert color.encode(np.array([linear], dtype=np.float32))[0] == pytest.approx(code, abs=3e-4)


@pytest.mark.parametrize(
    ("linear", "code"), [(0, 0), (0.002, 0.02584), (0.0031308, 0.04045), (0.214, 0.49998), (0.5, 0.73536), (1, 1)]
)
def test_srgbs_curve_has_the_values_of_iec_61966(linear: float, code: float) -> None:
    assert color.encode(np.array([linear], dtype=np.float32), Curve.SRGB)[0] == pytest.approx(code, abs=3e-5)


@pytest.mark.parametrize("curve", Curve)
def test_every_curve_rises_everywhere_and_is_undone(curve: Curve) -> None:
    assert (np.diff(color.encode(CODES, curve)) > 0).all()
    assert np.abs(color.decode(color.encode(CODES, curve), curve) - CODES).max() < 1e-5


def test_values_outside_are_clipped() -> None:
    outside = np.array([-0.5, 1.5], dtype=np.float32)
    assert color.encode(outside).tolist() == [0, 1]
    assert color.decode(outside).tolist() == [0, 1]


def test_a_cameras_matrix_keeps_white_white_both_ways() -> None:
    there = color.camera_from_srgb(color.A7S2_CAMERA_FROM_XYZ)
    back = color.srgb_from_camera(color.A7S2_CAMERA_FROM_XYZ)
    assert there.sum(axis=1) == pytest.approx([1, 1, 1])
    assert back.sum(axis=1) == pytest.approx([1, 1, 1])
    assert there @ back == pytest.approx(np.eye(3), abs=1e-12)


@given(scale=st.tuples(*[st.floats(0.1, 10)] * 3))
def test_the_scale_of_a_cameras_channels_does_not_matter(scale: tuple[float, float, float]) -> None:
    scaled = np.array(scale)[:, None] * color.A7S2_CAMERA_FROM_XYZ
    assert color.srgb_from_camera(scaled) == pytest.approx(color.srgb_from_camera(color.A7S2_CAMERA_FROM_XYZ), rel=1e-9)


def test_daylight_gains_make_d65_neutral() -> None:
    white = np.array([0.95047, 1.0, 1.08883])  # CIE XYZ of D65
    balanced = color.A7S2_CAMERA_FROM_XYZ @ white * color.daylight_gains(color.A7S2_CAMERA_FROM_XYZ)
    assert balanced == pytest.approx(np.full(3, balanced[1]), rel=1e-3)


@pytest.mark.parametrize("matrix", [np.zeros((3, 3)), np.ones((3, 3)), np.full((3, 3), np.nan), -np.eye(3)])
def test_a_matrix_that_cannot_be_inverted_is_refused(matrix: NDArray[np.float64]) -> None:
    with pytest.raises(LevelsError, match="cannot be inverted"):
        color.srgb_from_camera(matrix)


def test_a_matrix_multiplies_each_pixel() -> None:
    picture = np.array([[[1, 0, 0], [0, 1, 0]]], dtype=np.float32)
    matrix = np.arange(9, dtype=np.float64).reshape(3, 3)
    assert color.apply_matrix(picture, matrix).tolist() == [[[0, 3, 6], [1, 4, 7]]]


def test_levels_balance_matrix_and_curve_together_are_what_libraw_renders() -> None:
    """Flat patches of any colour: what we compute from the mosaic is LibRaw's default rendering of the same DNG."""
    import rawpy

    generator = np.random.default_rng(11)
    black, white, side, patches = 512, 16383, 24, 12
    gains = np.array([2.1, 1.0, 1.6])
    counted = generator.uniform(0.02, 0.95, (patches, 3)) / gains  # camera RGB before the balance
    counted[0] = [0.001, 0.002, 0.001]  # below the curve's knee
    tiles = np.repeat(np.repeat(counted[None], side, axis=0), side, axis=1)  # (side, patches * side, 3)
    sites = Cfa.GRBG.colours[np.arange(side)[:, None] % 2, np.arange(patches * side) % 2]
    values = np.take_along_axis(tiles, sites[..., None].astype(np.int64), axis=2)[..., 0]
    mosaic = np.rint(black + values * (white - black)).astype(np.uint16)
    photo = RawPhoto(
        mosaic, Cfa.GRBG, np.array([black]), white, white_balance=gains, camera_from_xyz=color.A7S2_CAMERA_FROM_XYZ
    )
    with rawpy.imread(io.BytesIO(encode_dng(photo))) as raw:
        rendered = raw.postprocess(
            use_camera_wb=True,
            no_auto_bright=True,
            adjust_maximum_thr=0.0,
            output_bps=16,
            demosaic_algorithm=rawpy.DemosaicAlgorithm.LINEAR,
        )
    middles = rendered[side // 2, side // 2 :: side] / 65535
    linear = (counted * gains).astype(np.float32)[None]
    ours = color.encode(color.apply_matrix(linear, color.srgb_from_camera(color.A7S2_CAMERA_FROM_XYZ)))[0]
    assert np.abs(middles - ours).max() < 1e-3
