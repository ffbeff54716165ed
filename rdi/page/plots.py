"""Plots as SVG, each with its figures as a table for those who cannot see it, or want them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rdi.page.axes import Axis
from rdi.page.markup import Content, Html, element, join, number
from rdi.page.tables import Table, folded, table

WIDTH, HEIGHT = 640, 320  # of the drawing, in units that the page scales
LEFT, RIGHT, TOP, BOTTOM = 62, 18, 34, 46  # around the plotted area
COLOURS = 6
_MARKER = 4.0
_BARS = 0.8  # of a group's width


@dataclass(frozen=True)
class Series:
    """A named line.

    points: (x, y) in the order of x
    dashed: for what is not measured but given or published
    colour: of the page's: 0 blue, 1 red, 2 green, 3 violet, 4 yellow, 5 grey; by default in this order
    """

    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False
    colour: int | None = None

    def stroke(self, place: int) -> str:
        """The classes of its stroke; from the seventh line on, when the colours begin anew, it is dashed."""
        return " dashed" if self.dashed or place >= COLOURS else ""

    def kind(self, place: int) -> str:
        """The class that gives it its colour, as the one in this place of the plot."""
        return f"s{(place if self.colour is None else self.colour) % COLOURS}"


@dataclass(frozen=True)
class Plot:
    """A plot of lines.

    title:   what it shows
    explain: how to read it, in a sentence or two
    figures: the same as a table
    """

    title: str
    explain: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    figures: Table | None = None


@dataclass(frozen=True)
class Bars:
    """A plot of groups of bars, one bar of each series in a group.

    title, explain, figures: as of a `Plot`
    x:      what the groups are, with their names
    series: name and colour of the bars, and their values, one for each group; None leaves a bar out
    """

    title: str
    explain: str
    x: str
    groups: Sequence[str]
    y: Axis
    series: Sequence[tuple[str, int, Sequence[float | None]]]
    figures: Table | None = None


def bars(content: Bars, key: str) -> Html:
    """A plot of bars with legend and table; `key` tells it from the page's others."""
    count = len(content.groups)
    ticks = tuple((place + 0.5, name) for place, name in enumerate(content.groups))
    x, width = Axis(content.x, 0.0, float(count), ticks), _BARS / len(content.series)
    marks = []
    for which, (name, colour, values) in enumerate(content.series):
        for place, value in enumerate(values):
            if value is not None and math.isfinite(value):
                left = place + (1 - _BARS) / 2 + which * width
                says = f"{name}, {content.groups[place]}: {value:.4g}"
                marks.append(_bar(across(x, left), across(x, left + width), up(content.y, value), colour, says))
    legend = [(name, f"block s{colour % COLOURS}") for name, colour, _ in content.series]
    drawn = drawing(x, content.y, join(*marks))
    return figure(key, content.title, content.explain, drawn, legend, content.figures)


def _bar(left: float, right: float, top: float, colour: int, says: str) -> Html:
    kind, height = f"bar s{colour % COLOURS}", max(HEIGHT - BOTTOM - top, 0)
    named = element("title", says)
    return element("rect", named, x=left, y=top, width=max(right - left - 1, 1), height=height, class_=kind)


def plot(content: Plot, key: str) -> Html:
    """A plot with legend and table; `key` tells it from the page's others."""
    marks = join(*(_line(content.x, content.y, series, place) for place, series in enumerate(content.series)))
    legend = [(series.name, series.kind(place) + series.stroke(place)) for place, series in enumerate(content.series)]
    return figure(key, content.title, content.explain, drawing(content.x, content.y, marks), legend, content.figures)


def figure(
    key: str,
    title: str,
    explain: Content,
    drawn: Html,
    legend: Sequence[tuple[str, str]],
    figures: Table | None = None,
) -> Html:
    """A drawing with its title, how to read it, and a legend.

    legend: (name, class of its colour)
    """
    named = element("title", title, id=f"{key}-title")
    view = f"0 0 {WIDTH} {HEIGHT}"
    svg = element("svg", named, drawn, viewBox=view, role="img", aria_labelledby=f"{key}-title", class_="plot")
    keys = (element("li", element("span", class_=f"swatch {kind}"), name) for name, kind in legend)
    return element(
        "figure",
        element("h3", title),
        element("ul", *keys, class_="legend") if legend else None,
        svg,
        element("figcaption", explain) if explain else None,
        folded("The figures as a table", table(figures)) if figures else None,
        class_="chart",
    )


def drawing(x: Axis, y: Axis, marks: Html) -> Html:
    """Axes, grid and labels around what is plotted."""
    return join(_grid_y(y), _grid_x(x), element("g", marks, class_="marks"), _labels(x, y))


def across(axis: Axis, value: float) -> float:
    """Where a value of the horizontal axis lies in the drawing."""
    return LEFT + axis.place(value) * (WIDTH - LEFT - RIGHT)


def up(axis: Axis, value: float) -> float:
    """Where a value of the vertical axis lies in the drawing."""
    return HEIGHT - BOTTOM - axis.place(value) * (HEIGHT - TOP - BOTTOM)


def polyline(points: Iterable[tuple[float, float]], kind: str) -> Html:
    """A line through places of the drawing."""
    path = " ".join(f"{number(round(x, 1))},{number(round(y, 1))}" for x, y in points)
    return element("polyline", points=path, class_=kind)


def vertical(x: float, kind: str, label: str, row: int = 0) -> Html:
    """A marked value of the horizontal axis, its label on the side where there is room."""
    flipped = x > WIDTH * 0.72
    line = element("line", x1=x, x2=x, y1=TOP, y2=HEIGHT - BOTTOM, class_=kind)
    anchor = "end" if flipped else "start"
    at, height = x - 6 if flipped else x + 6, TOP + 14 + 17 * row
    return join(line, element("text", label, x=at, y=height, text_anchor=anchor, class_=f"mark {kind}"))


def _line(x: Axis, y: Axis, series: Series, place: int) -> Html:
    kind, held = series.kind(place), [point for point in series.points if all(map(math.isfinite, point))]
    places = [(across(x, first), up(y, second)) for first, second in held]
    dots = (_dot(at, f"{series.name}: {p[0]:.4g}, {p[1]:.4g}") for at, p in zip(places, held, strict=True))
    return element("g", polyline(places, "curve" + series.stroke(place)), *dots, class_=kind)


def _dot(at: tuple[float, float], says: str) -> Html:
    return element("circle", element("title", says), cx=at[0], cy=at[1], r=_MARKER, class_="dot")


def _grid_y(axis: Axis) -> Html:
    return join(
        *(
            join(
                element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=up(axis, value), y2=up(axis, value), class_="grid"),
                element("text", shown, x=LEFT - 8, y=up(axis, value) + 4, text_anchor="end", class_="tick"),
            )
            for value, shown in axis.ticks
        )
    )


def _grid_x(axis: Axis) -> Html:
    ticks = []
    for place, (value, shown) in enumerate(axis.ticks):
        kind, x = "tick odd" if place % 2 else "tick", across(axis, value)
        ticks.append(element("line", x1=x, x2=x, y1=HEIGHT - BOTTOM, y2=HEIGHT - BOTTOM + 5, class_="axis"))
        ticks.append(element("text", shown, x=x, y=HEIGHT - BOTTOM + 20, text_anchor="middle", class_=kind))
    return join(*ticks)


def _labels(x: Axis, y: Axis) -> Html:
    return join(
        element("text", y.label, x=4, y=16, class_="name"),
        element("text", x.label, x=WIDTH - RIGHT, y=HEIGHT - 6, text_anchor="end", class_="name"),
    )
