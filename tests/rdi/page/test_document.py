"""The page as a file: whole, forbidden to fetch, and nothing but itself."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from rdi.errors import OutputError, UsageError
from rdi.page import Page, Section, document, paragraph, render, require_page_path, write_page

PAGE = Page("A </title><script>alert(1)</script>", "Two & more", [Section("One", paragraph("body"), anchor="one")])


def test_the_policy_names_the_very_style_and_script_that_the_page_has() -> None:
    page = render(PAGE)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src &#x27;none&#x27;; img-src data:;")
    for name in ("style", "script"):
        content = re.search(rf"<{name}>(.*?)</{name}>", page, re.DOTALL)
        assert content is not None
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{name}-src &#x27;sha256-{digest}&#x27;" in policy[1]


def test_every_element_is_closed_and_no_address_leads_out() -> None:
    class Reader(HTMLParser):
        open_elements: list[str] = []  # noqa: RUF012
        addresses: list[str] = []  # noqa: RUF012

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
            if tag not in ("meta", "img", "input", "br"):
                self.open_elements.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open_elements.pop() == tag

    reader = Reader()
    reader.feed(render(PAGE))
    assert reader.open_elements == []
    assert reader.addresses == []
    assert "http://" not in render(PAGE)
    assert "https://" not in render(PAGE)


def test_a_page_replaces_its_file_or_leaves_it(tmp_path: Path) -> None:
    path = tmp_path / "r.html"
    write_page(PAGE, path)
    assert path.read_text("utf-8").startswith("<!DOCTYPE html>")
    with pytest.raises(OutputError):
        write_page(PAGE, tmp_path / "none" / "r.html")
    assert list(tmp_path.iterdir()) == [path]


def test_a_page_that_replaces_nothing_gets_the_next_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.html"
    assert [write_page(PAGE, path, replace=False).name for _ in range(3)] == ["r.html", "r-2.html", "r-3.html"]
    path.write_text("mine")
    # Another run takes the fourth name just after it was asked for.
    monkeypatch.setattr(document, "_free_names", lambda _: iter([path, tmp_path / "r-4.html"]))
    assert write_page(PAGE, path, replace=False).name == "r-4.html"
    assert path.read_text() == "mine"


def test_a_report_that_could_not_be_written_is_refused_beforehand(tmp_path: Path) -> None:
    (tmp_path / "there.html").touch()
    with pytest.raises(UsageError, match=r"ends with \.html"):
        require_page_path(tmp_path / "photo.ARW")
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        require_page_path(tmp_path / "folder.html")
    with pytest.raises(OutputError, match="does not exist"):
        require_page_path(tmp_path / "none" / "there.html")
    require_page_path(tmp_path / "there.html")
