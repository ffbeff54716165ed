"""Pictures within a page: JPEGs of no more than so many bytes, at full size where that can be."""

import base64
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.depth import bits_of, to_8_bits
from rdi.page.markup import Html

Picture = NDArray[np.unsignedinteger[Any]]  # (H, W, 3) uint8 or uint16

BEST, LEAST_AT_FULL_SIZE, LEAST = 92, 40, 60  # JPEG qualities; a picture that is smaller already must not be worse too
SMALLEST_SIDE = 64  # pixels; beyond that a budget is too small for a picture
_BITS_FOR_A_PIXEL = 0.35  # of a clean picture: where the search for a size begins
_STEP = 0.85
_BAND = 2 << 20  # pixels that are averaged at a time


@dataclass(frozen=True)
class EncodedPicture:
    """A JPEG, and what became of the picture in it.

    width, height: of the JPEG, pixels
    full:          (width, height) of the picture that it was made of
    quality:       of the JPEG, 1 to 100
    """

    data: bytes = field(repr=False)
    width: int
    height: int
    full: tuple[int, int]
    quality: int

    @property
    def reduced(self) -> bool:
        """Whether it has fewer pixels than the picture."""
        return (self.width, self.height) != self.full

    @property
    def uri(self) -> Html:
        """The picture itself, as an address that fetches nothing."""
        return Html(f"data:image/jpeg;base64,{base64.b64encode(self.data).decode()}")

    def describe(self) -> str:
        """`2048x1368 of 5184x3464 pixels, JPEG quality 81, 402 kB`."""
        of = f" of {self.full[0]}x{self.full[1]}" if self.reduced else ""
        return f"{self.width}x{self.height}{of} pixels, JPEG quality {self.quality}, {len(self.data) / 1000:.0f} kB"


def encode_within(picture: Picture, budget: int, longest: int | None = None) -> EncodedPicture:
    """A JPEG of a picture in no more than so many bytes: whole if its quality allows it, else smaller.

    picture: (H, W, 3) uint8 or uint16, any strides
    budget:  bytes; where not even 64 pixels fit, the picture of 64 pixels is given all the same
    longest: pixels of its longer side at most
    """
    height, width = picture.shape[:2]
    largest = min(1.0, (longest or max(height, width)) / max(height, width))
    if largest == 1.0:
        found = _whole(picture, budget)
        if found:
            return found
        largest = _STEP
    likely = (budget * 8 / (_BITS_FOR_A_PIXEL * height * width)) ** 0.5
    smaller = resize(picture, max(min(largest, likely), min(1.0, SMALLEST_SIDE / max(height, width))))
    while max(smaller.shape[:2]) > SMALLEST_SIDE:
        found = _best(smaller, budget, (width, height), LEAST)
        if found:
            return found
        smaller = resize(smaller, _STEP)
    return _encode(smaller, LEAST, (width, height))


def resize(picture: Picture, scale: float) -> NDArray[np.uint8]:
    """The picture in 8 bits and `scale` (up to 1) times as wide and as high, a pixel at least; small steps of memory.

    Averaged over whole blocks of pixels first, band by band: Pillow alone would hold a copy of 4 bytes a pixel.
    """
    from PIL import Image

    height, width = picture.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    block = max(1, int(1 / scale))
    small = _block_means(picture, block) if block > 1 else to_8_bits(picture) if bits_of(picture) == 16 else picture
    if (small.shape[1], small.shape[0]) == size:
        return np.ascontiguousarray(small, dtype=np.uint8)
    image = Image.fromarray(np.ascontiguousarray(small, dtype=np.uint8))
    return np.array(image.resize(size, Image.Resampling.LANCZOS), dtype=np.uint8)


def _whole(picture: Picture, budget: int) -> EncodedPicture | None:
    samples = to_8_bits(picture) if bits_of(picture) == 16 else np.ascontiguousarray(picture, dtype=np.uint8)
    return _best(samples, budget, (picture.shape[1], picture.shape[0]), LEAST_AT_FULL_SIZE)


def _block_means(picture: Picture, block: int) -> NDArray[np.uint8]:
    """Means of blocks of pixels, 8 bits; the rest of a row or column that fills no block is left out."""
    rows, columns = picture.shape[0] // block, picture.shape[1] // block
    out = np.empty((rows, columns, 3), dtype=np.uint8)
    scale = 255 / np.iinfo(picture.dtype).max / block**2
    band = max(1, _BAND // (columns * block * block))
    for first in range(0, rows, band):
        last = min(first + band, rows)
        pixels = picture[first * block : last * block, : columns * block]
        sums = pixels.reshape(last - first, block, columns, block, 3).sum(axis=(1, 3), dtype=np.uint32)
        out[first:last] = np.rint(sums * scale)
    return out


def _best(picture: NDArray[np.uint8], budget: int, full: tuple[int, int], least: int) -> EncodedPicture | None:
    """With the highest quality that the budget allows; None where it does not even allow the least."""
    found = _encode(picture, BEST, full)
    if len(found.data) <= budget:
        return found
    found = _encode(picture, least, full)
    if len(found.data) > budget:
        return None
    low, high = least, BEST  # `low` fits, `high` does not
    while high - low > 2:
        quality = (low + high) // 2
        tried = _encode(picture, quality, full)
        low, high, found = (quality, high, tried) if len(tried.data) <= budget else (low, quality, found)
    return found


def _encode(picture: NDArray[np.uint8], quality: int, full: tuple[int, int]) -> EncodedPicture:
    import simplejpeg

    # With its colours at half of the resolution a noisy picture takes a third less, which buys quality.
    data = simplejpeg.encode_jpeg(picture, quality, colorspace="RGB", colorsubsampling="420")
    return EncodedPicture(data, picture.shape[1], picture.shape[0], full, quality)
