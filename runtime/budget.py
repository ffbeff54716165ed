"""How much memory a photo takes, whole or in strips, and which of the two a limit allows.

The figures are upper bounds of what was measured, linear in the pixels that a
graph sees at once. onnxruntime's arena hands pieces of earlier tensors out again, so it is the largest stage that
counts, not their sum.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rdi.errors import MemoryLimitError
from rdi.memory import megabytes, resident_bytes
from rdi.runtime.strips import StripHeights
from rdi.strips import BLOCK, HALO, REDUCE_HALO, REDUCE_ROWS

# Bytes for each pixel of the padded frame or strip, and for the sessions themselves.
WHOLE = 41  # 36.4 to 36.7 on 12 to 25 megapixels, 41 on 1
WHOLE_SESSION = 8_000_000
CONTEXT = 3.1  # of the whole frame, for HSE at 1/32; 2.7 to 2.9 was measured
FEATURES = 0.35  # of the whole frame, for what HSE leaves behind
STRIP = 48  # 44 was measured
STRIP_SESSIONS = 10_000_000


TALLEST = 32  # blocks: beyond it, strips only take more memory


@dataclass(frozen=True)
class Work:
    """What is to be restored.

    frame:   (H, W) with the mirrored margin
    picture: bytes of the result
    """

    frame: tuple[int, int]
    picture: int

    @property
    def pixels(self) -> int:
        """Of the frame."""
        return self.frame[0] * self.frame[1]

    def whole(self) -> int:
        """Bytes that restoring the whole frame at once takes, the result included."""
        return WHOLE_SESSION + WHOLE * self.pixels + self.picture

    def in_strips(self, heights: StripHeights) -> int:
        """Bytes that restoring it in strips takes, the result included."""
        rows = max(BLOCK * (heights.blocks + 2 * HALO), REDUCE_ROWS * (heights.rows + 2 * REDUCE_HALO))
        context, strip = CONTEXT * self.pixels, STRIP * rows * self.frame[1] + FEATURES * self.pixels
        return STRIP_SESSIONS + int(max(context, strip)) + self.picture


def choose_heights(work: Work, limit: int, given: int | None = None) -> StripHeights | None:
    """None where the whole frame keeps to the limit, else the tallest strips that do.

    limit: bytes that a call may add to what the process holds
    given: bytes of the limit that the user gave, where it is for more than the call
    Raises MemoryLimitError, which names the smallest limit that works, where not even the lowest strips do.
    """
    if work.whole() <= limit:
        return None
    for blocks in range(TALLEST, 0, -1):
        heights = heights_of(blocks, work.frame[0])
        if work.in_strips(heights) <= limit:
            return heights
    least = work.in_strips(heights_of(1, work.frame[0]))
    given = limit if given is None else given
    raise MemoryLimitError(
        f"a memory limit of {megabytes(given)} is too small for a photo of {work.pixels / 1e6:.1f} megapixels; "
        f"the smallest that works is {megabytes(given + least - limit)}"
    )


@dataclass(frozen=True)
class ProcessLimit:
    """A limit for all that a process holds, while it restores one photo after the other.

    given:    bytes
    held:     bytes that the process held before the first photo
    encoding: what encoding a picture of this width takes, bytes
    """

    given: int
    held: int
    encoding: Callable[[int], int]

    @classmethod
    def from_now(cls, given: int, encoding: Callable[[int], int]) -> "ProcessLimit":
        """A limit for this process, whose libraries are loaded."""
        return cls(given, resident_bytes(), encoding)

    def for_call(self, mosaic: NDArray[np.uint16]) -> int:
        """Bytes that restoring a photo may add, whose mosaic is held and whose picture will be encoded."""
        return self.given - self.held - mosaic.nbytes - self.encoding(max(mosaic.shape))  # it may be turned


def heights_of(blocks: int, frame_height: int) -> StripHeights:
    """Strips of at most so many blocks: as even as they can be, since all have one height and the last may overlap."""
    total = frame_height // BLOCK - 2 * HALO
    blocks = min(blocks, total)
    even = -(-total // -(-total // blocks))
    return StripHeights(even, max(1, BLOCK * (even + 2 * HALO) // REDUCE_ROWS - 2 * REDUCE_HALO))
