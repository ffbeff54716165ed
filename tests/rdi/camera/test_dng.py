"""DNG files: what is written is what LibRaw reads back."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rdi.camera import Cfa, RawPhoto, read_photo
from rdi.camera.dng import MIN_SIDE, Compression, encode_dng, write_dng
from rdi.color import A7S2_CAMERA_FROM_XYZ, srgb_from_camera
from rdi.errors import MissingPackageError, OutputError

CAMERAS = [("Sony", "ILCE-7SM2"), ("Canon", "Canon EOS 5D"), ("Acme", "Night 1"), ("", "")]


@st.composite
def photos(draw: st.DrawFn) -> RawPhoto:
    """Photos of every pattern, phase, depth and orientation; small, odd sizes included."""
    cfa = draw(st.sampled_from(list(Cfa)))
    phase = draw(st.tuples(st.integers(0, 2), st.integers(0, 5))) if cfa is Cfa.XTRANS else (0, 0)
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    white = draw(st.sampled_from([255, 1023, 4095, 16383, 65535]))
    matrix = A7S2_CAMERA_FROM_XYZ + generator.uniform(-0.04, 0.04, (3, 3))
    make, model = draw(st.sampled_from(CAMERAS))
    return RawPhoto(
        mosaic=generator.integers(
            0, white + 1, (draw(st.integers(MIN_SIDE, 40)), draw(st.integers(MIN_SIDE, 40))), dtype=np.uint16
        ),
        cfa=cfa,
        phase=phase,
        black_level=generator.integers(0, white // 2, cfa.sites).astype(np.float64)
        + draw(st.sampled_from([0.0, 0.25])),
        white_level=float(white),
        white_balance=np.array([draw(st.floats(0.25, 8)), 1.0, draw(st.floats(0.25, 8))]),
        camera_from_xyz=matrix,
        camera_to_srgb=srgb_from_camera(matrix),
        iso=float(draw(st.sampled_from([50, 3200, 65535, 409600]))),
        exposure_time=draw(st.sampled_from([30.0, 1 / 3, 0.1, 1 / 640, 1 / 8000])),
        orientation=draw(st.integers(1, 8)),
        make=make,
        model=model,
    )


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(photo=photos(), compression=st.sampled_from(list(Compression)))
def test_a_written_photo_is_read_back_as_it_was(photo: RawPhoto, compression: Compression, tmp_path: Path) -> None:
    path = tmp_path / "photo.dng"
    write_dng(photo, path, compression=compression)
    back = read_photo(path)
    assert np.array_equal(back.mosaic, photo.mosaic)
    assert np.array_equal(back.black_level, photo.black_level)
    for name in ("cfa", "phase", "white_level", "iso", "orientation", "make", "model"):
        assert getattr(back, name) == getattr(photo, name), name
    for name in ("white_balance", "camera_from_xyz", "camera_to_srgb", "exposure_time"):
        assert getattr(back, name) == pytest.approx(getattr(photo, name), rel=1e-5, abs=1e-5), name
    assert back.warnings == ()


@pytest.mark.parametrize("phase", list(np.ndindex(6, 6)))
def test_xtrans_keeps_its_colours_and_levels_in_every_phase(phase: tuple[int, int], tmp_path: Path) -> None:
    mosaic = np.zeros((24, 30), dtype=np.uint16)
    photo = RawPhoto(mosaic, Cfa.XTRANS, np.arange(36.0), 100.0, phase=phase, white_balance=np.array([2, 1, 1.5]))
    write_dng(photo, tmp_path / "x.dng")
    back = read_photo(tmp_path / "x.dng")
    assert np.array_equal(back.black_level, photo.black_level)
    assert back.gains == pytest.approx(photo.gains, rel=1e-6)


def test_libraw_itself_agrees_on_levels_balance_and_exposure(small_photo: RawPhoto) -> None:
    import rawpy

    photo = small_photo.replace(white_balance=np.array([2.1, 1.0, 1.6]), exposure_time=0.04)
    with rawpy.imread(io.BytesIO(encode_dng(photo))) as raw:
        assert raw.raw_pattern is not None
        assert np.array(raw.black_level_per_channel)[raw.raw_pattern].ravel().tolist() == [10, 11, 12, 13]
        assert raw.white_level == 1023
        assert raw.camera_whitebalance[:3] == pytest.approx([2.1, 1, 1.6], rel=1e-6)
        assert (raw.other.iso_speed, raw.other.shutter_speed) == pytest.approx((100, 0.04))


def test_another_tiff_reader_finds_mosaic_and_tags(small_photo: RawPhoto) -> None:
    data = encode_dng(small_photo, description="what it is")
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        assert np.array_equal(page.asarray(), small_photo.mosaic)
        assert page.tags["ImageDescription"].value == "what it is"
        assert page.tags["Software"].value.startswith("rdi ")
        assert page.tags["ExifTag"].value["ISOSpeedRatings"] == 100


def test_a_photo_without_a_published_matrix_keeps_its_own(small_photo: RawPhoto, tmp_path: Path) -> None:
    own = srgb_from_camera(A7S2_CAMERA_FROM_XYZ + 0.02)
    write_dng(small_photo.replace(camera_to_srgb=own), tmp_path / "m.dng")
    assert read_photo(tmp_path / "m.dng").camera_to_srgb == pytest.approx(own, abs=1e-5)


def test_lossless_jpeg_is_smaller_for_a_dark_frame(dark_photo: RawPhoto) -> None:
    assert len(encode_dng(dark_photo, compression=Compression.LJPEG)) < 0.8 * len(encode_dng(dark_photo))


def test_the_same_photo_gives_the_same_file(dark_photo: RawPhoto) -> None:
    assert encode_dng(dark_photo) == encode_dng(dark_photo)


@pytest.mark.parametrize("shape", [(MIN_SIDE - 1, 40), (40, MIN_SIDE - 1)])
def test_a_frame_that_libraw_would_refuse_is_not_written(shape: tuple[int, int], tmp_path: Path) -> None:
    photo = RawPhoto(np.zeros(shape, dtype=np.uint16), Cfa.RGGB, np.array([0.0]), 1023.0)
    with pytest.raises(OutputError, match="22 a side"):
        write_dng(photo, tmp_path / "tiny.dng")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shape", [(MIN_SIDE, 40), (40, MIN_SIDE)])
def test_the_smallest_frame_is_read_back(shape: tuple[int, int], tmp_path: Path) -> None:
    photo = RawPhoto(np.zeros(shape, dtype=np.uint16), Cfa.RGGB, np.array([0.0]), 1023.0)
    write_dng(photo, tmp_path / "tiny.dng")
    assert read_photo(tmp_path / "tiny.dng").mosaic.shape == shape


def test_lossless_jpeg_without_its_package_names_it(dark_photo: RawPhoto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(MissingPackageError, match="pip install imagecodecs"):
        encode_dng(dark_photo, compression=Compression.LJPEG)


def test_a_folder_that_does_not_exist_is_an_output_error(dark_photo: RawPhoto, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        write_dng(dark_photo, tmp_path / "none" / "x.dng")
