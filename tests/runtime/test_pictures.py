import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, JpegImagePlugin

from rdi import __version__
from rdi.depth import to_8_bits
from rdi.errors import OutputError, UsageError
from rdi.metadata import ModelMetadata
from rdi.runtime import Amplification, ExposureMode, PictureSettings, Provider, Restored, save_picture
from rdi.runtime.pictures import Format, choose_settings
from rdi.runtime.pictures.icc import icc_profile

ALL = [("a.jpg", 8), ("a.png", 8), ("a.png", 16), ("a.tif", 16)]


def photo_exif() -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x010E], exif[0x0112] = "SONY", "ILCE-7RM3", "my caption", 1
    exif[0x8769] = {0x829A: 1 / 640, 0x8827: 3200, 0xA002: 9999}
    exif[0x8825] = {1: "N", 2: (47.0, 30.0, 0.5)}
    return exif.tobytes().removeprefix(b"Exif\0\0")


def restored_picture(height: int = 75, width: int = 101, exif: bytes | None = None) -> Restored:
    rows, columns = np.mgrid[:height, :width]
    image = np.stack([rows * 800, columns * 600, (rows + columns) * 300], axis=-1).astype(np.uint16)
    image[:4] = np.random.default_rng(2).integers(0, 65536, image[:4].shape)
    amplification = Amplification(27.0, ExposureMode.AUTO, 30.0)
    metadata = ModelMetadata(variant="tiny", weights_sha256="abcdef0123456789")
    block = photo_exif() if exif is None else exif
    return Restored(image, amplification, {}, Provider.CPU, metadata, block, (2.46875, 1.0, 1.52734375))


def saved(path: Path, bits: int, restored: Restored) -> Path:
    save_picture(restored, path, choose_settings(path, bits=bits))
    return path


def pixels(path: Path) -> np.ndarray:
    if path.suffix == ".tif":
        return np.asarray(tifffile.imread(path))
    return np.asarray(imagecodecs.png_decode(path.read_bytes()))


@pytest.mark.parametrize(("name", "bits"), [item for item in ALL if item[0] != "a.jpg"])
@pytest.mark.parametrize("size", [(75, 101), (1, 1), (64, 2), (200, 33)])
def test_png_and_tiff_are_exact(tmp_path: Path, name: str, bits: int, size: tuple[int, int]) -> None:
    restored = restored_picture(*size)
    expected = restored.image if bits == 16 else np.rint(restored.image / 257)
    assert np.array_equal(pixels(saved(tmp_path / name, bits, restored)), expected)


def test_a_turned_view_is_written_as_it_looks(tmp_path: Path) -> None:
    restored = restored_picture()
    turned = replace(restored, image=np.rot90(restored.image))
    for name in ("a.png", "a.tif"):
        assert np.array_equal(pixels(saved(tmp_path / name, 16, turned)), np.rot90(restored.image))


def test_a_jpeg_is_close_and_keeps_its_colours_at_full_resolution(tmp_path: Path) -> None:
    restored = restored_picture()
    with Image.open(saved(tmp_path / "a.jpg", 8, restored)) as image:
        assert JpegImagePlugin.get_sampling(image) == 0  # 4:4:4
        decoded = np.asarray(image).astype(int)
    assert np.abs(decoded[8:] - restored.image[8:] / 257).mean() < 2


def test_quality_is_kept(tmp_path: Path) -> None:
    restored = restored_picture()
    sizes = []
    for quality in (30, 95):
        save_picture(restored, tmp_path / "a.jpg", PictureSettings(quality=quality))
        sizes.append((tmp_path / "a.jpg").stat().st_size)
    assert sizes[0] < sizes[1] / 1.5


def test_rounding_to_8_bits_is_to_the_nearest_for_every_value() -> None:
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(to_8_bits(values), np.rint(values.astype(np.float64) / 257))


def tags_of(path: Path) -> tuple[dict[int, Any], dict[int, Any], dict[int, Any], bytes]:
    """First, EXIF and GPS directory and the ICC profile."""
    if path.suffix == ".tif":
        block = Image.Exif()  # Pillow reads the directories of a 16-bit TIFF, not its pixels
        with path.open("rb") as stream:
            block.load_from_fp(stream)
            return dict(block), dict(block.get_ifd(0x8769)), dict(block.get_ifd(0x8825)), block[34675]
    with Image.open(path) as image:
        block = image.getexif()
        return dict(block), dict(block.get_ifd(0x8769)), dict(block.get_ifd(0x8825)), image.info["icc_profile"]


@pytest.mark.parametrize(("name", "bits"), ALL)
def test_exif_goes_along_with_a_record_of_the_restoration(tmp_path: Path, name: str, bits: int) -> None:
    main, exif, gps, _ = tags_of(saved(tmp_path / name, bits, restored_picture()))
    assert (main[0x010F], main[0x0110], main[0x010E], main[0x0112]) == ("SONY", "ILCE-7RM3", "my caption", 1)
    assert main[0x0131] == f"rdi {__version__}"
    assert (float(exif[0x829A]), exif[0x8827]) == (1 / 640, 3200)
    assert (exif[0xA001], exif[0xA002], exif[0xA003]) == (65535, 101, 75)  # uncalibrated: the profile says what
    assert [float(part) for part in gps[2]] == [47.0, 30.0, 0.5]
    record = exif[0x9286].removeprefix(b"ASCII\0\0\0").decode()
    assert record.startswith(f"rdi {__version__}, amplification 27 (auto; Eq. 5 gave 30, held back")
    assert ", white balance 2.469,1,1.527 (camera), model tiny abcdef012345" in record


def test_a_model_with_its_own_white_balance_is_recorded_as_such(tmp_path: Path) -> None:
    baked = replace(restored_picture(), white_balance=None)
    _, exif, *_ = tags_of(saved(tmp_path / "a.png", 8, baked))
    assert b", the model's white balance, model tiny" in exif[0x9286]


@pytest.mark.parametrize(("name", "bits"), ALL)
def test_a_photo_without_exif_still_gets_the_record(tmp_path: Path, name: str, bits: int) -> None:
    main, exif, gps, _ = tags_of(saved(tmp_path / name, bits, restored_picture(exif=b"")))
    assert main[0x0112] == 1
    assert b"amplification 27" in exif[0x9286]
    assert gps == {}


def test_of_exif_too_long_for_a_jpeg_the_largest_private_fields_are_left_out(tmp_path: Path) -> None:
    long = Image.Exif()
    long[0x0110], long[0x010E] = "ILCE-7RM3", "a caption " * 1000
    long[0x8769] = {0x829A: 1 / 640, 0x9003: "2026:11:22 23:10:00", 0xA434: "FE 35mm F1.4", 0x8827: 3200}
    long[0x8769] |= {0xF000: bytes(30_000), 0xF001: bytes(20_000), 0x927C: bytes(40_000), 0x9214: (1, 2, 3, 4)}
    long[0x8825] = {1: "N", 2: (47.0, 30.0, 0.5)}
    restored = restored_picture(exif=long.tobytes().removeprefix(b"Exif\0\0"))
    (warning,) = save_picture(restored, tmp_path / "a.jpg")
    assert "left out: MakerNote; a PNG" in warning
    main, exif, gps, _ = tags_of(tmp_path / "a.jpg")
    assert (main[0x0110], main[0x010E]) == ("ILCE-7RM3", "a caption " * 1000)
    assert (float(exif[0x829A]), exif[0x8827], exif[0xA434]) == (1 / 640, 3200, "FE 35mm F1.4")
    assert (exif[0x9003], len(exif[0xF000]), exif[0x9214]) == ("2026:11:22 23:10:00", 30_000, (1, 2, 3, 4))
    assert 0x927C not in exif
    assert b"amplification 27" in exif[0x9286]
    assert [float(part) for part in gps[2]] == [47.0, 30.0, 0.5]
    assert save_picture(restored, tmp_path / "a.png") == ()
    assert 0x927C in tags_of(tmp_path / "a.png")[1]


@pytest.mark.parametrize(
    ("tag", "kept"), [(0x010E, {0x0110: "ILCE-7RM3"}), (0x0110, {})], ids=["a caption", "a camera's name"]
)
def test_other_exif_too_long_for_a_jpeg_gives_way_to_what_matters_more(
    tmp_path: Path, tag: int, kept: dict[int, str]
) -> None:
    long = Image.Exif()
    long[0x0110] = "ILCE-7RM3"
    long[tag] = "x" * 70_000
    (warning,) = save_picture(restored_picture(exif=long.tobytes().removeprefix(b"Exif\0\0")), tmp_path / "a.jpg")
    main, exif, *_ = tags_of(tmp_path / "a.jpg")
    assert {tag: main[tag] for tag in (0x010E, 0x0110) if tag in main} == kept
    assert ("ImageDescription" if kept else "all fields") in warning
    assert b"amplification 27" in exif[0x9286]


@pytest.mark.parametrize(("name", "bits"), ALL)
def test_the_profile_of_the_models_curve_goes_along(tmp_path: Path, name: str, bits: int) -> None:
    *_, icc = tags_of(saved(tmp_path / name, bits, restored_picture()))
    assert icc == icc_profile("bt709")


@pytest.mark.parametrize(("name", "bits"), ALL)
def test_the_same_picture_gives_the_same_bytes(tmp_path: Path, name: str, bits: int) -> None:
    first = saved(tmp_path / name, bits, restored_picture()).read_bytes()
    assert saved(tmp_path / name, bits, restored_picture()).read_bytes() == first


def test_a_pngs_chunks_stand_in_the_order_of_the_standard(tmp_path: Path) -> None:
    content = saved(tmp_path / "a.png", 16, restored_picture()).read_bytes()
    kinds, at = [], 8
    while at < len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        kinds.append(kind)
        at += 12 + length
    assert kinds[:3] == [b"IHDR", b"iCCP", b"eXIf"]
    assert set(kinds[3:-1]) == {b"IDAT"}
    assert kinds[-1] == b"IEND"


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    restored = restored_picture()
    with pytest.raises(OutputError, match=r"give another path$"):
        save_picture(restored, tmp_path / "none" / "a.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "asked", "expected"),
    [
        (None, {}, PictureSettings(Format.JPEG, 8, 95)),
        (None, {"format": "tiff"}, PictureSettings(Format.TIFF, 16)),
        (None, {"format": "jpg", "quality": 80}, PictureSettings(Format.JPEG, 8, 80)),
        ("a.PNG", {}, PictureSettings(Format.PNG, 8)),
        ("a.png", {"bits": 16}, PictureSettings(Format.PNG, 16)),
        ("a.tif", {"format": "tif"}, PictureSettings(Format.TIFF, 16)),
        ("a.jpeg", {}, PictureSettings(Format.JPEG, 8)),
    ],
)
def test_suffix_and_options_choose_the_format(
    name: str | None, asked: dict[str, Any], expected: PictureSettings
) -> None:
    assert choose_settings(Path(name) if name else None, **asked) == expected


@pytest.mark.parametrize(
    ("name", "asked", "message"),
    [
        ("a.jpg", {"bits": 16}, "JPEG is written with 8 bits, not 16; choose png or tiff"),
        ("a.tif", {"bits": 8}, "TIFF is written with 16 bits, not 8; choose jpeg or png"),
        ("a.png", {"bits": 12}, "give 8 or 16"),
        (None, {"bits": 0}, "give 8 or 16"),
        (None, {"format": ""}, "choose one of jpeg, png, tiff"),
        ("a.png", {"format": "jpeg"}, "is a png by its suffix"),
        ("a.png", {"quality": 90}, "leave it out"),
        ("a.jpg", {"quality": 0}, "give 1 to 100"),
        (None, {"format": "webp"}, "choose one of jpeg, png, tiff"),
        ("a.heic", {}, "give .jpg"),
        ("a", {}, "give .jpg"),
    ],
)
def test_impossible_combinations_are_refused(name: str | None, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        choose_settings(Path(name) if name else None, **asked)
