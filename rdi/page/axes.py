"""Axes of plots: from values to places, and ticks at round values."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

Ticks = tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Axis:
    """One axis of a plot.

    label:     what it measures, with its unit
    low, high: values at its ends; above 0 where logarithmic
    ticks:     (value, text)
    log:       whether equal factors take equal room
    """

    label: str
    low: float
    high: float
    ticks: Ticks
    log: bool = False

    def place(self, value: float) -> float:
        """0 at `low`, 1 at `high`; values beyond an end stay at it."""
        if self.log:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return min(max(share, 0.0), 1.0)


def linear_axis(label: str, values: Iterable[float], *, from_zero: bool = True, ticks: int = 5) -> Axis:
    """From zero, or a round value below the smallest, to a round value above the largest."""
    held = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(held), max(held)
    low = min(low, 0.0) if from_zero else low
    step = _round_step((high - low) / ticks or abs(high) / ticks or 1.0)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    places = [step * count for count in range(first, last + 1)]
    return Axis(label, places[0], places[-1], tuple((place, tick_text(place)) for place in places))


def log_axis(label: str, values: Iterable[float]) -> Axis:
    """From a power of ten to a power of ten around the values above 0."""
    held = [value for value in values if math.isfinite(value) and value > 0] or [1.0]
    first = math.floor(math.log10(min(held)) + 1e-9)
    last = max(math.ceil(math.log10(max(held)) - 1e-9), first + 1)
    ticks = tuple((10.0**power, tick_text(10.0**power)) for power in range(first, last + 1))
    return Axis(label, 10.0**first, 10.0**last, ticks, log=True)


def tick_text(value: float) -> str:
    """Short: 0.01, 2500, 1e-05."""
    shown = f"{value:.6g}"
    return f"{value:,.0f}".replace(",", "\u202f") if abs(value) >= 10_000 and "e" not in shown else shown


def _round_step(step: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power: float = 10.0 ** math.floor(math.log10(step))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step * (1 - 1e-9))
