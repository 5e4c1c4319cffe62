"""Fixtures for tests that open the app in a headless Chromium.

`serve(script)` starts a Streamlit script for one test and returns its address, `serve_module` one
for all tests of a file; `new_page(address)` opens it, and fails the test on any error in the page.
Where Playwright or a Chromium is missing, the tests that ask for one are skipped.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

Serve = Callable[..., str]  # (script: Path, env: Mapping[str, str] | None = None) -> address

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
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
def serve(tmp_path: Path) -> Iterator[Serve]:
    """A function that starts `streamlit run script` with `env` added, and returns its address.

    Data and runs are looked for in a temporary folder unless `env` says otherwise. The servers are
    stopped after the test.
    """
    yield from _serving(tmp_path)


@pytest.fixture(scope="module")
def serve_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Like `serve`, but the servers last for all tests of a file."""
    yield from _serving(tmp_path_factory.mktemp("serve"))


def _serving(folder: Path) -> Iterator[Serve]:
    servers: list[subprocess.Popen[bytes]] = []

    def start(script: Path, env: Mapping[str, str] | None = None) -> str:
        own = {
            "DIGITLAB_DATA": str(folder / "data"),
            "DIGITLAB_RUNS": str(folder / "runs"),
            **(env or {}),
        }
        static = script.parent / "static"  # Streamlit serves the one beside the script.
        if script != ROOT / "streamlit_app.py" and not static.exists():
            static.symlink_to(ROOT / "ui" / "static")
        with socket.socket() as free:
            free.bind(("localhost", 0))
            port = free.getsockname()[1]
        options = ["--server.headless", "true", "--server.port", str(port)]
        log = folder / f"streamlit-{port}.log"
        with log.open("wb") as output:
            server = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", str(script), *options],
                cwd=ROOT,  # for .streamlit/config.toml, and so that scripts can import the app
                env={k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"} | own,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        servers.append(server)
        path = own.get("STREAMLIT_SERVER_BASE_URL_PATH", "")
        address = f"http://localhost:{port}/{path}".rstrip("/")
        _wait_until_healthy(address, server, log)
        return address

    yield start
    for server in servers:
        server.terminate()
    for server in servers:
        server.wait(timeout=20)


def _wait_until_healthy(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):  # noqa: S310 (http)
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"Streamlit did not start:\n{log.read_text()}")


@pytest.fixture
def new_page(browser: Browser, serve: object) -> Iterator[Callable[..., Page]]:
    """A function that opens an address; keywords (color_scheme, viewport, …) are the context's.

    The test fails on an uncaught error in the page, on an error in its console, and on a request
    that leaves this machine. (When a page other than the first is opened, Streamlit finds its base
    path by trying addresses in vain; those do not count.) Depends on `serve` so that pages are
    closed before their server.
    """
    contexts = []
    trouble: list[str] = []

    def check_host(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname not in ("localhost", None):
            trouble.append(f"a request to {url}")

    def check_message(message: ConsoleMessage) -> None:
        if message.type == "error" and "/_stcore/" not in message.location["url"]:
            trouble.append(f"console: {message.text} {message.location['url']}")

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: trouble.append(f"an uncaught error: {error}"))
        page.on("console", check_message)
        page.on("request", lambda request: check_host(request.url))
        page.on("websocket", lambda websocket: check_host(websocket.url))

    def open_page(address: str, **options: object) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        watch(page)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not trouble, "\n".join(trouble)
