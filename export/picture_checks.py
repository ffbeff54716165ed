"""The pictures of a model file against PyTorch's: patterns x sizes x levels x amplifications, every value of them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rdi.camera.cfa import Cfa
from rdi.camera.photo import DEFAULT_GAINS
from rdi.checkpoint import Checkpoint
from rdi.color import TONES
from rdi.export.deployment.picture import LARGEST
from rdi.export.frames import PATTERNS, Mosaic, Settings, level_sets, mosaic_of
from rdi.export.reference import Floats, Reference
from rdi.export.report import Check
from rdi.export.session import GraphSession, Picture
from rdi.export.settings import DEFAULT_MIN_PSNR
from rdi.levels import to_light
from rdi.metadata import ModelMetadata, Precision, Rendering

# Half a step of the integer output, and the rounding of two float32 networks that sum in different orders.
PICTURE_BOUND = 0.5 / LARGEST + 1e-5
CLIPPED_BOUND = 0.95  # with more of the output at 0 or 1 than that, comparing pictures would say little
PSNR_CHECK = "PSNR against float32"
# Halves have 11 bits, and everything is rounded to them after every layer: 0.002 was measured in PyTorch, 0.0008 in
# onnxruntime on the CPU, which rounds less often.
HALF_PICTURE_BOUND = 0.006
PSNR_MARGIN = 6.0  # dB that a file in halves may fall behind the same network in PyTorch: twice the error

# The smallest frame, all border; a wide and a high one; and, for one pattern, a frame with pixels beyond the reach of
# its borders: the network looks 512 pixels far.
SIZES = ((32, 32), (64, 96), (96, 608), (608, 64), (320, 288))
LARGE = (1088, 1056)
AMPLIFICATIONS = (1.0, 30.0, 300.0)
SEED = 5


@dataclass(frozen=True, eq=False)
class Case:
    """One comparison of pictures."""

    pattern: str
    amplification: float
    settings: Settings

    def mosaic(self, size: tuple[int, int], cfa: Cfa) -> Mosaic:
        """Its frame, (H, W) uint16."""
        signal = PATTERNS[self.pattern](*size, np.random.default_rng(SEED))
        return mosaic_of(signal, self.settings, cfa, self.amplification)

    def light(self, size: tuple[int, int], metadata: ModelMetadata) -> Floats:
        """Its frame as the network is given it, (H, W) float32."""
        settings = self.settings
        levels, kind = (settings.black_level, settings.white_level), (metadata.below_black, metadata.companding)
        mosaic = self.mosaic(size, metadata.cfa)
        return to_light(mosaic, metadata.cfa, *levels, self.amplification, settings.gains, *kind)


@dataclass
class Found:
    """What comparing the pictures of all cases has found so far.

    worst:        the largest difference of each pattern
    wrongly_used: runs whose amplification was not used as given
    clipped, values: how many of the values compared are 0 or 1, and how many there are
    squares: sum of the squared differences
    """

    worst: dict[str, float]
    wrongly_used: int = 0
    clipped: int = 0
    values: int = 0
    squares: float = 0.0


def check_pictures(
    content: bytes, checkpoint: Checkpoint, provider: str, precision: Precision, min_psnr: float = DEFAULT_MIN_PSNR
) -> Iterator[Check]:
    """Each pattern's largest difference, whether a given amplification is used, how much of the pictures is clipped.

    min_psnr: dB, of a file that computes in half precision: a bound on single values, wide enough for halves, does not
              find what is wrong a little everywhere
    """
    reference, bound = expectation(checkpoint, precision)
    found = compare_pictures(content, provider, checkpoint.metadata.cfa, reference)
    for pattern, figure in found.worst.items():
        yield Check(f"picture, {pattern} frames", figure, bound, "largest difference")
    if precision is Precision.FP16_COMPUTE:
        psnr = psnr_of(found.squares, found.values)
        yield Check("PSNR of these pictures against float32", psnr, min_psnr, "dB", at_least=True)
    yield Check("amplification given is used", found.wrongly_used, 0, "frames where not")
    yield Check("clipped part of these pictures", found.clipped / found.values, CLIPPED_BOUND, "of all values")


def expectation(checkpoint: Checkpoint, precision: Precision) -> tuple[Reference, float]:
    """What a file's pictures are compared with, and how far they may differ.

    Every provider rounds halves elsewhere, so a file that computes in them is compared with float32.
    """
    if precision is Precision.FP16_COMPUTE:
        return Reference(checkpoint), HALF_PICTURE_BOUND
    bound = PICTURE_BOUND
    if checkpoint.metadata.rendering is Rendering.CAMERA:
        bound += TONES[checkpoint.metadata.curve].slope / LARGEST  # the whole first step of the table of codes
    return Reference(checkpoint, precision), bound


def compare_pictures(content: bytes, provider: str, cfa: Cfa, reference: Reference) -> Found:
    """Run all cases, with the file's sizes open and fixed."""
    found = Found(dict.fromkeys(PATTERNS, 0.0))
    opened = GraphSession(content, provider)
    for size, cases in all_cases(cfa):
        sessions = (opened, GraphSession(content, provider, size))
        for case in cases:
            mosaic = case.mosaic(size, cfa)
            expected = reference.picture(mosaic, case.settings, case.amplification)
            clipped = int(((expected <= 0) | (expected >= 1)).sum())
            for session in sessions:
                picture, used = session.run_with(mosaic, case.settings, amplification=case.amplification)
                found.worst[case.pattern] = worse(found.worst[case.pattern], difference(picture, expected))
                found.squares += float(((picture / LARGEST - expected) ** 2).sum())
                found.clipped += clipped
                found.values += expected.size
                found.wrongly_used += used != case.amplification
    return found


def all_cases(cfa: Cfa) -> Iterator[tuple[tuple[int, int], list[Case]]]:
    """Each size with its cases; levels rotate, so that they meet every pattern and every amplification."""
    levels = camera_levels(cfa)
    cases = [
        Case(pattern, amplification, levels[(i + k) % len(levels)])
        for i, pattern in enumerate(PATTERNS)
        for k, amplification in enumerate(AMPLIFICATIONS)
    ]
    yield from ((size, cases) for size in SIZES)
    yield LARGE, cases[1:2]


def camera_levels(cfa: Cfa) -> list[Settings]:
    """Levels of three kinds of camera, the first with the daylight balance that is the file's default."""
    return level_sets(cfa, cfa.per_site(DEFAULT_GAINS))


def difference(picture: Picture, expected: Floats) -> float:
    """The largest difference in [0, 1] between an integer and a float picture; not a number where either has one."""
    return float(np.abs(picture / LARGEST - expected).max())


def worse(first: float, second: float) -> float:
    """The larger of two differences, or not a number where one is none: `max` would let that go."""
    return float(np.maximum(first, second))


def psnr_of(squares: float, values: int) -> float:
    """dB, white being 1, from the sum of squared differences of so many values; infinite where nothing differs."""
    return 10 * math.log10(values / squares) if squares else math.inf
