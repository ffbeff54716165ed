"""Finished pictures come in as upright sRGB, whatever they were."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from rdi.camera import RawPhoto
from rdi.camera.dng import write_dng
from rdi.errors import InputError
from rdi.pictures import load_picture, shrink

COLOURS = np.random.default_rng(4).integers(0, 256, (10, 14, 3), dtype=np.uint8)


def save(picture: Image.Image, path: Path, **options: Any) -> Path:
    picture.save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "bmp", "ppm"])
def test_a_lossless_picture_comes_in_as_it_is(suffix: str, tmp_path: Path) -> None:
    options = {"lossless": True} if suffix == "webp" else {}
    loaded = load_picture(save(Image.fromarray(COLOURS), tmp_path / f"a.{suffix}", **options))
    assert np.array_equal(loaded, COLOURS)
    assert loaded.flags.writeable


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_applied(orientation: int, tmp_path: Path) -> None:
    stored = {  # how an upright picture is stored with this orientation
        1: COLOURS,
        2: COLOURS[:, ::-1],
        3: COLOURS[::-1, ::-1],
        4: COLOURS[::-1],
        5: COLOURS.transpose(1, 0, 2),
        6: np.rot90(COLOURS),
        7: np.rot90(COLOURS, 2).transpose(1, 0, 2),
        8: np.rot90(COLOURS, -1),
    }[orientation]
    exif = Image.Exif()
    exif[274] = orientation
    path = save(Image.fromarray(np.ascontiguousarray(stored)), tmp_path / "a.png", exif=exif)
    assert np.array_equal(load_picture(path), COLOURS)


def test_grey_is_spread_over_three_channels(tmp_path: Path) -> None:
    loaded = load_picture(save(Image.fromarray(COLOURS[..., 0]), tmp_path / "grey.png"))
    assert np.array_equal(loaded, np.repeat(COLOURS[..., :1], 3, axis=2))


def test_sixteen_bits_are_rounded_to_eight(tmp_path: Path) -> None:
    deep = np.array([[0, 128, 129, 257, 65535]], dtype=np.uint16)
    loaded = load_picture(save(Image.fromarray(deep), tmp_path / "deep.png"))
    assert loaded[0, :, 0].tolist() == [0, 0, 1, 1, 255]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_shows_black(mode: str, tmp_path: Path) -> None:
    picture = Image.new("RGBA", (4, 4), (200, 200, 200, 255))
    picture.putpixel((0, 0), (200, 200, 200, 0))
    loaded = load_picture(save(picture.convert(mode), tmp_path / "alpha.png"))
    assert loaded[0, 0].tolist() == [0, 0, 0]
    assert loaded[1, 1].tolist() == [200, 200, 200]


@pytest.mark.parametrize("mode", ["P", "1", "CMYK", "YCbCr", "LAB"])
def test_other_modes_become_rgb(mode: str, tmp_path: Path) -> None:
    picture = Image.new("LAB", (8, 6)) if mode == "LAB" else Image.fromarray(COLOURS).convert(mode)
    suffix = "png" if mode in ("P", "1") else "tif"
    assert load_picture(save(picture, tmp_path / f"a.{suffix}")).shape[2] == 3


def test_a_palettes_transparent_colour_shows_black(tmp_path: Path) -> None:
    picture = Image.new("P", (2, 1), 1)
    picture.putpalette([0, 255, 0, 9, 8, 7])
    picture.putpixel((0, 0), 0)
    loaded = load_picture(save(picture, tmp_path / "a.png", transparency=0))
    assert loaded[0].tolist() == [[0, 0, 0], [9, 8, 7]]


def test_an_srgb_profile_changes_nothing(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = save(Image.fromarray(COLOURS), tmp_path / "a.png", icc_profile=profile)
    assert np.array_equal(load_picture(path), COLOURS)


def swapped_profile() -> bytes:
    """The sRGB profile with the primaries of red and blue exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ", 128), profile.index(b"bXYZ", 128)
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile)


def test_another_profile_is_converted(tmp_path: Path) -> None:
    path = save(Image.fromarray(COLOURS), tmp_path / "a.png", icc_profile=swapped_profile())
    difference = load_picture(path).astype(int) - COLOURS[..., ::-1]
    assert np.abs(difference).max() <= 2


@pytest.mark.parametrize("profile", [b"not a profile", b""])
def test_a_profile_that_cannot_be_read_is_passed_over(profile: bytes, tmp_path: Path) -> None:
    path = save(Image.fromarray(COLOURS), tmp_path / "a.png", icc_profile=profile)
    assert np.array_equal(load_picture(path), COLOURS)


def test_a_profile_of_another_mode_is_passed_over(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    path = save(Image.fromarray(COLOURS), tmp_path / "a.png", icc_profile=profile)
    assert np.array_equal(load_picture(path), COLOURS)


@pytest.mark.parametrize("content", [b"", b"a text\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0 no"])
def test_what_is_no_picture_is_an_input_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.jpg"):
        load_picture(path)


def test_a_missing_file_and_a_folder_are_input_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="missing"):
        load_picture(tmp_path / "none.jpg")
    with pytest.raises(InputError, match="no regular file"):
        load_picture(Path("/dev/null"))
    with pytest.raises(InputError, match="a folder"):
        load_picture(tmp_path)


def test_half_a_jpeg_is_an_input_error(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)).save(buffer, "JPEG")
    path = tmp_path / "half.jpg"
    path.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    with pytest.raises(InputError, match="truncated"):
        load_picture(path)


def test_a_floating_point_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="floating-point"):
        load_picture(save(Image.fromarray(np.ones((4, 4), dtype=np.float32)), tmp_path / "a.tif"))


def test_a_raw_photo_is_not_taken_for_a_picture(dark_photo: RawPhoto, tmp_path: Path) -> None:
    write_dng(dark_photo, tmp_path / "a.dng")
    with pytest.raises(InputError, match="camera raw file"):
        load_picture(tmp_path / "a.dng")


def test_a_renamed_dng_is_known_by_its_tag_although_its_preview_could_be_read(tmp_path: Path) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[50706] = b"\x01\x04\0\0"
    tags.tagtype[50706] = 1
    path = save(Image.fromarray(COLOURS), tmp_path / "a.tif", tiffinfo=tags)
    with pytest.raises(InputError, match="camera raw file"):
        load_picture(path)


def test_shrinking_keeps_the_proportions_and_never_enlarges() -> None:
    assert shrink(np.zeros((100, 300, 3), dtype=np.uint8), 150).shape == (50, 150, 3)
    assert np.array_equal(shrink(COLOURS, 150), COLOURS)
