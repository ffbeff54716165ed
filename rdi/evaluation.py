"""Measure restorations by the quality protocol: several models on the same captures."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rdi.camera.photo import RawPhoto
from rdi.metrics import psnr, ssim
from rdi.protocol import Capture

# A dark photo and its true exposure ratio -> (H, W, 3) float32 sRGB in [0, 1].
Restore = Callable[[RawPhoto, float], NDArray[np.float32]]


@dataclass(frozen=True)
class Score:
    """One restored capture against its target: PSNR in dB over the float picture, SSIM with scikit-image's defaults."""

    model: str
    photo: str
    ratio: float
    psnr: float
    ssim: float


@dataclass(frozen=True)
class Mean:
    """The mean over the photos of one model at one ratio."""

    model: str
    ratio: float
    photos: int
    psnr: float
    ssim: float


def evaluate(models: Mapping[str, Restore], captures: Iterable[Capture]) -> Iterator[Score]:
    """Restore each capture with each model, the true ratio as amplification."""
    for capture in captures:
        for name, restore in models.items():
            picture = restore(capture.raw, capture.ratio)
            figures = psnr(picture, capture.target), ssim(picture, capture.target)
            yield Score(name, capture.name, capture.ratio, *figures)


def summarise(scores: Iterable[Score]) -> list[Mean]:
    """Means by ratio and model, in the order in which they came."""
    groups: dict[tuple[float, str], list[Score]] = {}
    for score in scores:
        groups.setdefault((score.ratio, score.model), []).append(score)
    return [
        Mean(
            model=model,
            ratio=ratio,
            photos=len(group),
            psnr=float(np.mean([score.psnr for score in group])),
            ssim=float(np.mean([score.ssim for score in group])),
        )
        for (ratio, model), group in groups.items()
    ]
