"""Read a camera's raw file into a `RawPhoto`, through LibRaw.

White level: LibRaw's (16383 on Sony's 14-bit files), not the maker's tag (15360 there), which names the end of the
linear range: on a real ARW the saturated pixels pile up at 16372, and a white of 15360 would call a tenth of a stop of
real signal clipped. Published weights, protocol and parity files use LibRaw's too.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rdi.camera.bounds import require_frame
from rdi.camera.cfa import Cfa, cfa_of
from rdi.camera.containers import Container, check_container
from rdi.camera.exif import read_tags
from rdi.camera.photo import DEFAULT_CAMERA_TO_SRGB, DEFAULT_GAINS, RawPhoto
from rdi.color import XYZ_FROM_SRGB, daylight_gains, srgb_from_camera
from rdi.errors import InputError, LevelsError, NotARawPhotoError, UnsupportedMosaicError
from rdi.unchanged import unchanged

if TYPE_CHECKING:
    from rawpy import RawPy

Array = NDArray[np.float64]

NO_MATRIX = "the file has no usable colour matrix; the Sony A7S II's is used, so colours may be off"
MATRIX_DECIMALS = 6  # LibRaw keeps float32; makers and Adobe publish four decimals

# LibRaw's `flip` -> EXIF orientation.
_ORIENTATIONS = {0: 1, 1: 2, 2: 4, 3: 3, 4: 5, 5: 8, 6: 6, 7: 7}


def read_photo(path: str | os.PathLike[str]) -> RawPhoto:
    """Read a raw photo: the visible frame as counted, with the camera's levels, colours and EXIF.

    What the file lacks gets a default and an entry in `RawPhoto.warnings`: white balance (the camera's daylight, or the
    A7S II's where its colours are unknown too) and colour matrix (the A7S II's). Black levels are per site for Bayer
    files and DNGs; LibRaw hands out one for all 36 sites of other X-Trans files.

    Raises InputError for a missing or unreadable file, NotARawPhotoError for anything that is no raw photo,
    TruncatedPhotoError for part of one (see `containers` for what can be checked), UnsupportedMosaicError for pixels
    that are no Bayer or X-Trans mosaic, LevelsError for levels or colours that make no sense.
    """
    path = Path(path)
    with open_raw(path) as (raw, container):
        cfa, phase, pattern = _pattern(raw, path)
        tags = read_tags(path, lambda: _preview(raw))
        matrix = _camera_from_xyz(raw, container.is_dng)
        gains = _as_shot_gains(raw)
        try:
            default_gains = DEFAULT_GAINS if matrix is None else daylight_gains(matrix)
            return RawPhoto(
                mosaic=np.array(raw.raw_image_visible),  # a copy: LibRaw's memory goes with `raw`
                cfa=cfa,
                phase=phase,
                black_level=_black_levels(raw, container, pattern),
                white_level=float(raw.white_level or 0),
                white_balance=default_gains if gains is None else gains,
                camera_to_srgb=DEFAULT_CAMERA_TO_SRGB if matrix is None else srgb_from_camera(matrix),
                camera_from_xyz=matrix,
                iso=tags.iso or _positive(raw.other.iso_speed),
                exposure_time=tags.exposure_time or _positive(raw.other.shutter_speed),
                orientation=_ORIENTATIONS.get(raw.sizes.flip, 1),
                make=tags.make,
                model=tags.model,
                exif=tags.block,
                crop=(int(raw.sizes.top_margin), int(raw.sizes.left_margin)),
                path=path,
                warnings=_warnings(gains, matrix, container),
            )
        except (LevelsError, UnsupportedMosaicError) as error:
            raise type(error)(f"{path}: {error}") from error


@contextmanager
def open_raw(path: Path) -> Iterator[tuple["RawPy", Container]]:
    """LibRaw's view of a file, for as long as the block lasts, and its container's; the errors of `read_photo`.

    The container is checked first, the frame before LibRaw allocates it, and the file must stay as it is meanwhile.
    """
    with unchanged(path):
        container = check_container(path)
        with _libraw(path) as raw:
            require_frame(raw, container, path)
            yield raw, container


@contextmanager
def _libraw(path: Path) -> Iterator["RawPy"]:
    """The file in LibRaw's hands; what LibRaw raises within the block becomes an InputError."""
    import rawpy
    from rawpy import _rawpy

    try:
        with ExitStack() as opened:
            # By name LibRaw reads what it needs; of a file object rawpy keeps all bytes (18 MB for 18 megapixels).
            source = str(path) if _is_unicode(path) else opened.enter_context(path.open("rb"))
            yield opened.enter_context(rawpy.imread(source))
    except _rawpy.LibRawUnsufficientMemoryError as error:
        raise MemoryError(f"not enough memory to decode {path}") from error
    except (_rawpy.LibRawFileUnsupportedError, _rawpy.LibRawIOError) as error:
        raise NotARawPhotoError(f"{path} is no raw photo that LibRaw can read; give a camera's raw file") from error
    except (_rawpy.LibRawError, OSError) as error:
        raise InputError(f"{path} cannot be decoded: LibRaw says {_reason(error)!r}; copy the file again") from error


def _is_unicode(path: Path) -> bool:
    """Whether rawpy can pass on the name: Linux takes any bytes for one, rawpy only what UTF-8 can say."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _reason(error: Exception) -> str:
    """LibRaw's own words, which rawpy passes on as bytes."""
    reason = error.args[0] if error.args else "nothing"
    return reason.decode("ascii", "replace") if isinstance(reason, bytes) else str(reason)


def _pattern(raw: "RawPy", path: Path) -> tuple[Cfa, tuple[int, int], NDArray[np.intp]]:
    """The visible frame's pattern, its phase, and LibRaw's number of the colour at each site, (period, period).

    LibRaw numbers both greens apart. `raw_pattern` begins at the corner of the masked border, not of the visible frame,
    which differs where a margin is odd.
    """
    import rawpy

    letters = raw.color_desc.decode("ascii", "replace")
    if raw.raw_type is not rawpy.RawType.Flat:
        raise _unsupported(path, "holds several colours for each pixel (Foveon, linear or small raw)")
    top, left = raw.sizes.top_margin, raw.sizes.left_margin
    numbers = np.array([[raw.raw_color(top + y, left + x) for x in range(12)] for y in range(12)], dtype=np.intp)
    if raw.num_colors == 1 or numbers.max() >= len(letters):
        raise _unsupported(path, "is monochrome: its sensor has no colour filters")
    if not {letters[number] for number in np.unique(numbers)} <= set("RGB"):
        raise _unsupported(path, f"has the colour filters {letters}, not red, green and blue")
    colours = np.array(["RGB".index(letter) if letter in "RGB" else 0 for letter in letters], dtype=np.uint8)[numbers]
    for period in (2, 6):
        cell = colours[:period, :period]
        found = cfa_of(cell)
        if found and np.array_equal(np.tile(cell, (12 // period, 12 // period)), colours):
            return *found, numbers[:period, :period]
    raise _unsupported(path, "has a colour filter pattern that is neither Bayer's nor X-Trans")


def _unsupported(path: Path, what: str) -> UnsupportedMosaicError:
    return UnsupportedMosaicError(f"{path} {what}; a Bayer or X-Trans mosaic is needed")


def _black_levels(raw: "RawPy", container: Container, numbers: NDArray[np.intp]) -> Array:
    """Per site, in raster order: a DNG's own figures (LibRaw cuts their fractions), else LibRaw's per colour."""
    period = numbers.shape[0]
    own = container.black_level
    if own is not None and period % own.shape[0] == 0 and period % own.shape[1] == 0:
        cell = np.tile(own, (period // own.shape[0], period // own.shape[1]))
        # LibRaw moves the corner of the visible frame to even rows and columns; the levels stay with their sites.
        moved = (container.active_area[0] - raw.sizes.top_margin, container.active_area[1] - raw.sizes.left_margin)
        return np.roll(cell, moved, axis=(0, 1)).ravel()
    return np.array(raw.black_level_per_channel, dtype=np.float64)[numbers].ravel()


def _as_shot_gains(raw: "RawPy") -> Array | None:
    """(3,), green = 1. The fourth number, of the second green, is 0 in DNGs and not used."""
    gains = np.array(raw.camera_whitebalance[:3], dtype=np.float64)
    if not np.isfinite(gains).all() or (gains <= 0).any():
        return None
    return np.asarray(gains / gains[1], dtype=np.float64)


def _camera_from_xyz(raw: "RawPy", is_dng: bool) -> Array | None:
    """The camera's matrix, (3, 3), XYZ to camera RGB.

    For a DNG, LibRaw has turned the file's matrices (illuminants, calibration and analog balance) into one from
    balanced camera RGB to sRGB, which is undone here; `rgb_xyz_matrix` is LibRaw's own, or zero, there.
    """
    to_srgb = np.array(raw.color_matrix, dtype=np.float64)[:, :3]
    daylight = np.array(raw.daylight_whitebalance[:3], dtype=np.float64)  # 1 / row sums of the matrix
    matrix = np.array(raw.rgb_xyz_matrix, dtype=np.float64)[:3]
    if is_dng and (daylight > 0).all() and np.linalg.matrix_rank(to_srgb) == 3:
        matrix = np.linalg.inv(to_srgb) @ np.linalg.inv(XYZ_FROM_SRGB) / daylight[:, None]
    if not np.isfinite(matrix).all() or not matrix.any():
        return None
    return np.asarray(np.round(matrix, MATRIX_DECIMALS), dtype=np.float64)


def _preview(raw: "RawPy") -> bytes:
    """The embedded JPEG; b"" if there is none."""
    import rawpy
    from rawpy import _rawpy

    try:
        preview = raw.extract_thumb()
    except (_rawpy.LibRawError, NotImplementedError):
        return b""
    return bytes(preview.data) if preview.format is rawpy.ThumbFormat.JPEG else b""


def _positive(value: float) -> float | None:
    return float(value) if np.isfinite(value) and value > 0 else None


def _warnings(gains: Array | None, matrix: Array | None, container: Container) -> tuple[str, ...]:
    found = []
    if not container.checked:
        found.append("this format's completeness cannot be checked: where the file is cut off, the picture is made up")
    if matrix is None:
        found.append(NO_MATRIX)
    if gains is None:
        whose = "the camera's" if matrix is not None else "the Sony A7S II's"
        found.append(f"the file has no usable white balance; {whose} daylight balance is used")
    return tuple(found)
