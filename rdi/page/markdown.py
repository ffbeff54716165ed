"""What a command prints as Markdown, as a part of a page: tables, lists and paragraphs, which is all they print."""

import re
from collections.abc import Iterator
from itertools import groupby

from rdi.page.markup import Content, Html, element, join, paragraph
from rdi.page.tables import Column, Table, table
from rdi.printable import from_markdown as unescaped

_FIGURE = re.compile(r"[-+]?[\d., ]*\d[\d.,]*(e[-+]?\d+)?\s*%?|-|")
_RULE = re.compile(r":?-+:?")


def from_markdown(text: str, caption: str) -> Html:
    """Tables, `- ` lists and paragraphs of a report; everything in them is text.

    caption: of its first table; each other one is captioned by the paragraph before it
    """
    return join(*_blocks(text, caption))


def _blocks(text: str, caption: str) -> Iterator[Html]:
    grouped = ((kind, [*lines]) for kind, lines in groupby(text.splitlines(), _kind) if kind)
    blocks = [("text" if kind == "table" and not _cells_of(lines) else kind, lines) for kind, lines in grouped]
    for place, (kind, lines) in enumerate(blocks):
        before_table = caption == "" and place + 1 < len(blocks) and blocks[place + 1][0] == "table"
        if kind == "table":
            before = blocks[place - 1][1][-1] if place else ""
            yield _table(_cells_of(lines), caption or before)
            caption = ""
        elif kind == "list":
            yield element("ul", *(element("li", _inline(line[2:])) for line in lines))
        else:
            yield from (paragraph(_inline(line)) for line in (lines[:-1] if before_table else lines))


def _kind(line: str) -> str:
    if line.startswith("|"):
        return "table"
    return "list" if line.startswith("- ") else "text" if line.strip() else ""


def _cells_of(lines: list[str]) -> list[list[str]]:
    """Heading, rule and rows; none where the lines only begin like a table, with a file's name for example."""
    cells = [_cells(line) for line in lines]
    whole = len(cells) > 1 and {len(row) for row in cells} == {len(cells[0])}
    return cells if whole and all(_RULE.fullmatch(cell) for cell in cells[1]) else []


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def _table(lines: list[list[str]], caption: str) -> Html:
    headings, _, *rows = lines
    figures = [all(_FIGURE.fullmatch(row[place]) for row in rows) for place in range(len(headings))]
    columns = [
        Column(unescaped(name), holds and place > 0)
        for place, (name, holds) in enumerate(zip(headings, figures, strict=True))
    ]
    return table(Table(caption, columns, [[*map(_inline, row)] for row in rows]))


def _inline(text: str) -> Content:
    """Text with what stands between backticks as code."""
    parts = [unescaped(part) for part in re.split(r"(?<!\\)`", text)]
    if len(parts) % 2 == 0:
        return unescaped(text)
    return join(*(element("code", part) if place % 2 else part for place, part in enumerate(parts)))
