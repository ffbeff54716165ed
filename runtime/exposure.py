"""Exposure: how much a dark photo is amplified before the network sees it.

`auto`, the default, is Eq. 5 of the paper, held back until at most 1 % of the pixels that are not saturated in the raw
file get brighter than white, but never below 1: a concert's spotlit singer keeps a face although the hall around is
black. Where more than that burn out even at 1, the photo is bright and needs no restoring, and a model is trained on
amplified frames only. `paper` is Eq. 5 alone; a number is used as it is; a ratio is the known exposure ratio ("GT
exposure"). EV, in stops, scales whichever it is: +1 makes it twice as much. It does so last, so that +1 is brighter
even where the choice stopped at a bound or held back for the lights.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.amplifier import HIGHEST, LOWEST, Histogram, MConvention, count_raw_values, estimate_amplification
from rdi.camera.photo import RawPhoto
from rdi.errors import UsageError
from rdi.metadata import ModelMetadata, WhiteBalance

BURNT_SHARE = 0.01  # of the pixels below white may get brighter than white
SMALLEST, LARGEST = 0.01, 10_000.0  # of a number or ratio given by the user
MOST_STOPS = 10.0  # of EV, up or down: a thousand times
MOST_PICTURES = 15  # of a bracket
_FLOAT32_MARGIN = 1 - 1e-6  # rounding in the graph must not push the pixels at the limit over it


class ExposureMode(StrEnum):
    """Where the amplification comes from."""

    AUTO = "auto"
    PAPER = "paper"
    NUMBER = "number"
    RATIO = "ratio"


@dataclass(frozen=True)
class Exposure:
    """How to choose the amplification.

    mode:  where it comes from
    value: the factor for NUMBER and RATIO, 0.01 to 10000, scaled by EV too; None for AUTO and PAPER
    ev:    stops by which whatever was chosen is scaled, -10 to 10; +1 is twice as bright
    Raises UsageError for a factor or EV out of range.
    """

    mode: ExposureMode = ExposureMode.AUTO
    value: float | None = None
    ev: float = 0.0

    def __post_init__(self) -> None:
        require_stops(self.ev, "ev")
        fixed = self.mode in (ExposureMode.NUMBER, ExposureMode.RATIO)
        if fixed is (self.value is None):
            raise UsageError(f"exposure {self.mode} takes {'a' if fixed else 'no'} factor")
        if self.value is not None:
            self._require_range(self.value, "")
            self._require_range(self.value * math.exp2(self.ev), f" with {self.ev:+g} EV")

    def _require_range(self, factor: float, how: str) -> None:
        if not SMALLEST <= factor <= LARGEST:  # also refuses nan
            name = "exposure ratio" if self.mode is ExposureMode.RATIO else "amplification"
            given = f"{name} {self.value:g}{how}" + (f" is {factor:g}, which" if how else "")
            raise UsageError(f"{given} is out of range; give {SMALLEST:g} to {LARGEST:g}")

    def require_bracket(self, stops: Sequence[float]) -> None:
        """Refuse a bracket in which a given factor leaves its range: UsageError."""
        for ev in stops:
            replace(self, ev=ev)


@dataclass(frozen=True)
class Amplification:
    """The factor that a photo was amplified with, and how it came about.

    chosen:   the factor before EV
    mode:     where it comes from
    estimate: what Eq. 5 alone says; None for NUMBER and RATIO, which do not ask it
    cap:      the bound of Eq. 5 that the estimate ran into, 1 or 300 (before the model's m, if that comes after the
              clip); None for neither
    ev:       stops by which `chosen` is scaled
    """

    chosen: float
    mode: ExposureMode
    estimate: float | None = None
    cap: float | None = None
    ev: float = 0.0

    @property
    def value(self) -> float:
        """The factor that was used."""
        return self.chosen * math.exp2(self.ev)

    @property
    def held_back(self) -> bool:
        """Whether AUTO stayed below Eq. 5 to keep the lights from burning out."""
        return self.estimate is not None and self.chosen < self.estimate

    def scaled(self, ev: float) -> "Amplification":
        """The same, brighter or darker by some stops more."""
        return replace(self, ev=self.ev + ev)

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {"value": self.value, **vars(self), "mode": str(self.mode), "held_back": self.held_back}

    def describe(self) -> str:
        """One phrase for people: `auto; Eq. 5 gave 120, held back to keep the lights`."""
        stops = [f"{self.ev:+g} EV"] if self.ev else []
        return "; ".join([*self._origin(), *stops])

    def _origin(self) -> list[str]:
        if self.estimate is None:
            return ["as given" if self.mode is ExposureMode.NUMBER else "exposure ratio as given"]
        parts = [str(self.mode)]
        if self.held_back:
            parts.append(f"Eq. 5 gave {self.estimate:.4g}, held back to keep the lights")
        else:
            parts.append("Eq. 5")
        if self.cap is not None:
            parts.append(f"at its {'lower' if self.cap == LOWEST else 'upper'} bound of {self.cap:g}")
        return parts


def parse_exposure(text: str) -> Exposure:
    """`auto`, `paper` or a number, as on the command line; UsageError for anything else."""
    if text in (ExposureMode.AUTO, ExposureMode.PAPER):
        return Exposure(ExposureMode(text))
    try:
        return Exposure(ExposureMode.NUMBER, float(text))
    except ValueError as error:
        raise UsageError(f"exposure {text!r} is unknown; give auto, paper or a number such as 100") from error


def as_exposure(given: object) -> Exposure:
    """What a caller gave for an exposure, as an Exposure.

    given: an Exposure, text as on the command line, the amplification itself (0.01 to 10000), or None for auto
    Raises UsageError for anything else.
    """
    if given is None:
        return Exposure()
    if isinstance(given, Exposure):
        return given
    if isinstance(given, str):
        return parse_exposure(given)
    if isinstance(given, Real) and not isinstance(given, bool):
        return Exposure(ExposureMode.NUMBER, float(given))
    raise UsageError(f"exposure {given!r} is unknown; give an Exposure, auto, paper or a number such as 100")


def exposure_from(text: str | None, ratio: float | None, ev: float | None = None) -> Exposure:
    """What `--exposure`, `--ratio` and `--ev` ask for; AUTO without any, UsageError for both of the first two."""
    if text is not None and ratio is not None:
        raise UsageError(f"--exposure {text} and --ratio {ratio:g} exclude each other; give one of them")
    if ratio is not None:
        return Exposure(ExposureMode.RATIO, ratio, ev or 0.0)
    return replace(parse_exposure(text) if text is not None else Exposure(), ev=ev or 0.0)


def bracket_from(text: str | None, ev: float | None = None) -> tuple[float, ...]:
    """The stops that `--bracket` asks for, `-1,0,1` as (-1.0, 0.0, 1.0); () without it.

    ev: what `--ev` asks for, which excludes it
    Raises UsageError for anything but 2 to 15 different numbers within -10 and 10.
    """
    if text is None:
        return ()
    if ev is not None:
        raise UsageError(f"--bracket {text} and --ev {ev:g} exclude each other; add {ev:g} to the bracket's numbers")
    try:
        stops = tuple(float(part) + 0.0 for part in text.split(","))  # + 0.0 makes 0 of -0
    except ValueError as error:
        raise UsageError(f"bracket {text!r} is unknown; give stops with commas between, such as -1,0,1") from error
    for stop in stops:
        require_stops(stop, "bracket")
    names = {stops_name(stop) for stop in stops}
    if len(names) < len(stops) or not 2 <= len(stops) <= MOST_PICTURES:
        raise UsageError(f"bracket {text!r} is out of range; give 2 to {MOST_PICTURES} different numbers of stops")
    return stops


def stops_name(stops: float) -> str:
    """As file names have it: `-1EV`, `0EV`, `+0.5EV`."""
    return f"{stops:+g}EV" if stops else "0EV"


def require_stops(stops: float, option: str) -> None:
    """Refuse an EV beyond 10 stops up or down: UsageError, which names the option."""
    if not -MOST_STOPS <= stops <= MOST_STOPS:  # nan too
        raise UsageError(f"{option} {stops:g} is out of range; give {-MOST_STOPS:g} to {MOST_STOPS:g} stops")


def choose_amplification(photo: RawPhoto, model: ModelMetadata, exposure: Exposure) -> Amplification:
    """Choose the factor for a photo and a model.

    The visible frame alone counts, not what is mirrored around it to fit the network: that shifts Eq. 5 by 1-6 %.
    """
    if exposure.value is not None:
        return Amplification(exposure.value, exposure.mode, ev=exposure.ev)
    histogram = count_raw_values(photo)
    estimate = estimate_amplification(histogram, photo.black_level, photo.white_level, model.m, model.m_convention)
    value = estimate
    if exposure.mode is ExposureMode.AUTO:
        value = min(estimate, max(amplification_limit(histogram, photo, input_gains(photo, model)), LOWEST))
    return Amplification(value, exposure.mode, estimate, _cap(estimate, model), exposure.ev)


def input_gains(photo: RawPhoto, model: ModelMetadata) -> NDArray[np.float64]:
    """The gain of each CFA site of the photo, (sites,): its white balance, or ones for a model that learned one."""
    return photo.gains if model.white_balance is WhiteBalance.INPUT else np.ones(photo.cfa.sites)


def amplification_limit(histogram: Histogram, photo: RawPhoto, gains: NDArray[np.float64]) -> float:
    """The largest factor with which at most 1 % of the pixels below white get x * gain * factor above 1.

    histogram: of the photo, per site
    gains:     (sites,) applied to x beside the factor
    returns:   a factor above 0; inf where no factor burns out so many
    """
    return _limit(*_headroom(histogram, photo, gains))


def burnt_share(histogram: Histogram, photo: RawPhoto, gains: NDArray[np.float64], factor: float) -> float:
    """The share of the pixels below white that get x * gain * factor above 1; arguments of `amplification_limit`."""
    headroom, counts = _headroom(histogram, photo, gains)
    total = int(counts.sum())
    return float(counts[headroom < factor].sum()) / total if total else 0.0


def _headroom(
    histogram: Histogram, photo: RawPhoto, gains: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """For each raw value below white of each site: the factor that makes it white, and how many pixels have it."""
    below_white = np.arange(histogram.counts.shape[1]) < photo.white_level
    headroom, counts = [], []
    for site, site_counts in enumerate(histogram.counts):
        values = np.flatnonzero(site_counts * below_white)
        x = np.maximum(values - photo.black_level[site], 0) / (photo.white_level - photo.black_level[site])
        with np.errstate(divide="ignore"):  # a black pixel never burns out: inf
            headroom.append(1 / (x * gains[site]))
        counts.append(site_counts[values])
    return np.concatenate(headroom), np.concatenate(counts)


def _limit(headroom: NDArray[np.float64], counts: NDArray[np.int64]) -> float:
    """The first headroom, from the brightest pixel down, at which more than the allowed share would be burnt."""
    order = np.argsort(headroom)
    burnt = np.cumsum(counts[order])
    over = np.flatnonzero(burnt > BURNT_SHARE * counts.sum())
    return float(headroom[order[over[0]]]) * _FLOAT32_MARGIN if over.size else np.inf


def _cap(estimate: float, model: ModelMetadata) -> float | None:
    outer = model.m if model.m_convention is MConvention.AFTER_CLIP else 1.0
    return next((bound for bound in (LOWEST, HIGHEST) if estimate == outer * bound), None)
