"""How good the network is on full frames that are never trained on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from rdi.errors import TrainingDataError
from rdi.metadata import ModelMetadata
from rdi.metrics import psnr
from rdi.network import RestorationNetwork
from rdi.protocol import Capture
from rdi.training.full_frames import release_memory, restore_frame

Floats = NDArray[np.float32]

# scikit-image's defaults for data in [0, 1]: a uniform window, sample covariance, the border left out.
WINDOW = 7
C1, C2 = 0.01**2, 0.03**2
BAND = 256  # rows of windows at a time


@dataclass(frozen=True)
class Validation:
    """Mean quality: PSNR in dB over the float picture, SSIM with scikit-image's defaults, as `rdi eval` measures.

    parts: of a mix, the mean PSNR and SSIM of each source's frames; empty otherwise
    """

    step: int
    psnr: float
    ssim: float
    frames: int
    parts: dict[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Frame:
    """One capture and what became of it: (H, W, 3) float32 sRGB in [0, 1]."""

    capture: Capture
    restored: Floats


def validate(
    network: RestorationNetwork,
    metadata: ModelMetadata,
    captures: Iterable[Capture],
    step: int,
    show: Callable[[int, Frame], None] = lambda *_: None,
) -> Validation:
    """Restore each capture with its ratio; `show` gets each with its number as it is done.

    The network is left in the mode it was in. Raises TrainingDataError where there is no capture.
    """
    mode = network.training
    network.eval()
    release_memory()
    figures: list[tuple[float, float]] = []
    parts: dict[str, list[tuple[float, float]]] = {}
    for number, capture in enumerate(captures):
        restored = restore_frame(network, metadata, capture.raw, capture.ratio)
        figures.append((psnr(restored, capture.target), structural_similarity(restored, capture.target)))
        if capture.source:
            parts.setdefault(capture.source, []).append(figures[-1])
        show(number, Frame(capture, restored))
    network.train(mode)
    if not figures:
        raise TrainingDataError("there is no frame to validate with")
    return Validation(
        step, *_mean(figures), len(figures), {name: _mean(of_source) for name, of_source in parts.items()}
    )


def _mean(figures: list[tuple[float, float]]) -> tuple[float, float]:
    psnrs, ssims = zip(*figures, strict=True)
    return float(np.mean(psnrs)), float(np.mean(ssims))


def structural_similarity(picture: Floats, target: Floats) -> float:
    """SSIM as scikit-image computes it by default (7x7 uniform window), without needing it: (H, W, 3) in [0, 1].

    In bands of rows, so that a full frame takes little more than its own memory.
    """
    windows = len(picture) - WINDOW + 1
    total = sum(
        _sum_of_similarity(picture[first : first + BAND + WINDOW - 1], target[first : first + BAND + WINDOW - 1])
        for first in range(0, windows, BAND)
    )
    return float(total / (windows * (picture.shape[1] - WINDOW + 1) * picture.shape[2]))


def _sum_of_similarity(picture: Floats, target: Floats) -> float:
    """Over all windows of a band that begin in it."""
    a, b = (torch.from_numpy(np.ascontiguousarray(band.transpose(2, 0, 1)))[None] for band in (picture, target))
    sample = WINDOW**2 / (WINDOW**2 - 1)
    with torch.inference_mode():
        mean_a, mean_b, square_a, square_b, product = (
            F.avg_pool2d(x, WINDOW, stride=1) for x in (a, b, a * a, b * b, a * b)
        )
        variances = sample * (square_a + square_b - mean_a * mean_a - mean_b * mean_b)
        covariance = sample * (product - mean_a * mean_b)
        structure = (2 * covariance + C2) / (variances + C2)
        luminance = (2 * mean_a * mean_b + C1) / (mean_a * mean_a + mean_b * mean_b + C1)
        return float((structure * luminance).sum(dtype=torch.float64))
