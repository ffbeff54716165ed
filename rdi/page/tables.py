"""Tables with captions and headings, and lists of facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rdi.page.markup import Content, Html, element, join


@dataclass(frozen=True)
class Column:
    """A column: its heading, and whether it holds figures, which line up at their right."""

    heading: str
    figures: bool = True


@dataclass(frozen=True)
class Table:
    """A table.

    caption: what it shows; read out before the cells
    columns: the first one names its rows
    rows:    a cell for each column
    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Content]]

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.columns) for row in self.rows), self.caption


def table(content: Table) -> Html:
    """A table that scrolls within itself where the window is narrow, never the page."""
    head = element("tr", *(_cell("th", column, column.heading, scope="col") for column in content.columns))
    caption = element("caption", element("span", content.caption))
    body = element("tbody", *(_row(content.columns, row) for row in content.rows))
    whole = element("table", caption, element("thead", head), body)
    return element("div", whole, class_="scroll", tabindex=0, role="region", aria_label=content.caption)


def facts(values: Mapping[str, Content]) -> Html:
    """Names and what they are, side by side; None is left out."""
    pairs = (
        element("div", element("dt", name), element("dd", value)) for name, value in values.items() if value is not None
    )
    return element("dl", join(*pairs), class_="facts")


def folded(summary: str, *content: Content) -> Html:
    """What most readers pass over: opened by a click or a key."""
    return element("details", element("summary", summary), *content)


def _row(columns: Sequence[Column], cells: Sequence[Content]) -> Html:
    first, *others = zip(columns, cells, strict=True)
    return element("tr", _cell("th", *first, scope="row"), *(_cell("td", *pair) for pair in others))


def _cell(name: str, column: Column, content: Content, scope: str | None = None) -> Html:
    return element(name, content, scope=scope, class_="figure" if column.figures else None)
