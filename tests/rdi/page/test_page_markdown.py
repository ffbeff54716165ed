"""Markdown as the commands print it becomes tables, lists and paragraphs, and stays text."""

import xml.etree.ElementTree as ET

import pytest

from rdi.page.markdown import from_markdown

REPORT = """Two <threads> each.

| size | MP | who |
|---|---|---|
| 1x2 | 0.1 | a \\| b |
| 3x4 | 1,2 % | - |

- a note
- <b>another</b>

Published:

| method | dB |
|---|---|
| SID | 28.9 |
"""


def test_tables_lists_and_paragraphs_come_out_as_such() -> None:
    page = ET.fromstring(f"<main>{from_markdown(REPORT, 'Times')}</main>")
    assert [element.tag for element in page] == ["p", "div", "ul", "div"]
    assert page[0].text == "Two <threads> each."
    assert [item.text for item in page.iter("li")] == ["a note", "<b>another</b>"]
    assert [span.text for span in page.iter("span")] == ["Times", "Published:"]
    assert [cell.text for cell in page.iter("td")] == ["0.1", "a | b", "1,2 %", "-", "28.9"]
    assert [cell.get("class") for cell in page[1].iter("th")][:3] == [None, "figure", None]


@pytest.mark.parametrize("text", ["|a.dng, 600x400", "| a | b |\n|c", "| a | b |\n|---|---|\n| 1 | 2 | 3 |", "a\n|b"])
def test_what_only_begins_like_a_table_stays_text(text: str) -> None:
    page = ET.fromstring(f"<main>{from_markdown(text, '')}</main>")
    assert [element.text for element in page] == text.splitlines()


def test_what_stands_between_backticks_is_code_and_a_single_one_is_none() -> None:
    assert from_markdown("by `a<b>`, not `", "") == "<p>by `a&lt;b&gt;`, not `</p>"
    assert from_markdown("by `a<b>`", "") == "<p>by <code>a&lt;b&gt;</code></p>"
    assert "<td><code>r</code></td>" in from_markdown("|a|b|\n|---|---|\n|1|`r`|", "")
