"""Square crops of a mosaic, mirrored and transposed, that all begin at the phase a model is trained for.

Mirroring moves the colours: a mirrored RGGB crop of even width begins on green. So a crop's corner is drawn among those
from which, once mirrored, it begins like the model's own cell. Bayer and X-Trans patterns survive all eight mirrorings
and transpositions, from one of 4 corners for Bayer and two of 36 for X-Trans (which equals itself, moved by 3 and 3).
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.camera.cfa import Cfa
from rdi.errors import TrainingDataError


@dataclass(frozen=True)
class Window:
    """Where a crop lies in its frame, and how it is turned.

    top, left: the first row and column of the frame that it covers
    side:      rows and columns, pixels
    mirror_rows, mirror_columns: the last one becomes the first
    transpose: then rows and columns are exchanged
    """

    top: int
    left: int
    side: int
    mirror_rows: bool = False
    mirror_columns: bool = False
    transpose: bool = False

    def cut(self, frame: NDArray[Any]) -> NDArray[Any]:
        """The window of an (H, W) or (H, W, C) frame, as a view: nothing beside its rows is read of a file."""
        crop = frame[self.top : self.top + self.side, self.left : self.left + self.side]
        crop = crop[:: -1 if self.mirror_rows else 1, :: -1 if self.mirror_columns else 1]
        return crop.swapaxes(0, 1) if self.transpose else crop

    def site_values(self, per_site: NDArray[Any]) -> NDArray[Any]:
        """Values per CFA site of the frame, (sites,) in raster order, as they stand in the window."""
        period = round(per_site.size**0.5)
        rows = _places(self.top, self.side, self.mirror_rows, period)
        columns = _places(self.left, self.side, self.mirror_columns, period)
        cell = per_site.reshape(period, period)[rows[:, None] % period, columns % period]
        return np.ascontiguousarray(cell.T if self.transpose else cell).ravel()

    def describe(self) -> str:
        """Rows, columns and how they are turned: `rows 96-607, columns 0-511, mirrored columns, transposed`."""
        turned = {"rows": self.mirror_rows, "columns": self.mirror_columns}
        mirrored = " and ".join(name for name, wanted in turned.items() if wanted)
        return ", ".join(
            [f"rows {self.top}-{self.top + self.side - 1}, columns {self.left}-{self.left + self.side - 1}"]
            + ([f"mirrored {mirrored}"] if mirrored else [])
            + (["transposed"] if self.transpose else [])
        )


def draw_window(
    shape: tuple[int, int],
    side: int,
    cfa: Cfa,
    phase: tuple[int, int],
    target: Cfa,
    generator: np.random.Generator,
    *,
    transposed: bool = True,
) -> Window:
    """A random window, turned at random, that begins with the first site of `target`.

    shape:  height and width of the frame
    side:   of the window, pixels
    cfa, phase: of the frame
    transposed: whether rows and columns may be exchanged, too; else they are only mirrored
    Every such window is equally likely among those that are turned alike. Raises TrainingDataError for a frame that
    holds none.
    """
    mirror_rows, mirror_columns, transpose = (bool(bit) for bit in generator.integers(2, size=3))
    transpose &= transposed
    period = cfa.period
    corners = window_corners(cfa, phase, target, side % period, mirror_rows, mirror_columns, transpose)
    room = [
        tuple(_steps(extent - side - first, period) for extent, first in zip(shape, c, strict=True)) for c in corners
    ]
    places = [rows * columns for rows, columns in room]
    if not sum(places):
        raise TrainingDataError(
            f"a frame of {shape[1]}x{shape[0]} pixels holds no crop of {side} that begins on the model's phase; "
            "lower --crop"
        )
    chosen = int(generator.integers(sum(places)))
    for (row, column), (_, columns), count in zip(corners, room, places, strict=True):
        if chosen < count:
            down, right = divmod(chosen, columns)
            return Window(row + period * down, column + period * right, side, mirror_rows, mirror_columns, transpose)
        chosen -= count
    raise AssertionError("a window beyond those that were counted")


@cache
def window_corners(
    cfa: Cfa,
    phase: tuple[int, int],
    target: Cfa,
    side: int,
    mirror_rows: bool,
    mirror_columns: bool,
    transpose: bool,
) -> tuple[tuple[int, int], ...]:
    """(top, left) within one period from which a window, turned so, begins like `target`.

    side: of the window, modulo the period
    Raises ValueError for Bayer and X-Trans together.
    """
    if cfa.period != target.period:
        raise ValueError(f"{cfa} cannot be cut like {target}")
    own = np.roll(cfa.colours, (-phase[0], -phase[1]), axis=(0, 1)).ravel()
    return tuple(
        (top, left)
        for top, left in np.ndindex(cfa.period, cfa.period)
        if np.array_equal(
            Window(top, left, side, mirror_rows, mirror_columns, transpose).site_values(own), target.colours.ravel()
        )
    )


def _places(first: int, side: int, mirrored: bool, count: int) -> NDArray[np.int64]:
    """Rows of the frame that stand in the window's first ones."""
    order = np.arange(count)
    return first + (side - 1 - order if mirrored else order)


def _steps(room: int, period: int) -> int:
    """How many periods a window can be moved, and one for where it stands; 0 where it does not fit."""
    return max(room // period + 1, 0)
