"""The colour of the light in a dark photo, from its mosaic: shades of grey, kept among the lights there are.

Finlayson and Trezzi ("Shades of Gray and Colour Constancy", 2004) take the Minkowski norm (p = 6) of each colour over
the frame for the light's: bright surfaces count most. Two things make it serve dark raw photos:

- It is taken over blocks, not pixels: shot noise would count as bright pixels. A block is 18x18 pixels, its value the
  median of 9 tiles of 6x6, so that hot pixels, frequent in long exposures, do not count at all. Blocks that the sensor
  saturated in say nothing of colour and are left out.
- The result is kept near the line of lights from tungsten to daylight, as the camera sees them (in the logarithm of the
  gains that line is straight within 2 %). A stage in blue light stays blue.

How far it is from the truth: docs/exposure.md.
"""

import numpy as np
from numpy.typing import NDArray

from rdi.camera.cfa import BLUE, GREEN, RED
from rdi.camera.photo import RawPhoto
from rdi.color import daylight_gains, tungsten_gains

Array = NDArray[np.float64]

NORM = 6
TILE = 6  # pixels: a multiple of both patterns' periods
TILES = 3  # of a block, in each direction
SATURATED = 0.98  # of the white level
MOST_SATURATED = 2  # tiles of a block; the median passes over as many
# How far the gains may lie off the line: green or magenta casts of gas discharge and LED lamps, exp(0.15) = 16 %.
OFF_LINE = 0.15
# Light shows in the positive values of the blocks; where their norm is less than so many times the negative ones', all
# is noise.
SIGNAL_TO_NOISE = 2.0


def estimate_gains(photo: RawPhoto) -> Array | None:
    """White-balance gains (3,), green = 1, that make the light of the photo neutral.

    None where the frame tells nothing: black or saturated throughout, or smaller than 18x18 pixels; and where the
    colour matrix makes no sense in lamplight. The photo must have its `camera_from_xyz`.
    """
    assert photo.camera_from_xyz is not None
    light = block_light(photo)
    if not light.size:
        return None
    norms, noise = (np.mean(np.maximum(values, 0) ** NORM, axis=0) ** (1 / NORM) for values in (light, -light))
    if (norms <= SIGNAL_TO_NOISE * noise).any():
        return None
    ends = tungsten_gains(photo.camera_from_xyz), daylight_gains(photo.camera_from_xyz)
    if not all((gains > 0).all() for gains in ends):  # a colour matrix by which lamps have negative light
        return None
    return keep_plausible(norms[GREEN] / norms, *ends)


def keep_plausible(gains: Array, tungsten: Array, daylight: Array) -> Array:
    """The nearest gains (3,) to the line between two lights, in logarithms; what lies within 0.15 of it stays."""
    start, end, wanted = (np.log(values[[RED, BLUE]] / values[GREEN]) for values in (tungsten, daylight, gains))
    line = end - start
    nearest = start + np.clip((wanted - start) @ line / (line @ line), 0, 1) * line
    off = wanted - nearest
    distance = np.hypot(*off)
    red, blue = np.exp(nearest + off * min(1.0, OFF_LINE / max(distance, OFF_LINE)))
    return np.array([red, 1.0, blue])


def block_light(photo: RawPhoto) -> Array:
    """Red, green and blue of each block that is not saturated, (blocks, 3), white = 1; 0 is black, noise is below."""
    tiles, saturated = _tiles(photo)
    rows, columns = tiles.shape[0] // TILES, tiles.shape[1] // TILES
    shape = (rows, TILES, columns, TILES)
    blocks = tiles[: rows * TILES, : columns * TILES].reshape(*shape, 3)
    usable = saturated[: rows * TILES, : columns * TILES].reshape(shape).sum(axis=(1, 3)) <= MOST_SATURATED
    return np.asarray(np.median(blocks.swapaxes(1, 2)[usable].reshape(-1, TILES**2, 3), axis=1))


def _tiles(photo: RawPhoto) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(rows, columns, 3) mean of each colour over each tile, and whether a pixel of it is saturated."""
    period = photo.cfa.period
    colours = photo.site_values(photo.cfa.colours.ravel().astype(np.float64)).reshape(period, period).astype(np.uint8)
    blacks = photo.black_level.reshape(period, period)
    rows, columns = photo.height // TILE, photo.width // TILE
    whole = photo.mosaic[: rows * TILE, : columns * TILE]
    light = np.zeros((3, rows, columns), dtype=np.float32)
    highest = np.zeros((rows, columns), dtype=np.uint16)
    for row, column in np.ndindex(TILE, TILE):
        counts = whole[row::TILE, column::TILE]
        site = row % period, column % period
        light[colours[site]] += (counts - np.float32(blacks[site])) / np.float32(photo.white_level - blacks[site])
        np.maximum(highest, counts, out=highest)
    pixels = np.bincount(np.tile(colours, (TILE // period, TILE // period)).ravel(), minlength=3)
    means = light / pixels.astype(np.float32)[:, None, None]
    return np.moveaxis(means, 0, -1), highest >= SATURATED * photo.white_level
