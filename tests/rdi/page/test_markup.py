"""Text stays text, whatever it holds."""

import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from rdi.page.markup import Html, element, join, number

HOSTILE = "</p><script>alert(1)</script>\"'&<!-- ]]> \u202egnp.exe \x00\x1b[2J \udcff"


def test_hostile_text_stays_text_in_content_and_in_attributes() -> None:
    markup = element("p", HOSTILE, title=HOSTILE)
    assert "<script" not in markup
    read = ET.fromstring(markup)
    assert read.text == read.get("title")
    assert read.text is not None
    assert read.text.startswith("</p><script>alert(1)</script>\"'&<!-- ]]> \\u202egnp.exe \\x00\\x1b[2J ")
    markup.encode("utf-8")


@given(st.text())
def test_any_text_gives_well_formed_markup_with_one_element(text: str) -> None:
    read = ET.fromstring(element("p", text.replace("\ufffe", "").replace("\uffff", ""), id=text[:0]))
    assert len(read) == 0


def test_markup_is_not_escaped_twice_and_none_is_left_out() -> None:
    inner = element("b", "a & b")
    assert element("p", inner, None) == "<p><b>a &amp; b</b></p>"
    assert join("a<", inner, None) == "a&lt;<b>a &amp; b</b>"
    assert isinstance(join("a"), Html)


def test_attributes_are_named_and_valued_as_html_has_them() -> None:
    made = element("input", type="radio", class_="x", aria_label="y", checked=True, id=None, hidden=False, value=0.5)
    assert made == '<input type="radio" class="x" aria-label="y" checked value="0.5">'
    assert [number(value) for value in (3.0, 1e6, 0.125, 10)] == ["3", "1000000", "0.12", "10"]
