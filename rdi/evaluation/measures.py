"""All figures of one restored picture."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.metrics import similarity
from rdi.metrics.fidelity import psnr, to_bytes
from rdi.metrics.grey import to_grey
from rdi.metrics.ma import MaMetric
from rdi.metrics.niqe import niqe

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Figures:
    """How good a picture is; None where a figure was not measured.

    psnr, ssim:           over float values
    psnr_8bit, ssim_8bit: of the picture and its target rounded to 8 bits, as papers do
    niqe, ma:             without reference, on the grey picture of 8 bits; lower and higher is better
    """

    psnr: float
    ssim: float | None
    psnr_8bit: float
    ssim_8bit: float | None
    niqe: float | None
    ma: float | None


class Measures:
    """What is measured, and how.

    ma_model: the file of Ma's forests; None: Ma is not measured
    Raises what `MaMetric` does.
    """

    def __init__(self, ma_model: Path | None = None) -> None:
        self._ma = MaMetric(ma_model) if ma_model else None
        self.settings: dict[str, Any] = {
            "psnr": "over all pixels and channels, in dB; mean over pictures",
            "ssim": similarity.SETTINGS,
            "8bit": "both pictures rounded to 8 bits before",
            "niqe": "published parameters, blocks of 96x96, grey by MATLAB's rgb2gray, 8 bits",
            "ma": f"forests of {ma_model.name}, grey by MATLAB's rgb2gray, 8 bits" if ma_model else None,
        }
        self.identity = {**self.settings, "ma": _digest(ma_model) if ma_model else None}

    def begin(self, workers: Executor, picture: Floats, target: Floats) -> "Measurement":
        """Have workers measure a picture: four calls that need nothing of each other."""
        calls: list[Callable[[], tuple[float | None, ...]]] = [
            lambda: (psnr(picture, target), _ssim(picture, target)),
            lambda: _on_bytes(picture, target),
            lambda: (niqe(to_grey(to_bytes(picture))),),
            lambda: (self._ma(to_grey(to_bytes(picture))) if self._ma else None,),
        ]
        return Measurement([workers.submit(_timed, call) for call in calls])


class Measurement:
    """Figures that workers are busy with."""

    def __init__(self, parts: "list[Future[tuple[tuple[float | None, ...], float]]]") -> None:
        self._parts = parts

    def result(self) -> tuple[Figures, float]:
        """Wait for the figures; they and the seconds of all calls."""
        found = [part.result() for part in self._parts]
        values: list[Any] = [value for part, _ in found for value in part]
        return Figures(*values), sum(seconds for _, seconds in found)


def _timed(call: Callable[[], tuple[float | None, ...]]) -> tuple[tuple[float | None, ...], float]:
    start = perf_counter()
    return call(), perf_counter() - start


def _on_bytes(picture: Floats, target: Floats) -> tuple[float | None, ...]:
    rounded, wanted = to_bytes(picture), to_bytes(target)
    return psnr(rounded, wanted), _ssim(rounded, wanted)


def _ssim(picture: NDArray[Any], target: NDArray[Any]) -> float | None:
    return similarity.ssim(picture, target) if min(picture.shape[:2]) >= similarity.WINDOW else None


def _digest(file: Path) -> str:
    import hashlib

    return hashlib.sha256(file.read_bytes()).hexdigest()
