import io

import numpy as np
from PIL import Image, ImageCms

from rdi import color
from rdi.metadata import Curve
from rdi.runtime.pictures.icc import icc_profile

SRGB = ImageCms.createProfile("sRGB")


def srgb_encode(linear: np.ndarray) -> np.ndarray:
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.power(linear, 1 / 2.4) - 0.055)


def to_srgb(codes: np.ndarray, curve: Curve = Curve.BT709) -> np.ndarray:
    """Through the profile, with Little CMS: (H, W, 3) uint8 -> (H, W, 3) uint8."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile(curve)))
    converted = ImageCms.profileToProfile(Image.fromarray(codes), profile, ImageCms.ImageCmsProfile(SRGB))
    assert converted is not None
    return np.asarray(converted)


def test_the_profile_turns_the_models_curve_into_srgbs() -> None:
    codes = np.random.default_rng(5).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    linear = color.decode(codes.astype(np.float32) / np.float32(255))
    expected = np.rint(srgb_encode(linear) * 255)
    assert np.abs(to_srgb(codes).astype(int) - expected).max() <= 1


def test_a_picture_with_srgbs_curve_stays_as_it_is() -> None:
    codes = np.random.default_rng(6).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert np.abs(to_srgb(codes, Curve.SRGB).astype(int) - codes).max() <= 1
    assert b"sRGB curve" in icc_profile(Curve.SRGB)


def test_grey_stays_grey() -> None:
    grey = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    converted = to_srgb(grey).astype(int)
    assert np.ptp(converted, axis=2).max() == 0
    assert converted[0, 0, 0] == 0
    assert converted[0, 255, 0] == 255


def test_primaries_are_srgbs() -> None:
    ours = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile(Curve.BT709))).profile
    theirs = ImageCms.ImageCmsProfile(SRGB).profile
    for name in ("red_colorant", "green_colorant", "blue_colorant"):
        assert np.allclose(getattr(ours, name)[0], getattr(theirs, name)[0], atol=2e-4)


def test_it_says_what_it_is_and_is_the_same_each_time() -> None:
    content = icc_profile(Curve.BT709)
    profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
    assert ImageCms.getProfileDescription(profile).strip() == "sRGB primaries, BT.709 curve (rdi)"
    icc_profile.cache_clear()
    assert icc_profile(Curve.BT709) == content
    assert int.from_bytes(content[:4], "big") == len(content) < 4096
