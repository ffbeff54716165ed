import io
from itertools import accumulate

import imagecodecs
import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rdi.depth import to_8_bits
from rdi.errors import OutputError
from rdi.runtime.pictures.bands import ROWS, encode_bands, in_bands
from rdi.runtime.pictures.jpeg import write_jpeg
from rdi.runtime.pictures.png import write_png

Heights = st.lists(st.integers(1, 150), min_size=1, max_size=6)


def gradient(height: int, width: int = 37) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows * 250, columns * 1700, (rows + columns) * 200], axis=-1).astype(np.uint16)


def strips_of(picture: np.ndarray, heights: list[int]) -> list[np.ndarray]:
    ends = list(accumulate(heights))
    return [picture[end - height : end] for height, end in zip(heights, ends, strict=True)]


@given(Heights, st.integers(1, 70))
def test_bands_hold_every_row_once_whatever_the_strips(heights: list[int], rows: int) -> None:
    picture = gradient(sum(heights))
    bands = list(in_bands(strips_of(picture, heights), rows))
    assert np.array_equal(np.concatenate(bands), picture)
    assert {band.shape[0] for band in bands[:-1]} <= {rows}
    assert 1 <= bands[-1].shape[0] <= rows


def test_a_band_within_a_strip_is_no_copy() -> None:
    picture = gradient(3 * ROWS + 5)
    assert all(np.shares_memory(band, picture) for band in in_bands([picture]))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_bands_come_back_in_order_and_are_not_taken_far_ahead(threads: int) -> None:
    taken = 0

    def source():
        nonlocal taken
        for number in range(40):
            taken += 1
            yield np.full((1, 1, 3), number, dtype=np.uint16)

    for number, value in enumerate(encode_bands(source(), lambda band: int(band[0, 0, 0]), threads)):
        assert value == number
        assert taken <= number + 2 * threads + 1


def test_an_error_in_a_band_reaches_whoever_writes() -> None:
    def fail(band: np.ndarray) -> None:
        raise OutputError("full")

    with pytest.raises(OutputError, match="full"):
        list(encode_bands(in_bands([gradient(300)]), fail, 2))


@given(Heights)
def test_strips_give_the_bytes_of_the_whole_picture(tmp_path_factory: pytest.TempPathFactory, heights) -> None:
    picture, folder = gradient(sum(heights)), tmp_path_factory.mktemp("strips")
    for threads, strips in ((1, [picture]), (3, strips_of(picture, heights))):
        write_jpeg(strips, picture.shape, folder / f"{threads}.jpg", 90, b"profile", b"Exif\0\0", threads)
        write_png(strips, picture.shape, folder / f"{threads}.png", 16, b"profile", b"exif", threads)
    assert (folder / "1.jpg").read_bytes() == (folder / "3.jpg").read_bytes()
    assert (folder / "1.png").read_bytes() == (folder / "3.png").read_bytes()
    assert np.array_equal(imagecodecs.png_decode((folder / "1.png").read_bytes()), picture)


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (64, 64), (65, 8), (640, 33), (1300, 17)])
@pytest.mark.parametrize("decode", [lambda data: Image.open(io.BytesIO(data)), imagecodecs.jpeg8_decode])
def test_a_jpeg_of_many_bands_is_the_jpeg_of_the_whole_picture(tmp_path, size: tuple[int, int], decode) -> None:
    picture = gradient(*size)
    write_jpeg([picture], picture.shape, tmp_path / "a.jpg", 95, b"profile", b"Exif\0\0", 2)
    whole = simplejpeg.encode_jpeg(to_8_bits(picture), 95, colorspace="RGB", colorsubsampling="444")
    assert np.array_equal(decode((tmp_path / "a.jpg").read_bytes()), decode(whole))


def test_a_side_beyond_what_jpegs_hold_is_refused(tmp_path) -> None:
    wide = np.zeros((1, 65_501, 3), dtype=np.uint16)
    with pytest.raises(OutputError, match="65501x1 pixels do not fit a JPEG"):
        write_jpeg([wide], wide.shape, tmp_path / "a.jpg", 95, b"", b"", 1)
