"""Plots as a file of their own: an SVG that holds its colours and its words, for documents."""

import math
import textwrap
from collections.abc import Sequence
from itertools import count

from rdi.page.axes import Axis
from rdi.page.markup import Html, element, join
from rdi.page.plots import HEIGHT, LEFT, WIDTH, Plot, Series, across, drawing, polyline, up

# The page's own colours, so that a plot looks the same in both.
_STYLE = """
svg { --ink: #1b1b19; --quiet: #5b5b55; --rule: #dedeD8; --back: #ffffff; font: 13px system-ui, sans-serif; }
.s0 { --c: #0a5ca8; } .s1 { --c: #b4490b; } .s2 { --c: #1d7a44; }
.s3 { --c: #8a2f8f; } .s4 { --c: #6b5a00; } .s5 { --c: #46535e; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #ecece6; --quiet: #a9a9a1; --rule: #363632; --back: #1c1c1a; }
  .s0 { --c: #7db9f5; } .s1 { --c: #f5a26b; } .s2 { --c: #7fd39b; }
  .s3 { --c: #dd9be2; } .s4 { --c: #d9c564; } .s5 { --c: #aebbc6; }
}
.back { fill: var(--back); }
text { fill: var(--ink); } .tick, .small { fill: var(--quiet); font-size: 12px; } .title { font-weight: 600; }
.grid { stroke: var(--rule); } .axis { stroke: var(--quiet); }
.curve { fill: none; stroke: var(--c); stroke-width: 2.2; stroke-linejoin: round; }
.dashed { stroke-dasharray: 6 4; }
.dot { fill: var(--back); stroke: var(--c); stroke-width: 2; }
"""
_COLOURS = 6
_TITLE, _LINE = 26, 18  # units above a plot, and for a line of text
_LETTERS = 92  # of a line of small text
_COLUMNS = 3  # of the legend


def svg_file(plots: Sequence[Plot], caption: str) -> str:
    """Plots below each other with one legend, and words below that: the whole file.

    plots:   a series has one colour in all of them, by its name; from the seventh on dashed
    caption: such as the machine that the figures come from
    """
    names = list(dict.fromkeys(series.name for content in plots for series in content.series))
    parts, top = list[Html](), 0.0
    for content in plots:
        parts.append(element("g", _panel(content, names), transform=f"translate(0 {top:.0f})"))
        top += _TITLE + HEIGHT
    parts.append(element("g", _legend(names), transform=f"translate(0 {top:.0f})"))
    top += _LINE * (math.ceil(len(names) / _COLUMNS) + 1)
    lines = textwrap.wrap(caption, _LETTERS)
    parts += [_small(line, top + _LINE * number) for number, line in zip(count(), lines)]
    height = top + _LINE * len(lines)
    title = element("title", "; ".join(content.title for content in plots))
    back = element("rect", width=WIDTH, height=height, class_="back")
    box = f"0 0 {WIDTH} {height:.0f}"
    style = element("style", Html(_STYLE))
    return str(element("svg", title, style, back, *parts, xmlns="http://www.w3.org/2000/svg", viewBox=box)) + "\n"


def _panel(content: Plot, names: Sequence[str]) -> Html:
    lines = (_series(content.x, content.y, series, names.index(series.name)) for series in content.series)
    title = element("text", content.title, x=LEFT, y=_TITLE - 8, class_="title")
    return join(title, element("g", drawing(content.x, content.y, join(*lines)), transform=f"translate(0 {_TITLE})"))


def _series(x: Axis, y: Axis, series: Series, place: int) -> Html:
    points = [(across(x, first), up(y, second)) for first, second in series.points]
    line = polyline(points, "curve dashed" if place >= _COLOURS else "curve")
    dots = (element("circle", cx=at[0], cy=at[1], r=4, class_="dot") for at in points)
    return element("g", line, *dots, class_=_colour(place))


def _legend(names: Sequence[str]) -> Html:
    return join(*(_key(name, place) for place, name in enumerate(names)))


def _key(name: str, place: int) -> Html:
    x, y = LEFT + (WIDTH - LEFT) / _COLUMNS * (place % _COLUMNS), _LINE * (place // _COLUMNS + 1)
    line = polyline([(x, y - 4), (x + 24, y - 4)], "curve dashed" if place >= _COLOURS else "curve")
    return element("g", line, element("text", name, x=x + 30, y=y), class_=_colour(place))


def _small(line: str, y: float) -> Html:
    return element("text", line, x=8, y=y, class_="small")


def _colour(place: int) -> str:
    return f"s{place % _COLOURS}"
