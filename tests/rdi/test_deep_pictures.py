"""Finished pictures with all their bits."""

import io

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from rdi.deep_pictures import load_deep_picture
from rdi.errors import InputError
from rdi.pictures import load_picture

DEEP = np.random.default_rng(0).integers(0, 65536, (20, 31, 3)).astype(np.uint16)


def test_eight_bits_are_spread_over_sixteen(tmp_path):
    for name in ("a.png", "a.jpg", "a.tif"):
        Image.fromarray((DEEP >> 8).astype(np.uint8)).save(tmp_path / name)
        deep = load_deep_picture(tmp_path / name)
        assert deep.dtype == np.uint16
        assert np.array_equal(deep, load_picture(tmp_path / name).astype(np.uint16) * 257)


@pytest.mark.parametrize("compression", ["none", "deflate", "lzw"])
def test_sixteen_bit_tiffs_come_back_as_they_were(tmp_path, compression):
    tifffile.imwrite(tmp_path / "a.tif", DEEP, photometric="rgb", compression=compression)
    assert np.array_equal(load_deep_picture(tmp_path / "a.tif"), DEEP)


def test_sixteen_bit_pngs_come_back_and_lose_their_alpha(tmp_path):
    alpha = np.concatenate([DEEP, np.full((20, 31, 1), 65535, np.uint16)], axis=2)
    for name, picture in (("a.png", DEEP), ("b.png", alpha)):
        (tmp_path / name).write_bytes(imagecodecs.png_encode(picture))
        assert np.array_equal(load_deep_picture(tmp_path / name), DEEP)


def test_the_orientation_is_applied(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", DEEP, photometric="rgb", extratags=[(274, "H", 1, 6, True)])
    assert np.array_equal(load_deep_picture(tmp_path / "a.tif"), np.rot90(DEEP, -1))


def test_another_profile_is_converted_as_for_eight_bits(tmp_path):
    smooth = np.linspace(0, 65535, 20 * 31 * 3).reshape(20, 31, 3).astype(np.uint16)
    profile = imagecodecs.cms_profile("adobergb")
    tifffile.imwrite(tmp_path / "a.tif", smooth, photometric="rgb", iccprofile=profile)
    Image.fromarray((smooth >> 8).astype(np.uint8)).save(tmp_path / "b.tif", icc_profile=profile)
    assert np.abs(load_deep_picture(tmp_path / "a.tif") / 257 - load_picture(tmp_path / "b.tif")).max() < 4
    assert np.abs(load_deep_picture(tmp_path / "a.tif").astype(int) - smooth).max() > 1000


def test_an_srgb_profile_changes_nothing_to_speak_of(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    tifffile.imwrite(tmp_path / "a.tif", DEEP, photometric="rgb", iccprofile=profile)
    assert np.abs(load_deep_picture(tmp_path / "a.tif").astype(int) - DEEP).max() <= 2
    tifffile.imwrite(tmp_path / "b.tif", DEEP, photometric="rgb", iccprofile=b"no profile")
    assert np.array_equal(load_deep_picture(tmp_path / "b.tif"), DEEP)


def test_damaged_and_missing_files_are_named(tmp_path):
    with pytest.raises(InputError, match="missing"):
        load_deep_picture(tmp_path / "none.png")
    buffer = io.BytesIO(imagecodecs.png_encode(DEEP))
    (tmp_path / "cut.png").write_bytes(buffer.getvalue()[:-900])
    with pytest.raises(InputError, match=r"cut.png cannot be read"):
        load_deep_picture(tmp_path / "cut.png")
