"""A real browser for report pages: Debian's Chromium, without a window."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser; where there is none tests are skipped, but in CI, which installs it."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        assert not os.environ.get("CI"), "CI must have a browser: apt-get install chromium"
        pytest.skip("needs Chromium, which is not here: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the dev extra")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])  # root, as in CI, has no sandbox
        yield browser
        browser.close()


class Visit:
    """A page in a tab of its own, and what it complained of and asked for."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.tab = browser.new_page(**options)
        self.tab.on("console", lambda message: self.complaints.append(message.text))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("dialog", self._dismiss)
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.address = path.as_uri()
        self.tab.goto(self.address)
        self.tab.wait_for_function("[...document.images].every(image => image.complete)")

    def _dismiss(self, dialog: Any) -> None:
        self.complaints.append(dialog.message)
        dialog.dismiss()

    @property
    def fetched(self) -> list[str]:
        """Everything that it asked for but itself and the pictures that it holds."""
        return [url for url in self.requests if url != self.address and not url.startswith("data:image/")]


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Visit]]:
    """Open a page; options are a tab's: viewport, color_scheme, has_touch, ..."""
    tabs: list[Any] = []

    def open_page(path: Path, **options: Any) -> Visit:
        visited = Visit(chromium, path, **{"viewport": {"width": 1280, "height": 900}, **options})
        tabs.append(visited.tab)
        return visited

    yield open_page
    for tab in tabs:
        tab.close()
