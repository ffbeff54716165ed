"""How two pictures differ: figures and a histogram for each channel, and a picture of where."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.export.deployment.picture import LARGEST

Picture = NDArray[np.uint16]
Counts = NDArray[np.int64]

CHANNELS = ("red", "green", "blue")
# Differences from each of these to the next, in steps of 1/65535 of full scale: 0, 1, 2 to 3, 4 to 7, ...
STEPS = (0, *(1 << power for power in range(17)))
_ROWS = 256  # at a time


@dataclass(frozen=True)
class ChannelDifference:
    """How one channel of two pictures differs; all figures of full scale 1.

    largest:   of any pixel
    mean, rms: of the absolute differences
    p999:      99.9 % of the pixels differ by no more
    bias:      mean of the signed differences: first picture minus second
    differing: share of the pixels that differ at all
    histogram: share of the pixels whose difference, in steps of 1/65535, lies from `STEPS[i]` to below `STEPS[i + 1]`
    """

    channel: str
    largest: float
    mean: float
    rms: float
    p999: float
    bias: float
    differing: float
    histogram: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def measure_differences(first: Picture, second: Picture) -> tuple[ChannelDifference, ...]:
    """Figures of red, green and blue; (H, W, 3) uint16 each, exact, in little memory."""
    counts = np.zeros((3, LARGEST + 1), dtype=np.int64)
    signed = np.zeros(3)
    for top in range(0, first.shape[0], _ROWS):
        rows = first[top : top + _ROWS].astype(np.int32) - second[top : top + _ROWS]
        signed += rows.sum(axis=(0, 1), dtype=np.int64)
        for channel in range(3):
            counts[channel] += np.bincount(np.abs(rows[:, :, channel]).ravel(), minlength=LARGEST + 1)
    pixels = first.shape[0] * first.shape[1]
    return tuple(_figures(name, counts[i], float(signed[i]) / pixels) for i, name in enumerate(CHANNELS))


def _figures(channel: str, counts: Counts, bias: float) -> ChannelDifference:
    steps, pixels = np.arange(counts.size, dtype=np.float64), float(counts.sum())
    below = np.cumsum(counts)
    return ChannelDifference(
        channel,
        largest=float(np.flatnonzero(counts)[-1]) / LARGEST,
        mean=float(counts @ steps) / pixels / LARGEST,
        rms=float(np.sqrt(counts @ np.square(steps) / pixels)) / LARGEST,
        p999=float(np.searchsorted(below, 0.999 * pixels)) / LARGEST,
        bias=bias / LARGEST,
        differing=1 - float(counts[0]) / pixels,
        histogram=tuple((np.add.reduceat(counts, STEPS[:-1]) / pixels).tolist()),
    )


def difference_picture(first: Picture, second: Picture) -> tuple[NDArray[np.uint8], float]:
    """(H, W, 3) absolute differences, brightened so that the largest is white, and by how much; black where equal."""
    largest = max(
        int(np.abs(first[top : top + _ROWS].astype(np.int32) - second[top : top + _ROWS]).max())
        for top in range(0, first.shape[0], _ROWS)
    )
    out = np.empty(first.shape, dtype=np.uint8)
    for top in range(0, first.shape[0], _ROWS):
        rows = np.abs(first[top : top + _ROWS].astype(np.int32) - second[top : top + _ROWS])
        out[top : top + _ROWS] = np.rint(rows * (255 / max(largest, 1)))
    return out, LARGEST / largest if largest else 1.0


def steps_text(index: int) -> str:
    """What differences a bar of the histogram holds: `0`, `1`, `2-3`, `4-7`, ..."""
    low, high = STEPS[index], STEPS[index + 1] - 1
    return str(low) if low == high else f"{low}-{high}"
