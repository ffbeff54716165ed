"""A DNG holds the mosaic that it claims, or is refused before LibRaw makes up the rest."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest

from rdi.camera import RawPhoto, read_photo
from rdi.camera.bounds import MAX_PIXELS, require_possible_frame
from rdi.camera.containers import check_container
from rdi.camera.dng import Compression, encode_dng
from rdi.camera.lossless_jpeg import read_lossless_header
from rdi.camera.rendering import develop
from rdi.errors import InputError, NotARawPhotoError, RdiError, TruncatedPhotoError
from rdi.training.cache.decoding import array_bytes
from rdi.training.targets import read_target

SHORT, LONG = 3, 4
LJPEG = (SHORT, 7)
WriteVariant = Callable[..., Path]


def plain(photo: RawPhoto) -> bytes:
    return photo.mosaic.astype("<u2").tobytes()


def jpeg(photo: RawPhoto) -> bytes:
    return bytes(imagecodecs.ljpeg_encode(np.ascontiguousarray(photo.mosaic), bitspersample=10))


def strips(sizes: list[int], rows: int, gap: int = 0) -> dict[int, Any]:
    """The fields of strips that follow each other, `gap` bytes apart."""
    offsets = [sum(sizes[:number]) + gap * number for number in range(len(sizes))]
    return {273: (LONG, tuple(offsets)), 279: (LONG, tuple(sizes)), 278: (LONG, rows)}


def test_strips_that_follow_each_other_are_read(small_photo: RawPhoto, write_variant: WriteVariant) -> None:
    path = write_variant(small_photo, strips([1120] * 4, 10), plain(small_photo))
    assert np.array_equal(read_photo(path).mosaic, small_photo.mosaic)


def test_strips_that_do_not_follow_each_other_are_refused(small_photo: RawPhoto, write_variant: WriteVariant) -> None:
    """LibRaw would read the gap as pixels."""
    data = plain(small_photo)
    gapped = b"".join(data[start : start + 1120] + bytes(100) for start in range(0, 4480, 1120))
    with pytest.raises(InputError, match=r"variant\.dng has strips that do not follow each other.*; convert it"):
        read_photo(write_variant(small_photo, strips([1120] * 4, 10, gap=100), gapped))


def test_strips_of_lossless_jpeg_are_refused(small_photo: RawPhoto, write_variant: WriteVariant) -> None:
    """LibRaw would decode the first and hand out the memory as it was for the others."""
    parts = [jpeg(small_photo.replace(mosaic=small_photo.mosaic[row : row + 10])) for row in range(0, 40, 10)]
    fields = strips([len(part) for part in parts], 10) | {259: LJPEG, 258: (SHORT, 10)}
    with pytest.raises(InputError, match="several strips of lossless JPEG"):
        read_photo(write_variant(small_photo, fields, b"".join(parts)))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({279: (LONG, 4479)}, ": 1 bytes or more of its 56x40 pixels are missing"),
        ({257: (LONG, 41), 278: (LONG, 41)}, ": 112 bytes or more of its 56x41 pixels are missing"),
        ({257: (LONG, 41)}, "its pixels need 2 strips or tiles, and it names 1"),
        ({256: (LONG, 40)}, "40x40 pixels of 16 bits take 3,200 bytes, and it has 4,480 for them"),
        ({258: (SHORT, 12)}, "56x40 pixels of 12 bits take 3,360 bytes"),
        ({258: (SHORT, 0)}, "claims pixels of 0 bits"),
        ({277: (SHORT, 3)}, "claims 3 colours for each pixel"),
        ({256: (LONG, 0)}, "claims a frame of 0x40 pixels"),
        ({256: None}, "its field 256 is missing or unreadable"),
        ({257: (2, "40")}, "its field 257 is missing or unreadable"),
        ({278: (LONG, 0)}, "its strips or tiles have 56x0 pixels"),
        ({322: (LONG, 32), 323: (LONG, 32)}, "it has tiles and does not say where"),
    ],
)
def test_a_directory_that_contradicts_its_pixels_is_refused(
    fields: dict[int, Any], said: str, small_photo: RawPhoto, write_variant: WriteVariant
) -> None:
    path = write_variant(small_photo, fields)
    with pytest.raises(InputError) as refused:
        check_container(path)
    assert said in str(refused.value)
    assert str(refused.value).startswith(f"{path} is damaged: ")
    assert str(refused.value).endswith("; copy it from the camera again")


def test_a_file_without_byte_counts_is_measured_by_its_end(small_photo: RawPhoto, write_variant: WriteVariant) -> None:
    path = write_variant(small_photo, {279: None})
    assert np.array_equal(read_photo(path).mosaic, small_photo.mosaic)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(TruncatedPhotoError, match="1 bytes or more of its 56x40 pixels are missing"):
        read_photo(path)


def jpeg_dng(photo: RawPhoto, change: Callable[[bytearray, int], object]) -> bytes:
    """A DNG in lossless JPEG, changed by a function of its bytes and of the place where the JPEG begins."""
    data = bytearray(encode_dng(photo, compression=Compression.LJPEG))
    change(data, data.index(b"\xff\xd8\xff"))
    return bytes(data)


def set_frame(rows: int, columns: int) -> Callable[[bytearray, int], object]:
    return lambda data, start: struct.pack_into(">HH", data, data.index(b"\xff\xc3", start) + 5, rows, columns)


def fill(first: int, last: int, value: bytes) -> Callable[[bytearray, int], object]:
    def change(data: bytearray, start: int) -> None:
        place = slice(start + first, len(data) + last if last <= 0 else start + last)
        data[place] = value * len(data[place])

    return change


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (fill(0, 2, b"\0"), InputError, "stands no lossless JPEG"),
        (fill(2, 4, b"\0"), InputError, "stands no lossless JPEG"),
        (set_frame(0, 56), InputError, "stands no lossless JPEG"),
        (set_frame(20, 56), TruncatedPhotoError, "1,120 bytes or more of its 56x40 pixels are missing"),
        (set_frame(4000, 56), TruncatedPhotoError, "of its 56x40 pixels are missing"),
        (set_frame(60, 56), InputError, "its 56x40 pixels are JPEGs of 3,360"),
        (fill(1000, 0, b"\0"), TruncatedPhotoError, "a JPEG in it has no end"),
        (fill(1000, 0, b"\x55"), TruncatedPhotoError, "a JPEG in it has no end"),
    ],
)
def test_a_lossless_jpeg_that_libraw_would_decode_in_part_is_refused(
    change: Callable[[bytearray, int], object],
    error: type[InputError],
    said: str,
    small_photo: RawPhoto,
    tmp_path: Path,
) -> None:
    path = tmp_path / "damaged.dng"
    path.write_bytes(jpeg_dng(small_photo, change))
    with pytest.raises(error, match=said):
        check_container(path)


def test_columns_dealt_out_to_two_components_are_whole(small_photo: RawPhoto, tmp_path: Path) -> None:
    """As Adobe's converter deals them."""

    def deal(data: bytearray, start: int) -> None:
        set_frame(40, 28)(data, start)
        data[data.index(b"\xff\xc3", start) + 9] = 2

    path = tmp_path / "dealt.dng"
    path.write_bytes(jpeg_dng(small_photo, deal))
    assert check_container(path).pixels == small_photo.mosaic.size


def test_a_jpeg_whose_first_table_is_missing_or_empty_is_none() -> None:
    """LibRaw would leave all pixels as the memory was."""
    photo = np.arange(800, dtype=np.uint16).reshape(20, 40)
    data = bytes(imagecodecs.ljpeg_encode(photo, bitspersample=10))
    table = data.index(b"\xff\xc4") + 4
    header = read_lossless_header(data)
    assert header is not None
    assert (header.rows, header.columns, header.components) == (20, 40, 1)
    assert read_lossless_header(data[:table] + b"\1" + data[table + 1 :]) is None
    assert read_lossless_header(data[: table + 1] + bytes(16) + data[table + 17 :]) is None
    assert read_lossless_header(data[: header.data - 3]) is None


@pytest.mark.parametrize("version", [b"II\0\0", b"IIU\0", b"IIRO", b"II\xff\xff"])
def test_a_dng_is_checked_whatever_version_its_header_names(
    version: bytes, small_photo: RawPhoto, tmp_path: Path
) -> None:
    """LibRaw looks at the byte order alone."""
    path = tmp_path / "odd.dng"
    path.write_bytes(version + jpeg_dng(small_photo, set_frame(20, 56))[4:])
    with pytest.raises(TruncatedPhotoError, match="are missing"):
        check_container(path)


@pytest.mark.parametrize("version", [(1, bytes(4)), (SHORT, (1, 4, 0, 0)), (1, b"\1\4")])
def test_a_dng_whose_version_libraw_would_not_see_is_refused(
    version: tuple[int, Any], small_photo: RawPhoto, write_variant: WriteVariant
) -> None:
    """It would be read as another format, and its pixels left as the memory was."""
    with pytest.raises(InputError, match="its DNG version is"):
        read_photo(write_variant(small_photo, {50706: version}))


def test_of_a_field_that_stands_twice_the_last_one_counts(small_photo: RawPhoto, write_variant: WriteVariant) -> None:
    """As for LibRaw, which would read another frame than the one that was checked."""
    path = write_variant(small_photo, {254: None, 278: None, 284: None, 250: (LONG, 0)})
    data = path.read_bytes()
    twice = data.replace(struct.pack("<HHII", 258, SHORT, 1, 16), struct.pack("<HHII", 257, LONG, 1, 4000), 1)
    path.write_bytes(twice.replace(struct.pack("<HHII", 250, LONG, 1, 0), struct.pack("<HHII", 258, SHORT, 1, 16), 1))
    with pytest.raises(RdiError, match=r"4000|cannot hold"):
        check_container(path)


def test_frames_of_real_cameras_are_within_the_bounds(tmp_path: Path) -> None:
    require_possible_frame(11_656, 15_000, 30_000_000, tmp_path)  # 175 megapixels in 1.4 bits each
    with pytest.raises(InputError, match="too big: rdi reads up to 400 megapixels"):
        require_possible_frame(1, MAX_PIXELS + 1, 10**9, tmp_path)
    with pytest.raises(TruncatedPhotoError, match="1,000 bytes cannot hold the 200x100 pixels"):
        require_possible_frame(100, 200, 1000, tmp_path)


def raw_bytes(path: Path) -> int:
    return array_bytes(path, "mosaics")


def rendered(path: Path) -> object:
    return develop(path, 1.0, np.ones(3))


@pytest.mark.parametrize("use", [read_photo, read_target, raw_bytes, rendered])
def test_a_frame_that_libraw_finds_elsewhere_is_refused(
    use: Callable[[Path], object], small_photo: RawPhoto, write_variant: WriteVariant, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from rdi.camera import reading

    path = write_variant(small_photo, {})
    checked = check_container(path)
    monkeypatch.setattr(reading, "check_container", lambda _: replace(checked, pixels=2239))
    with pytest.raises(InputError, match=r"LibRaw finds 56x40 pixels in it, more than its directories have"):
        use(path)


def test_a_mosaic_that_is_none_of_a_dngs_directories_is_no_photo(
    small_photo: RawPhoto, write_variant: WriteVariant
) -> None:
    with pytest.raises((InputError, NotARawPhotoError)):
        read_photo(write_variant(small_photo, {262: (SHORT, 2)}))
