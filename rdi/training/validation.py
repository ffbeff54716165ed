"""How good the network is on full frames that are never trained on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rdi.errors import TrainingDataError
from rdi.metadata import ModelMetadata
from rdi.metrics import psnr, ssim
from rdi.network import RestorationNetwork
from rdi.protocol import Capture
from rdi.training.full_frames import release_memory, restore_frame

Floats = NDArray[np.float32]


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
        figures.append((psnr(restored, capture.target), ssim(restored, capture.target)))
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
