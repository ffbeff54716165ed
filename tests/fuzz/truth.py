"""What a DNG really holds, by other decoders than LibRaw: tifffile finds the pixels, imagecodecs decodes them."""

import logging
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.camera import read_photo

_CFA = 32803
_LINEARIZATION = 50712  # a table that LibRaw applies


class Agreement(StrEnum):
    """Of rdi's mosaic and the independent one."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"  # the others cannot read the file
    DAMAGED = "otherwise continued"  # behind damage within a compressed stream, which no decoder notices


def agreement(path: Path) -> Agreement:
    """Whether `read_photo` and the independent decoders see the same pixels; run it in a process of its own."""
    photo = read_photo(path)
    try:
        frame = _frame(path)
    except Exception:  # whatever a hostile file makes them raise
        return Agreement.UNKNOWN
    if frame is None or frame.ndim != 2:
        return Agreement.UNKNOWN
    (top, left), (height, width) = photo.crop, photo.mosaic.shape
    same = np.array_equal(frame[top : top + height, left : left + width], photo.mosaic)
    return Agreement.SAME if same else Agreement.DIFFERENT


def _frame(path: Path) -> NDArray[Any] | None:
    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    with tifffile.TiffFile(path) as file:
        pages = [file.pages.first, *(file.pages.first.pages or ())]  # a hostile chain of pages has no end
        found = [page for page in pages if page.tags.valueof(262) == _CFA and page.tags.valueof(254, default=0) == 0]
        if len(found) != 1 or _LINEARIZATION in found[0].tags or not _unambiguous(set(found[0].tags.keys())):
            return None
        return np.asarray(found[0].asarray(maxworkers=1))


def _unambiguous(tags: set[int]) -> bool:
    """Strips or tiles, with their sizes: tifffile decodes nonsense where it must guess."""
    strips, tiles = {273, 279}, {322, 323, 324, 325}
    return (strips <= tags and not tiles & tags) or (tiles <= tags and not strips & tags)
