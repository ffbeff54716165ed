"""A frame restored strip by strip: the bytes of the whole frame's picture, in memory that its height hardly adds to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.camera.photo import Alignment, shift_sites
from rdi.runtime.providers import Provider
from rdi.runtime.sessions import make_session, run_session
from rdi.runtime.strip_file import StripFile
from rdi.strips import BLOCK, FEATURE_HALO, FEATURES, HALO, REDUCE_HALO, REDUCE_ROWS, REDUCED_CHANNELS, Part

Strip = NDArray[np.uint16]


@dataclass(frozen=True)
class StripHeights:
    """How high the strips are.

    blocks: of a strip of the picture, 8 rows each
    rows:   of `reduced`, 32 mosaic rows each
    """

    blocks: int
    rows: int


@dataclass(frozen=True, eq=False)
class Levels:
    """What turns the mosaic into light.

    black_level, factor: (sites,); the factor is amplification times gain
    """

    black_level: NDArray[np.float64]
    white_level: float
    factor: NDArray[np.float32]

    def of_strip(self, first: int) -> dict[str, NDArray[Any]]:
        """The graphs' inputs for a strip that begins with row `first` of the frame, in the order of the sites there."""
        return {
            "black_level": shift_sites(self.black_level, (-first, 0)).astype(np.float32),
            "white_level": np.array(self.white_level, dtype=np.float32),
            "factor": shift_sites(self.factor.astype(np.float64), (-first, 0)).astype(np.float32),
        }


class StripSessions:
    """The sessions of one file of strips, made on first use for the sizes of a frame and kept until another comes."""

    def __init__(self, file: StripFile, provider: Provider, threads: int) -> None:
        self.file = file
        self._provider = provider
        self._threads = threads
        self._sessions: dict[Part, tuple[dict[str, int], Any]] = {}

    def get(self, part: Part, sizes: dict[str, int]) -> Any:
        """The session of a graph for these sizes, by the names that the graph gives them."""
        known = self._sessions.get(part)
        if known is None or known[0] != sizes:
            self._sessions.pop(part, None)
            session = make_session(self.file.graphs[part], self._provider, self._threads, sizes)
            self._sessions[part] = (sizes, session)
        return self._sessions[part][1]


def restore_photo(
    sessions: StripSessions,
    frame: Alignment,
    levels: Levels,
    heights: StripHeights,
    rendering: Mapping[str, NDArray[Any]] = MappingProxyType({}),
) -> Iterator[tuple[slice, Strip]]:
    """Restore the photo within a frame: (its rows, (rows, width of the photo, 3) uint16), from top to bottom.

    rendering: `rdi.runtime.gamut.rendering_inputs`
    """
    height, width = frame.source.shape
    top, bottom = frame.top, frame.top + height
    for first, strip in restore_strips(sessions, frame, (top, height), levels, heights, rendering):
        begin, end = max(first, top), min(first + strip.shape[0], bottom)
        yield slice(begin - top, end - top), strip[begin - first : end - first, frame.left : frame.left + width]


def restore_strips(
    sessions: StripSessions,
    frame: Alignment,
    photo_rows: tuple[int, int],
    levels: Levels,
    heights: StripHeights,
    rendering: Mapping[str, NDArray[Any]] = MappingProxyType({}),
) -> Iterator[tuple[int, Strip]]:
    """Restore a frame; yields (first row, (rows, W, 3) uint16) from top to bottom.

    photo_rows: first row and number of rows of the frame that are wanted, at least `HALO` blocks within it
    """
    features = _context(sessions, _reduce(sessions, frame, levels, heights.rows))
    width = frame.shape[1]
    first, last = photo_rows[0] // BLOCK, -(-sum(photo_rows) // BLOCK)
    count = min(heights.blocks, last - first)
    sizes = {
        "height": BLOCK * (count + 2 * HALO),
        "width": width,
        "rows": count + 2 * FEATURE_HALO,
        "columns": width // BLOCK,
    }
    session = sessions.get(Part.RESTORE, sizes)
    for block in _starts(first, last, count):
        begin, end = BLOCK * (block - HALO), BLOCK * (block + count + HALO)
        inputs: dict[str, NDArray[Any]] = {
            "mosaic": frame.strip(begin, end)[None, None],
            "features": features[:, :, block - FEATURE_HALO : block + count + FEATURE_HALO],
            **levels.of_strip(begin),
            **rendering,
        }
        yield BLOCK * block, run_session(session, inputs, "rgb", (1, BLOCK * count, width, 3))[0]


def _reduce(sessions: StripSessions, frame: Alignment, levels: Levels, rows: int) -> NDArray[np.float32]:
    """HSE's first convolution over the frame: (1, 128, H/32, W/32)."""
    height, width = frame.shape
    result = np.empty((1, REDUCED_CHANNELS, height // REDUCE_ROWS, width // REDUCE_ROWS), dtype=np.float32)
    count = min(rows, result.shape[2])
    seen = count + 2 * REDUCE_HALO
    session = sessions.get(Part.REDUCE, {"height": REDUCE_ROWS * seen, "width": width, "rows": seen})
    shape = (1, REDUCED_CHANNELS, count, result.shape[3])
    for row in _starts(0, result.shape[2], count):
        begin = REDUCE_ROWS * (row - REDUCE_HALO)
        rows_seen = np.arange(row - REDUCE_HALO, row + count + REDUCE_HALO)
        inside = ((rows_seen >= 0) & (rows_seen < result.shape[2])).astype(np.float32)
        mosaic = frame.strip(begin, begin + REDUCE_ROWS * seen)
        inputs = {"mosaic": mosaic[None, None], **levels.of_strip(begin), "inside": inside}
        result[:, :, row : row + count] = run_session(session, inputs, "reduced", shape)
    return result


def _context(sessions: StripSessions, reduced: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = reduced.shape[2:]
    session = sessions.get(Part.CONTEXT, {"rows": rows, "columns": columns})
    each = REDUCE_ROWS // BLOCK
    shape = (1, FEATURES, each * rows, each * columns)
    features: NDArray[np.float32] = run_session(session, {"reduced": reduced}, "features", shape)
    return features


def _starts(first: int, last: int, count: int) -> Iterator[int]:
    """Where strips of one height begin that cover a range; the last one may overlap the one before."""
    for start in range(first, last, count):
        yield min(start, last - count)
