"""`RawPhoto`: what a camera file holds, in the units in which the sensor counted."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.camera.cfa import Cfa, mirror_axes, mirror_indices, shift_to
from rdi.color import A7S2_CAMERA_FROM_XYZ, daylight_gains, srgb_from_camera
from rdi.errors import LevelsError, UnsupportedMosaicError

Mosaic = NDArray[np.uint16]
Array = NDArray[np.float64]

WHITE_STAYS = 1e-3  # that a row of camera_to_srgb may be off from a sum of 1
NOT_SINGULAR = 1e-6  # of its determinant
DEFAULT_GAINS = daylight_gains(A7S2_CAMERA_FROM_XYZ)  # of a file that names no white balance
DEFAULT_CAMERA_TO_SRGB = srgb_from_camera(A7S2_CAMERA_FROM_XYZ)  # of a file that names no colour matrix
# Convolutions see zeros beyond the frame, and the outer 8 pixels of a picture suffer for it (ten times the error of its
# inside, a dark rim on real photos). So a frame is restored with this many mirrored pixels around it: as far as the
# network looks beyond a row, but for its context at 1/32 (`rdi.strips`).
MARGIN = 40
LEAST_SPAN = 1.0  # DN from black to white: less is no picture, and in float32 may be nothing at all
LARGEST_FACTOR = 1000.0  # of camera_to_srgb; cameras' have 3 at most, and 1e39 would be infinite in float32
MAX_GAIN = 64.0  # beyond this a white balance is damage, not light


@dataclass(frozen=True, eq=False)
class RawPhoto:
    """A raw photo: the visible mosaic as counted, and all that is needed to read it.

    mosaic:         (H, W) uint16, never scaled or clipped; at least one cell of the pattern
    cfa:            the pattern, from the file
    black_level:    (sites,) DN for each CFA site in raster order; a single number stands for all of them
    white_level:    DN at which a pixel saturates
    white_balance:  (3,) gains of red, green and blue, green = 1; as shot
    white_balance_from: who chose it: camera (as shot, or the default where the file has none), or as the runtime says
    camera_to_srgb: (3, 3) white-balanced camera RGB to linear sRGB, rows summing to 1
    camera_from_xyz: (3, 3) CIE XYZ (D65) to camera RGB, as published for the camera; None where the file has none
    iso, exposure_time: as shot, seconds; None where the file does not say
    orientation:    EXIF orientation, 1 to 8
    make, model:    of the camera; "" where the file does not say
    exif:           the picture's EXIF block (TIFF bytes, without `Exif\\0\\0`), ready to be written beside a restored
                    picture: orientation 1, no maker note; b"" where there is none
    phase:          (row, column) of the canonical X-Trans cell with which the frame begins; (0, 0) for Bayer
    crop:           (rows, columns) that the sensor has above and to the left of the frame: masked, not part of it
    path:           where it came from
    warnings:       what the file lacked and which default stands in for it, and what could not be checked
    Raises LevelsError for levels, gains or a matrix that make no sense, UnsupportedMosaicError for a frame smaller than
    one cell of its pattern.
    """

    mosaic: Mosaic = field(repr=False)
    cfa: Cfa
    black_level: Array
    white_level: float
    white_balance: Array = field(default_factory=lambda: DEFAULT_GAINS.copy())
    white_balance_from: str = "camera"
    camera_to_srgb: Array = field(default_factory=lambda: DEFAULT_CAMERA_TO_SRGB.copy())
    camera_from_xyz: Array | None = None
    iso: float | None = None
    exposure_time: float | None = None
    orientation: int = 1
    make: str = ""
    model: str = ""
    exif: bytes = field(default=b"", repr=False)
    phase: tuple[int, int] = (0, 0)
    crop: tuple[int, int] = (0, 0)
    path: Path | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _set = object.__setattr__
        black = np.asarray(self.black_level, dtype=np.float64).ravel()
        _set(self, "black_level", np.full(self.cfa.sites, black[0]) if black.size == 1 else black)
        _set(self, "white_balance", np.asarray(self.white_balance, dtype=np.float64))
        _set(self, "camera_to_srgb", np.asarray(self.camera_to_srgb, dtype=np.float64))
        _check_frame(self)
        _check_levels(self)

    @property
    def height(self) -> int:
        """Rows of the frame."""
        return int(self.mosaic.shape[0])

    @property
    def width(self) -> int:
        """Columns of the frame."""
        return int(self.mosaic.shape[1])

    @property
    def camera(self) -> str:
        """Make and model in one string, without saying the make twice."""
        if self.model.lower().startswith(self.make.lower()):
            return self.model or "unknown camera"
        return f"{self.make} {self.model}".strip()

    @property
    def gains(self) -> Array:
        """White-balance gain of each CFA site in raster order, (sites,)."""
        return self.site_values(self.cfa.per_site(self.white_balance))

    def site_values(self, canonical: Array) -> Array:
        """Per-site values of the canonical cell, in the raster order of this frame's phase."""
        period = self.cfa.period
        cell = np.asarray(canonical).reshape(period, period)
        return np.roll(cell, (-self.phase[0], -self.phase[1]), axis=(0, 1)).ravel()

    def replace(self, **changes: object) -> "RawPhoto":
        """A copy with some fields overridden, checked again."""
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Frame:
    """A mosaic aligned to a model's phase and padded to its size rule.

    mosaic:      (H, W) uint16
    black_level, gains: (sites,) in the order of the aligned phase
    top, left:   rows and columns before the photo's own; cropped off the result
    height, width: of the photo itself
    """

    mosaic: Mosaic
    black_level: Array
    gains: Array
    top: int
    left: int
    height: int
    width: int

    def crop(self, picture: NDArray[Any]) -> NDArray[Any]:
        """The photo's own pixels of a restored (H, W, 3) picture."""
        return picture[self.top : self.top + self.height, self.left : self.left + self.width]


@dataclass(frozen=True, eq=False)
class Alignment:
    """How a photo is brought to a model's phase and size rule: by mirroring at its borders; no pixel of it is lost.

    source:      the photo's mosaic
    rows, columns: which of its rows and columns stand in each place
    black_level, gains: (sites,) in the order of the aligned phase
    top, left:   rows and columns before the photo's own
    """

    source: Mosaic
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    black_level: Array
    gains: Array
    top: int
    left: int

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the aligned frame."""
        return self.rows.size, self.columns.size

    def strip(self, first: int, last: int) -> Mosaic:
        """Rows `first` to `last` - 1 of the aligned mosaic; beyond the frame they are 0, which is black."""
        height, width = self.shape
        within = _gather(self.source, self.rows[max(first, 0) : min(last, height)], self.columns, self.left)
        if first >= 0 and last <= height:
            return within
        padded = np.zeros((last - first, width), dtype=within.dtype)
        begin = max(-first, 0)
        padded[begin : begin + within.shape[0]] = within
        return padded

    def frame(self) -> Frame:
        """The whole frame."""
        height, width = self.source.shape
        same = self.shape == self.source.shape
        mosaic = np.ascontiguousarray(self.source) if same else self.strip(0, self.shape[0])
        return Frame(mosaic, self.black_level, self.gains, self.top, self.left, height, width)


def align(photo: RawPhoto, target: Cfa, multiple: int, margin: int = 0) -> Frame:
    """The photo's frame as a model wants it; arguments and errors of `plan_alignment`."""
    return plan_alignment(photo, target, multiple, margin).frame()


def plan_alignment(photo: RawPhoto, target: Cfa, multiple: int, margin: int = 0) -> Alignment:
    """Bring a photo to a model's phase and size rule.

    target:   the phase the model was trained with: RGGB or XTRANS
    multiple: height and width of the result are multiples of it
    margin:   mirrored pixels on each side at least (rounded up to whole cells)
    Raises UnsupportedMosaicError for a Bayer photo and an X-Trans model or the other way round.
    """
    if photo.cfa.period != target.period:
        raise UnsupportedMosaicError(
            f"the mosaic of the photo is {_kind(photo.cfa)}, but the model was trained for {_kind(target)}; "
            + _WAY_OUT[photo.cfa is Cfa.XTRANS]
        )
    top, left = photo.phase if target is Cfa.XTRANS else shift_to(photo.cfa, target)
    cells = -(-margin // photo.cfa.period) * photo.cfa.period
    top, left = top + cells, left + cells
    rows = _mirrored(photo, photo.height, top, multiple, margin, photo.phase[0])
    columns = _mirrored(photo, photo.width, left, multiple, margin, photo.phase[1])
    black, gains = (shift_sites(values, (top, left)) for values in (photo.black_level, photo.gains))
    return Alignment(photo.mosaic, rows, columns, black, gains, top, left)


def _gather(mosaic: Mosaic, rows: NDArray[np.int64], columns: NDArray[np.int64], left: int) -> Mosaic:
    """mosaic[rows][:, columns], where the columns from `left` on are the mosaic's own: those are copied row by row."""
    padded = np.empty((rows.size, columns.size), dtype=mosaic.dtype)
    right = left + mosaic.shape[1]
    padded[:, left:right] = mosaic[rows]
    for margin in (slice(0, left), slice(right, None)):
        padded[:, margin] = mosaic[rows[:, None], columns[margin]]
    return padded


def shift_sites(per_site: Array, shift: tuple[int, int]) -> Array:
    """Values per site of a frame to which (rows, columns) were added before its first pixel."""
    period = round(per_site.size**0.5)
    return np.roll(per_site.reshape(period, period), shift, axis=(0, 1)).ravel()


def _mirrored(photo: RawPhoto, size: int, before: int, multiple: int, margin: int, phase: int) -> NDArray[np.int64]:
    after = margin + -(before + size + margin) % multiple
    return mirror_indices(size, before, after, mirror_axes(photo.cfa, size, phase))


# By whether the photo is X-Trans.
_WAY_OUT = {
    True: "rdi ships no model for X-Trans: choose one that was trained for it",
    False: "choose a model that was trained for Bayer, such as the one that ships with rdi",
}


def _kind(cfa: Cfa) -> str:
    return "X-Trans" if cfa is Cfa.XTRANS else "Bayer"


def _check_frame(photo: RawPhoto) -> None:
    mosaic, period = photo.mosaic, photo.cfa.period
    if mosaic.ndim != 2 or mosaic.dtype != np.uint16:
        raise UnsupportedMosaicError(
            f"a mosaic is one (height, width) array of uint16; this one is {mosaic.dtype} {mosaic.shape}"
        )
    if min(mosaic.shape) < period:
        raise UnsupportedMosaicError(
            f"the frame is {mosaic.shape[1]}x{mosaic.shape[0]} pixels; one {photo.cfa} cell of {period}x{period} "
            "is the smallest that can be restored"
        )
    if photo.orientation not in range(1, 9):
        raise LevelsError(f"orientation {photo.orientation} is none of EXIF's 1 to 8")


def _check_levels(photo: RawPhoto) -> None:
    black, white, gains = photo.black_level, photo.white_level, photo.white_balance
    if black.shape != (photo.cfa.sites,):
        raise LevelsError(
            f"{black.size} black levels were given; {photo.cfa} has {photo.cfa.sites} sites (or give one)"
        )
    if not np.isfinite(black).all() or (black < 0).any() or not np.isfinite(white) or white > 65535:
        raise LevelsError(
            f"black level {black.tolist()} and white level {white} must lie within 0 and 65535; give the sensor's own"
        )
    if white - black.max() < LEAST_SPAN:
        raise LevelsError(
            f"white level {white:.9g} is not above black level {black.max():.9g} by {LEAST_SPAN:g} or more; give the "
            "sensor's own levels"
        )
    if gains.shape != (3,) or not np.isfinite(gains).all() or (gains <= 0).any() or (gains > MAX_GAIN).any():
        raise LevelsError(f"white balance {gains.tolist()} must be three gains above 0 and up to {MAX_GAIN:g}")
    if photo.camera_to_srgb.shape != (3, 3) or not (np.abs(photo.camera_to_srgb) <= LARGEST_FACTOR).all():
        raise LevelsError(
            f"camera_to_srgb must be a (3, 3) matrix of numbers from -{LARGEST_FACTOR:g} to {LARGEST_FACTOR:g}"
        )
    sums = photo.camera_to_srgb.sum(axis=1)
    if np.abs(sums - 1).max() > WHITE_STAYS or abs(np.linalg.det(photo.camera_to_srgb)) < NOT_SINGULAR:
        raise LevelsError(
            f"camera_to_srgb's rows sum to {np.round(sums, 4).tolist()}; they must sum to 1, so that white stays "
            "white, and differ from each other: see rdi.color.srgb_from_camera"
        )
