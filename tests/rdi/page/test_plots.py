"""Axes end at round values, and what is drawn lies where its values say."""

import math
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdi.page import Column, Plot, Series, Table, plot
from rdi.page.axes import linear_axis, log_axis
from rdi.page.plots import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH

VALUES = st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=8)


@given(VALUES)
def test_axes_hold_their_values_between_their_ends(values: list[float]) -> None:
    for axis in (linear_axis("x", values), linear_axis("x", values, from_zero=False), log_axis("x", values)):
        assert axis.low <= min(values) * (1 + 1e-6)
        assert max(values) <= axis.high * (1 + 1e-6)
        places = [axis.place(value) for value, _ in axis.ticks]
        assert places[0] == 0
        assert places[-1] == pytest.approx(1)
        assert places == sorted(places)
        assert 2 <= len(places) <= 17


def test_ticks_are_round() -> None:
    assert [text for _, text in linear_axis("ms", [3, 950]).ticks] == ["0", "200", "400", "600", "800", "1000"]
    assert [value for value, _ in log_axis("s", [0.02, 5]).ticks] == pytest.approx([0.01, 0.1, 1, 10])


def test_axes_of_nothing_and_of_infinities_can_be_drawn() -> None:
    for values in ([], [math.inf], [math.nan], [0.0]):
        assert linear_axis("x", values).high > linear_axis("x", values).low


def test_points_lie_where_their_values_say_and_infinities_are_left_out() -> None:
    x, y = linear_axis("MP", [0, 20]), linear_axis("ms", [0, 1000])
    series = Series("rdi", [(0, 0), (20, 1000), (10, math.inf)])
    figures = Table("Times", [Column("MP"), Column("ms")], [("20", "1000")])
    markup = plot(Plot("Time <by> size", "Lower is better.", x, y, [series], figures), "p")
    read = ET.fromstring(markup)
    circles = [(float(c.get("cx", "")), float(c.get("cy", ""))) for c in read.iter("circle")]
    assert circles == [(LEFT, HEIGHT - BOTTOM), (WIDTH - RIGHT, TOP)]
    svg = next(read.iter("svg"))
    assert svg.get("aria-labelledby") == "p-title"
    assert next(svg.iter("title")).text == "Time <by> size"
    assert [cell.text for cell in read.iter("td")] == ["1000"]
    assert not re.search(r"nan|inf", markup)
