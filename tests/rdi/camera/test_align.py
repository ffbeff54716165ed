"""Alignment of a photo to a model's phase and size rule."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdi.camera import Cfa, RawPhoto, align
from rdi.errors import UnsupportedMosaicError


@st.composite
def photos(draw: st.DrawFn) -> RawPhoto:
    """Frames from one cell up, of every pattern and phase, whose pixels hold their colour + 3 x a number."""
    cfa = draw(st.sampled_from(list(Cfa)))
    phase = draw(st.tuples(st.integers(0, 5), st.integers(0, 5))) if cfa is Cfa.XTRANS else (0, 0)
    height, width = draw(st.integers(cfa.period, 45)), draw(st.integers(cfa.period, 45))
    rows, columns = np.arange(height) + phase[0], np.arange(width) + phase[1]
    colours = cfa.colours[rows[:, None] % cfa.period, columns % cfa.period]
    mosaic = (np.arange(height * width).reshape(height, width) * 3 + colours).astype(np.uint16)
    black = np.arange(cfa.sites, dtype=np.float64)
    gains = np.array([2.0, 1.0, 1.5])
    return RawPhoto(mosaic, cfa, black, 65535.0, white_balance=gains, phase=phase)


def target_of(photo: RawPhoto) -> Cfa:
    return Cfa.XTRANS if photo.cfa is Cfa.XTRANS else Cfa.RGGB


@given(photo=photos(), multiple=st.sampled_from([2, 6, 32, 64]), margin=st.sampled_from([0, 5, 32]))
def test_cropping_an_aligned_frame_gives_the_photo_back(photo: RawPhoto, multiple: int, margin: int) -> None:
    frame = align(photo, target_of(photo), multiple, margin)
    assert min(frame.top, frame.left) >= margin
    assert frame.mosaic.shape[0] - frame.top - frame.height >= margin
    assert frame.mosaic.shape[1] - frame.left - frame.width >= margin
    assert np.array_equal(frame.crop(frame.mosaic), photo.mosaic)


@given(photo=photos(), multiple=st.sampled_from([2, 6, 32, 64]), margin=st.sampled_from([0, 5, 32]))
def test_every_site_of_an_aligned_frame_has_the_targets_colour(photo: RawPhoto, multiple: int, margin: int) -> None:
    target = target_of(photo)
    frame = align(photo, target, multiple, margin)
    height, width = frame.mosaic.shape
    assert (height % multiple, width % multiple) == (0, 0)
    expected = target.tile(target.colours.ravel().astype(np.float64), height, width)
    assert np.array_equal(frame.mosaic % 3, expected)


@given(photo=photos())
def test_levels_and_gains_follow_their_sites(photo: RawPhoto) -> None:
    frame = align(photo, target_of(photo), 32, 7)
    shape = frame.mosaic.shape
    for aligned, own in ((frame.black_level, photo.black_level), (frame.gains, photo.gains)):
        tiled = photo.cfa.tile(aligned, *shape)
        assert np.array_equal(frame.crop(tiled), photo.cfa.tile(own, photo.height, photo.width))


@given(photo=photos())
def test_gains_of_an_aligned_frame_are_those_of_the_targets_colours(photo: RawPhoto) -> None:
    target = target_of(photo)
    assert np.array_equal(align(photo, target, 32).gains, target.per_site(photo.white_balance))


def test_a_frame_that_fits_already_is_not_copied() -> None:
    photo = RawPhoto(np.zeros((32, 64), dtype=np.uint16), Cfa.RGGB, np.array([0.0]), 1.0)
    assert align(photo, Cfa.RGGB, 32).mosaic is photo.mosaic


@pytest.mark.parametrize(
    ("cfa", "target", "said"),
    [
        (Cfa.XTRANS, Cfa.RGGB, "is X-Trans, but .* for Bayer; rdi ships no model for X-Trans: choose one"),
        (Cfa.GRBG, Cfa.XTRANS, "is Bayer, but .* for X-Trans; choose a model that was trained for Bayer"),
    ],
)
def test_a_photo_of_the_other_kind_of_mosaic_is_refused(cfa: Cfa, target: Cfa, said: str) -> None:
    photo = RawPhoto(np.zeros((12, 12), dtype=np.uint16), cfa, np.array([0.0]), 1.0)
    with pytest.raises(UnsupportedMosaicError, match=said):
        align(photo, target, 32)
