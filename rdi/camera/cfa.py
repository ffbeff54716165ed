"""The colour filter array: which colour each pixel of a mosaic has counted, and how a frame is aligned and padded.

A Bayer pattern repeats every 2 pixels, Fuji's X-Trans every 6. A *site* is one place of the repeating pattern; values
per site (black level, gains) stand in raster order: 4 for Bayer, 36 for X-Trans.
"""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.uint8]

RED, GREEN, BLUE = 0, 1, 2

# Fujifilm's X-Trans, in the phase that models are trained with (others are aligned to it).
_XTRANS_ROWS = ("GGRGGB", "GGBGGR", "BRGRBG", "GGBGGR", "GGRGGB", "RBGBRG")


class Cfa(StrEnum):
    """The mosaic's pattern, named by its first cell from the top left."""

    RGGB = "RGGB"
    BGGR = "BGGR"
    GRBG = "GRBG"
    GBRG = "GBRG"
    XTRANS = "XTRANS"

    @property
    def period(self) -> int:
        """Pixels after which the pattern repeats, in both directions: 2 or 6."""
        return 6 if self is Cfa.XTRANS else 2

    @property
    def colours(self) -> Colours:
        """(period, period) uint8: RED, GREEN or BLUE of each site."""
        rows = _XTRANS_ROWS if self is Cfa.XTRANS else (self.value[:2], self.value[2:])
        return np.array([["RGB".index(letter) for letter in row] for row in rows], dtype=np.uint8)

    @property
    def sites(self) -> int:
        """How many values a per-site setting has: 4 or 36."""
        return self.period**2

    def per_site(self, per_colour: NDArray[np.float64]) -> NDArray[np.float64]:
        """Spread (3,) values for red, green, blue over the sites, in raster order."""
        return np.asarray(per_colour, dtype=np.float64)[self.colours.ravel()]

    def tile(self, per_site: NDArray[np.float64], height: int, width: int) -> NDArray[np.float32]:
        """Repeat (sites,) values over a frame: (height, width) float32."""
        period = self.period
        cell = np.asarray(per_site, dtype=np.float32).reshape(period, period)
        repeats = (-(-height // period), -(-width // period))
        return np.tile(cell, repeats)[:height, :width]


def cfa_of(colours: Colours) -> tuple[Cfa, tuple[int, int]] | None:
    """Name the pattern of a (2, 2) or (6, 6) cell of colours, with its shift (rows, columns) from the canonical phase.

    A frame with shift (r, c) begins at row r, column c of the canonical cell. Bayer phases each have a name, so their
    shift is (0, 0). None: neither a Bayer nor an X-Trans pattern.
    """
    if colours.shape == (2, 2):
        return next(((cfa, (0, 0)) for cfa in Cfa if cfa.period == 2 and np.array_equal(cfa.colours, colours)), None)
    canonical = Cfa.XTRANS.colours
    for shift in np.ndindex(6, 6):
        if np.array_equal(np.roll(canonical, (-shift[0], -shift[1]), axis=(0, 1)), colours):
            return Cfa.XTRANS, (shift[0], shift[1])
    return None


def shift_to(cfa: Cfa, target: Cfa) -> tuple[int, int]:
    """Rows and columns to add before a frame of phase `cfa`, so that it begins like `target`: (0 or 1, 0 or 1)."""
    for rows, columns in np.ndindex(2, 2):
        if np.array_equal(np.roll(cfa.colours, (rows, columns), axis=(0, 1)), target.colours):
            return rows, columns
    raise ValueError(f"{cfa} cannot be aligned to {target}")


def mirror_indices(size: int, before: int, after: int, axes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each row (or column) of a padded frame comes from, so that every padded site keeps its colour.

    size:    rows of the frame
    before, after: rows to add at its two ends; may exceed the frame
    axes:    ascending rows of the frame about which the pattern is mirror-symmetric: all of them for Bayer, every third
             one for X-Trans
    returns: (before + size + after,) indices into the frame; the frame itself is left as it is
    """
    wanted = np.arange(-before, size + after)
    first, last = int(axes[0]), int(axes[-1])
    span = last - first
    folded = (wanted - first) % (2 * span)
    mirrored = first + np.where(folded > span, 2 * span - folded, folded)
    return np.where((wanted >= 0) & (wanted < size), wanted, mirrored)


def mirror_axes(cfa: Cfa, size: int, shift: int) -> NDArray[np.int64]:
    """The rows (or columns) about which a frame of this pattern is mirror-symmetric; at least two of them.

    shift: the row of the canonical cell with which the frame begins (X-Trans; 0 for Bayer)
    """
    rows = np.arange(size)
    return rows if cfa.period == 2 else rows[(rows + shift) % 3 == 2]
