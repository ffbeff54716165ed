"""How the bytes of a page are shared: whatever the number of photos, it stays below one size."""

from dataclasses import dataclass

PAGE = 8_000_000  # bytes: what mail takes and what a phone opens
FRAME = 60_000  # style, script and headings
DETAILED = 3  # photos whose exposure is told with tables
FIGURED = 60  # photos that have a plot of their own
MARKUP_DETAILED, MARKUP_FIGURED = 40_000, 16_000  # bytes of markup of such a photo at most
MARKUP_CARD, MARKUP_ROW = 3_000, 600  # of a photo with pictures, and of each photo's row in the table of all
LEAST_PICTURES = 8_000  # bytes of base64 for the pictures of a photo: less shows nothing


@dataclass(frozen=True)
class Share:
    """What one photo of a page may take.

    pictures: bytes of its JPEGs together; 0 for none: it has a row in the table of all photos
    figured:  whether it has plots of its own
    detailed: whether they have tables beside them
    """

    pictures: int
    figured: bool
    detailed: bool


def share_of(index: int, photos: int, page: int = PAGE) -> Share:
    """What photo `index`, from 0, of so many may take of a page of so many bytes.

    Five hundred photos have thumbnails; of thousands the first do. Only the rows of more than ten thousand make the
    page larger.
    """
    detailed, figured = photos <= DETAILED, min(photos, FIGURED)
    markup = FRAME + photos * MARKUP_ROW + figured * (MARKUP_DETAILED if detailed else MARKUP_FIGURED)
    left = max(page - markup, 0)
    shown = min(photos, left // (MARKUP_CARD + LEAST_PICTURES))
    if index >= shown:
        return Share(0, False, False)
    pictures = int((left / shown - MARKUP_CARD) * 3 / 4)  # base64: four characters for three bytes
    return Share(pictures, index < figured, detailed)


def pictures_each(viewers: int, page: int = PAGE) -> int:
    """Bytes of JPEGs that each of so many viewers, with a line of text or two, may take of a page of so many bytes."""
    return max(int(((page - FRAME) / max(viewers, 1) - MARKUP_CARD) * 3 / 4), 0)
