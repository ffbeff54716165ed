"""Every photo of a page has its share, and the shares of any number fit the page."""

import pytest

from rdi.page.budget import FRAME, MARKUP_CARD, MARKUP_DETAILED, MARKUP_FIGURED, MARKUP_ROW, PAGE, share_of


@pytest.mark.parametrize("photos", [1, 2, 3, 4, 60, 61, 500, 3000, 10_000])
def test_the_shares_of_all_photos_and_their_markup_fit_the_page(photos: int) -> None:
    shares = [share_of(index, photos) for index in range(photos)]
    markup = FRAME + photos * MARKUP_ROW + sum(MARKUP_CARD for share in shares if share.pictures)
    markup += sum(MARKUP_DETAILED if share.detailed else MARKUP_FIGURED for share in shares if share.figured)
    assert markup + sum(share.pictures for share in shares) * 4 / 3 <= PAGE


def test_one_photo_gets_nearly_all_and_five_hundred_still_get_thumbnails() -> None:
    assert share_of(0, 1).pictures > 5_800_000
    assert share_of(0, 1).detailed
    last = share_of(499, 500)
    assert last.pictures > 4_000
    assert not last.figured


def test_of_thousands_the_first_have_pictures_and_the_others_a_row() -> None:
    shares = [share_of(index, 3000).pictures for index in range(3000)]
    shown = sum(map(bool, shares))
    assert 400 < shown < 3000
    assert all(shares[:shown])
    assert not any(shares[shown:])
