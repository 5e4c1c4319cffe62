"""Fixtures for tests that open the app in a headless Chromium.

`new_page(address)` opens what `serve` or `serve_module` started, and fails the test on any error in
the page. Where Playwright or a Chromium is missing, the tests that ask for one are skipped.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests: DIGITLAB_CHROMIUM, the system's, or Playwright's own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    playwright.expect.set_options(timeout=60_000)  # ms; 5 s are too few where others compute
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("DIGITLAB_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    with playwright.sync_playwright() as engine:
        try:
            chromium = engine.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        except playwright.Error as error:
            pytest.skip(f"Chromium does not start: {error.message.splitlines()[0]}")
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: Browser, serve: object) -> Iterator[Callable[..., Page]]:
    """A function that opens an address; keywords (color_scheme, viewport, …) are the context's.

    The test fails on an uncaught error in the page, on an error in its console, and on a request
    that leaves this machine. Depends on `serve` so that pages are closed before their server.
    Without our routes (`door=False`), Streamlit asks for its server in vain; that does not count.
    """
    contexts = []
    trouble: list[str] = []

    def check_host(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname not in ("localhost", None):
            trouble.append(f"a request to {url}")

    def check_message(message: ConsoleMessage, door: bool) -> None:
        if message.type == "error" and (door or "/_stcore/" not in message.location["url"]):
            trouble.append(f"console: {message.text} {message.location['url']}")

    def watch(page: Page, door: bool) -> None:
        page.on("pageerror", lambda error: trouble.append(f"an uncaught error: {error}"))
        page.on("console", lambda message: check_message(message, door))
        page.on("request", lambda request: check_host(request.url))
        page.on("websocket", lambda websocket: check_host(websocket.url))

    def open_page(address: str, door: bool = True, **options: object) -> Page:
        context = browser.new_context(**options)
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        watch(page, door)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not trouble, "\n".join(trouble)
