"""The page as a whole: title, sections, style and script in one file that fetches nothing.

A Content-Security-Policy in the page forbids it everything but its own style, its own script (both named by their
hashes) and pictures that it holds itself, so that not even markup that slipped through could run or call anywhere.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from itertools import chain, count
from pathlib import Path

from rdi import __version__
from rdi.atomic import atomic_paths
from rdi.errors import OutputError, UsageError
from rdi.page.markup import Html, element, join

SUFFIXES = (".html", ".htm")


@dataclass(frozen=True)
class Section:
    """A part of a page.

    title:   its heading
    body:    markup, such as tables and plots
    anchor:  name by which a table may link to it; "" for none
    """

    title: str
    body: Html
    anchor: str = ""


@dataclass(frozen=True)
class Page:
    """What a page says.

    title:    heading, and the window's title
    summary:  what it is about, in a line or two below the heading
    sections: in order
    cards:    whether all but the first section stand side by side where there is room
    """

    title: str
    summary: str | Html
    sections: Sequence[Section]
    cards: bool = False


def write_page(page: Page, path: Path, *, replace: bool = True) -> Path:
    """Write a page, whole or not at all; OutputError where the path cannot be written.

    replace: whether an existing file is replaced; otherwise the page gets the first name that is free of page.html,
             page-2.html, page-3.html and so on
    returns: where the page is
    """
    content = render(page).encode()
    for place in [path] if replace else _free_names(path):
        taken = None if replace else list[Path]()
        with atomic_paths(place, kept=taken) as (temporary,):
            temporary.write_bytes(content)
        if not taken:
            break
    return place


def _free_names(path: Path) -> Iterator[Path]:
    """Names for a page that nobody had when they were asked for, without an end."""
    names = chain([path], (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(2)))
    return (name for name in names if not name.exists())


def render(page: Page) -> str:
    """The whole HTML file."""
    style, script = (Html(files("rdi.page").joinpath(name).read_text("utf-8")) for name in ("page.css", "page.js"))
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="generator", content=f"rdi {__version__}"),
        element("title", page.title),
        element("style", style),
    )
    body = element("body", _header(page), _main(page), _footer(), element("script", script))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def require_page_path(path: Path) -> None:
    """Refuse, before any work is done, a report that could not be written at its end.

    Raises UsageError for a name that is no page's, OutputError for a folder or where there is no folder to write into.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"report {path} is no page's name; give one that ends with .html")
    if path.is_dir():
        raise OutputError(f"report {path} is a folder; give the name of a file to write")
    if not path.parent.is_dir():
        raise OutputError(f"folder {path.parent} does not exist; make it first, or write the report elsewhere")


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _header(page: Page) -> Html:
    return element("header", element("h1", page.title), element("p", page.summary, class_="summary"))


def _main(page: Page) -> Html:
    return element(
        "main", join(*(_section(section) for section in page.sections)), class_="cards" if page.cards else None
    )


def _section(section: Section) -> Html:
    return element("section", element("h2", section.title), section.body, id=section.anchor or None)


def _footer() -> Html:
    made = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %z")
    return element("footer", element("p", f"Made by rdi {__version__} on {made}. This file needs no network."))
