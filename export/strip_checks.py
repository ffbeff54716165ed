"""Are the strips' pictures the whole frame's, byte for byte? Run as the runtime runs them."""

from pathlib import Path

import numpy as np

from rdi.camera.photo import MARGIN, Alignment, RawPhoto, plan_alignment
from rdi.errors import ModelError
from rdi.export.frames import Settings, random
from rdi.export.picture_checks import SEED, camera_levels
from rdi.export.report import Check
from rdi.export.session import GraphSession
from rdi.metadata import ModelMetadata
from rdi.runtime.providers import Provider
from rdi.runtime.strip_file import StripFile, strip_file_of
from rdi.runtime.strips import Levels, StripHeights, StripSessions, restore_strips
from rdi.runtime.threads import choose_threads

# Photo (H, W) and strips: one that is lower than a strip, the lowest strips, uneven and overlapping ones, odd sizes.
CASES = (
    ((10, 130), StripHeights(9, 3)),
    ((40, 200), StripHeights(1, 1)),
    ((150, 61), StripHeights(4, 2)),
    ((333, 94), StripHeights(11, 3)),
    ((200, 330), StripHeights(22, 2)),
)
AMPLIFICATION = 30.0


def check_strips(content: bytes, strips: bytes, metadata: ModelMetadata) -> Check:
    """The largest number of values that differ in a picture, over frames of several sizes; none may."""
    try:
        file = strip_file_of(strips, Path("the model's strips"), metadata)
    except ModelError:
        return Check("strips against the whole frame", float("nan"), 0, "values that differ")
    worst = 0
    for index, (size, heights) in enumerate(CASES):
        settings = camera_levels(metadata.cfa)[index % 3]
        photo = _photo(size, settings, metadata)
        frame = plan_alignment(photo, metadata.cfa, metadata.size_multiple, MARGIN)
        whole, in_strips = _whole(content, frame, photo), _in_strips(file, frame, photo, heights)
        worst = max(worst, int((whole != in_strips).sum()))
    return Check("strips against the whole frame", worst, 0, "values that differ")


def _photo(size: tuple[int, int], settings: Settings, metadata: ModelMetadata) -> RawPhoto:
    signal = random(*size, np.random.default_rng(SEED))
    black = metadata.cfa.tile(settings.black_level, *size)
    counted = np.clip(np.rint(black + signal / AMPLIFICATION * (settings.white_level - black)), 0, 65535)
    return RawPhoto(counted.astype(np.uint16), metadata.cfa, settings.black_level, settings.white_level)


def _whole(content: bytes, frame: Alignment, photo: RawPhoto) -> np.ndarray:
    settings = Settings(frame.black_level, photo.white_level, frame.gains)
    session = GraphSession(content, size=frame.shape)
    picture, _ = session.run_with(frame.frame().mosaic, settings, amplification=AMPLIFICATION)
    return frame.frame().crop(picture)


def _in_strips(file: StripFile, frame: Alignment, photo: RawPhoto, heights: StripHeights) -> np.ndarray:
    factor = frame.gains.astype(np.float32) * np.float32(AMPLIFICATION)
    levels = Levels(frame.black_level, photo.white_level, factor)
    sessions = StripSessions(file, Provider.CPU, choose_threads(None))
    picture = np.zeros((*frame.shape, 3), dtype=np.uint16)
    for first, strip in restore_strips(sessions, frame, (frame.top, photo.height), levels, heights):
        picture[first : first + strip.shape[0]] = strip
    return frame.frame().crop(picture)
