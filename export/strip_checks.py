"""Are the strips' pictures the whole frame's, byte for byte? Run as the runtime runs them."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from rdi.camera.photo import MARGIN, Alignment, RawPhoto, plan_alignment
from rdi.errors import ModelError
from rdi.export.frames import PATTERNS, Settings, mosaic_of
from rdi.export.picture_checks import SEED, camera_levels
from rdi.export.report import Check
from rdi.export.session import GraphSession, Picture
from rdi.metadata import ModelMetadata, Rendering
from rdi.runtime.package import first_line, session_errors
from rdi.runtime.providers import Provider
from rdi.runtime.strip_file import StripFile, strip_file_of
from rdi.runtime.strips import Levels, StripHeights, StripSessions, restore_photo
from rdi.runtime.threads import choose_threads

NAME = "strips against the whole frame"
BESIDE = Path("the file of strips beside the model")  # in messages

# Photo (H, W) and strips: one that is lower than a strip, the lowest strips, uneven and overlapping ones, odd sizes.
CASES = (
    ((10, 130), StripHeights(9, 3)),
    ((40, 200), StripHeights(1, 1)),
    ((150, 61), StripHeights(4, 2)),
    ((333, 94), StripHeights(11, 3)),
    ((200, 330), StripHeights(22, 2)),
)
# Where a strip goes wrong at its seams or at the frame's border, one of these shows it; the large amplification is for
# corrections that are lost in the rounding of a small one.
FRAMES = tuple(product(("random", "impulse", "border"), (30.0, 300.0)))


def check_strips(content: bytes, strips: bytes, metadata: ModelMetadata) -> Check:
    """How many values of a picture differ, in the worst of many frames; none may.

    strips: a file's bytes; one that is damaged or of other weights fails the check, with the reason
    """
    try:
        file = strip_file_of(strips, BESIDE, metadata)
        worst = max(_differing(content, file, metadata, index) for index in range(len(CASES)))
    except ModelError as error:
        return Check(NAME, float("nan"), 0, "values that differ", reason=str(error))
    except session_errors() as error:
        return Check(NAME, float("nan"), 0, "values that differ", reason=f"{BESIDE} does not run: {first_line(error)}")
    return Check(NAME, worst, 0, "values that differ")


def _differing(content: bytes, file: StripFile, metadata: ModelMetadata, index: int) -> int:
    """The worst frame of one size; its sessions serve all of them."""
    size, heights = CASES[index]
    sessions = StripSessions(file, Provider.CPU, choose_threads(None))
    session: GraphSession | None = None
    worst = 0
    for turn, (pattern, amplification) in enumerate(FRAMES):
        settings = camera_levels(metadata.cfa)[(index + turn) % 3]
        signal = PATTERNS[pattern](*size, np.random.default_rng(SEED))
        mosaic = mosaic_of(signal, settings, metadata.cfa, amplification)
        photo = RawPhoto(mosaic, metadata.cfa, settings.black_level, settings.white_level)
        frame = plan_alignment(photo, metadata.cfa, metadata.size_multiple, MARGIN)
        session = session or GraphSession(content, size=frame.shape)
        whole = _whole(session, frame, settings, amplification)
        in_strips = _in_strips(sessions, frame, settings, metadata.rendering, amplification, heights)
        worst = max(worst, int((whole != in_strips).sum()))
    return worst


def _whole(session: GraphSession, frame: Alignment, settings: Settings, amplification: float) -> Picture:
    settings = replace(settings, black_level=frame.black_level, gains=frame.gains)
    picture, _ = session.run_with(frame.frame().mosaic, settings, amplification=amplification)
    return frame.frame().crop(picture)


def _in_strips(
    sessions: StripSessions,
    frame: Alignment,
    settings: Settings,
    rendering: Rendering,
    amplification: float,
    heights: StripHeights,
) -> Picture:
    factor = frame.gains.astype(np.float32) * np.float32(amplification)
    picture = np.zeros((*frame.source.shape, 3), dtype=np.uint16)
    levels = Levels(frame.black_level, settings.white_level, factor)
    how = settings.rendering_inputs(rendering)
    for rows, strip in restore_photo(sessions, frame, levels, heights, how):
        picture[rows] = strip
    return picture
