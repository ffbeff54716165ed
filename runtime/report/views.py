"""The photo without the network, for a page: rendered and encoded where LibRaw runs, so that only a JPEG comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rdi.camera.rendering import develop
from rdi.errors import InputError
from rdi.metadata import Curve
from rdi.page.pictures import EncodedPicture, encode_within

_HALF = 0.55  # of the full width: up to it LibRaw's rendering at half size has all the pixels there are


@dataclass(frozen=True)
class View:
    """A rendering that is wanted.

    brightness: factor on the linear values
    budget:     bytes of its JPEG
    curve:      tone curve, the restored picture's
    width:      pixels that it will be shown with at most, which half a rendering may suffice for
    """

    brightness: float
    budget: int
    width: int
    curve: Curve = Curve.BT709


def render_views(
    raw: Path, gains: NDArray[np.float64], size: tuple[int, int], views: Sequence[View]
) -> list[EncodedPicture]:
    """LibRaw's renderings of a photo as JPEGs.

    gains: (3,) white balance
    size:  (width, height) of the restored picture
    Raises InputError where LibRaw cannot render the file, or renders another frame.
    """
    return [_render(raw, gains, size, view) for view in views]


def _render(raw: Path, gains: NDArray[np.float64], size: tuple[int, int], view: View) -> EncodedPicture:
    width, height = size
    half = view.width <= width * _HALF
    picture = develop(raw, view.brightness, gains, 8, view.curve, half=half)
    whole = (height, width) if not half else (-(-height // 2), -(-width // 2))
    if max(abs(given - wanted) for given, wanted in zip(picture.shape[:2], whole, strict=True)) > half:
        raise InputError(f"LibRaw renders {raw} as another frame, {picture.shape[1]}x{picture.shape[0]} pixels")
    encoded = encode_within(picture, view.budget, view.width)
    return EncodedPicture(encoded.data, encoded.width, encoded.height, size, encoded.quality)
