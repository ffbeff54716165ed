"""The exposure of a photo, told with its own data: its raw histogram in the amplifier's bins, and the sums of Eq. 5."""

import math

import numpy as np

from rdi.amplifier import BINS, TARGET, MConvention, bin_edges, bin_weights
from rdi.page.axes import Axis
from rdi.page.markup import Html, element, join, number, paragraph
from rdi.page.plots import across, drawing, figure, polyline, up, vertical
from rdi.page.tables import Column, Table, facts
from rdi.runtime.exposure import BURNT_SHARE, ExposureMode
from rdi.runtime.report.explanation import Explanation

_FLOOR = 1e-6  # the lowest share and weight that the plot shows
_TICKS = (0, 0.003, 0.01, 0.03, 0.1, 0.3, 1)  # values of x that the axis names
_ROWS = 8  # bins that a row of the table sums up


def exposure_body(told: Explanation, key: str, *, detailed: bool) -> Html:
    """What the amplification is and how it came about.

    key:      tells the plot from the page's others
    detailed: with the bins as a table
    """
    words = element("div", paragraph(_sentence(told), class_="lead"), facts(_steps(told)))
    return element("div", words, _plot(told, key, detailed), class_="split")


def _sentence(told: Explanation) -> str:
    chosen = told.amplification
    stops = math.log2(chosen.value)
    much = f"The photo was made {_times(chosen.value)} brighter ({stops:+.1f} stops)"
    if chosen.estimate is None:
        return f"{much}, as was asked for."
    if chosen.held_back:
        burnt = 0.0 if told.burnt_by_estimate is None else told.burnt_by_estimate
        return (
            f"{much}. The paper's estimate alone, {_times(chosen.estimate)}, would have turned {_percent(burnt)} of "
            "the pixels white that the sensor did not saturate; to keep the lights, auto held it back to "
            f"{_times(chosen.chosen)}."
        )
    how = "which is the paper's estimate" if chosen.ev == 0 else f"{chosen.ev:+g} stops from the paper's estimate"
    return f"{much}, {how}; {_percent(told.burnt)} of the pixels that the sensor did not saturate turn white."


def _steps(told: Explanation) -> dict[str, str | None]:
    """Eq. 5 and what came after it, step by step."""
    chosen = told.amplification
    limit = "no limit" if math.isinf(told.limit) else _times(told.limit)
    auto = chosen.mode is ExposureMode.AUTO
    return {
        "Weighted mean of the raw values": "no weight" if told.mean is None else f"{100 * told.mean:.4g} % of white",
        "Eq. 5": _equation(told),
        "Its bounds, 1 and 300": None if chosen.estimate is None else _bounds(told),
        f"Auto: at most {_percent(BURNT_SHARE)} burnt out": f"{limit}{', holds back' * chosen.held_back}"
        if auto
        else None,
        "Exposure": f"{chosen.mode}{f', {chosen.ev:+g} EV' if chosen.ev else ''}",
        "Amplification used": _times(chosen.value),
        "Burnt out by it": f"{_percent(told.burnt)} of the pixels below white",
        "White already in the raw file": f"{_percent(told.at_white)} of the pixels",
    }


def _equation(told: Explanation) -> str | None:
    if not told.mean:
        return None
    inner = told.m if told.convention is MConvention.BEFORE_CLIP else 1.0
    factor = inner * TARGET / told.mean
    m = f"{told.m:g} × " if told.convention is MConvention.BEFORE_CLIP else ""
    return f"{m}{100 * TARGET:g} % / {100 * told.mean:.4g} % = {factor:.4g}"


def _bounds(told: Explanation) -> str:
    if told.amplification.cap is None:
        return "kept"
    return f"stopped at {told.amplification.cap:g}"


def _plot(told: Explanation, key: str, detailed: bool) -> Html:
    x, y = _axes()
    marks = join(_bars(told, x, y), _weights(x, y), _white_lines(told, x))
    legend = [
        ("Pixels in each bin", "s0 pale"),
        ("What they count for: pixels times weight", "s0 block"),
        ("Weight of a bin", "s1"),
        ("White after the amplification used", "mark-line"),
    ]
    explain = (
        "The raw values, 0 at black and 1 at white, as the amplifier sorts them: 127 bins between 128 edges, narrow in "
        "the dark. The dark bins weigh most, so lamps hardly count. What lies to the right of the solid line turns "
        "white in a colour whose white balance gain is 1; a gain of 2 makes white of half of that value."
    )
    return figure(
        key,
        "Raw histogram and the amplifier's weights",
        explain,
        drawing(x, y, marks),
        legend,
        _table(told) if detailed else None,
    )


def _axes() -> tuple[Axis, Axis]:
    ticks = tuple((_bin_of(value), f"{value:g}") for value in _TICKS)
    powers = tuple((10.0**power, _share_text(10.0**power)) for power in range(-6, 1))
    x = Axis("Raw value between black and white", 0.0, float(BINS - 1), ticks)
    return x, Axis("Share of the pixels, and weight", _FLOOR, 1.0, powers, log=True)


def _bars(told: Explanation, x: Axis, y: Axis) -> Html:
    """Pixels in each bin as an area of steps, and above it, darker, what they count for after their weight."""
    counted = told.shares * bin_weights()
    return join(_steps_of(told.shares, x, y, "area s0"), _steps_of(counted, x, y, "bar s0"))


def _steps_of(shares: "np.ndarray[tuple[int], np.dtype[np.float64]]", x: Axis, y: Axis, kind: str) -> Html:
    floor = up(y, _FLOOR)
    path = [f"M{number(across(x, 0))} {number(floor)}"]
    for k, share in enumerate(shares.tolist()):
        path.append(f"V{number(round(up(y, share) if share else floor, 1))}H{number(round(across(x, k + 1), 1))}")
    return element("path", d=f"{''.join(path)}V{number(floor)}Z", class_=kind)


def _weights(x: Axis, y: Axis) -> Html:
    points = ((across(x, k + 0.5), up(y, weight)) for k, weight in enumerate(bin_weights().tolist()))
    ends = list(points)
    return element(
        "g", polyline((ends[0], ends[-1]), "curve"), class_="s1"
    )  # a straight line, as the axis is logarithmic


def _white_lines(told: Explanation, x: Axis) -> Html:
    """Where white lies after amplification; and where it would lie with Eq. 5 alone."""
    chosen = told.amplification
    lines = [vertical(across(x, _bin_of(1 / chosen.value)), "chosen", f"white, {chosen.value:.4g} ×")]
    if chosen.estimate is not None and chosen.held_back:
        at = across(x, _bin_of(1 / chosen.estimate))
        lines.append(vertical(at, "asked", f"Eq. 5 alone, {chosen.estimate:.4g} ×", row=1))
    return join(*lines)


def _bin_of(value: float) -> float:
    """Where a value between 0 and 1 lies on the axis of edges: the inverse of `bin_edges`."""
    return (BINS - 1) * math.log2(255 * min(value, 1.0) + 1) / 8


def _table(told: Explanation) -> Table:
    edges, weights = bin_edges().tolist(), bin_weights().tolist()
    rows = []
    for first in range(0, BINS - 1, _ROWS):
        last = min(first + _ROWS, BINS - 1)
        within = told.shares[first:last]
        counted = float((within * bin_weights()[first:last]).sum())
        rows.append(
            (
                f"{first + 1} to {last}",
                f"{edges[first]:.5f} to {edges[last]:.5f}",
                _percent(float(within.sum())),
                f"{weights[first]:.2g} to {weights[last - 1]:.2g}",
                f"{counted:.3g}",
            )
        )
    columns = [Column("Bins", figures=False), *map(Column, ("x", "Pixels", "Weight", "Pixels times weight"))]
    return Table("Raw values in the amplifier's bins, eight to a row", columns, rows)


def _times(factor: float) -> str:
    return f"{factor:.4g} times"


def _percent(share: float) -> str:
    if share and share < 0.0001:
        return "less than 0.01 %"
    return f"{100 * share:.3g} %"


def _share_text(value: float) -> str:
    return f"{value:.3g}" if value >= 0.001 or value == 0 else f"{value:.0e}".replace("e-0", "e-")
