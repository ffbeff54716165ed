"""HTML and SVG from Python: text is escaped unless it is markup already, which only `element` makes."""

from html import escape

from rdi.printable import printable


class Html(str):
    """Markup that is finished; everything else is text."""


Content = str | Html | None
Attribute = str | int | float | bool | None

_VOID = frozenset(("br", "img", "input", "link", "meta"))


def element(name: str, /, *children: Content, **attributes: Attribute) -> Html:
    """An element of HTML or SVG.

    children:   text, which is escaped, markup, or None, which is left out
    attributes: `class_` becomes class, `aria_label` aria-label; True has no value, None and False leave it out; numbers
                are written with at most two decimals
    """
    opening = "".join((name, *(_attribute(key, value) for key, value in attributes.items())))
    if name in _VOID:
        return Html(f"<{opening}>")
    return Html(f"<{opening}>{''.join(map(text, children))}</{name}>")


def text(content: Content) -> Html:
    """Text as markup: escaped, without characters that turn its direction or that UTF-8 cannot say."""
    if content is None:
        return Html("")
    if isinstance(content, Html):
        return content
    sayable = printable(content).encode("utf-8", "backslashreplace").decode("utf-8")
    return Html(escape(sayable, quote=True))


def join(*parts: Content, between: str = "") -> Html:
    """Parts one after the other."""
    return Html(text(between).join(text(part) for part in parts if part is not None))


def paragraph(*children: Content, class_: str | None = None) -> Html:
    """A paragraph of text and markup."""
    return element("p", *children, class_=class_)


def number(value: float) -> str:
    """As an attribute has it: at most two decimals, no exponent."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    shown = number(value) if isinstance(value, int | float) else text(value)
    return f' {name}="{shown}"'
