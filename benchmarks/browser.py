"""Start the app and a Chromium, for measuring what a person sees."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
_FLAGS += ["--disable-background-networking", "--disable-component-update"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give a headless Chromium: the system's, else Playwright's own."""
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        yield browser
        browser.close()


@contextmanager
def server(runs: Path) -> Iterator[tuple[str, int]]:
    """Start the app with a fresh store; give its address and process number."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(  # noqa: S603  # our own interpreter and app
        [
            *(sys.executable, "-m", "streamlit", "run", "streamlit_app.py"),
            *("--server.headless", "true", "--server.port", str(port)),
        ],
        cwd=ROOT,
        env={**os.environ, "DIGITLAB_RUNS": str(runs)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://localhost:{port}", process.pid
    finally:
        process.terminate()
        process.wait()


def open_when_up(page: Page, address: str) -> None:
    """Open an address as soon as something answers there."""
    while True:
        try:
            page.goto(address)
            return
        except Exception:  # no server listens yet
            time.sleep(0.05)


def settle(page: Page) -> None:
    """Wait until Streamlit has nothing left to draw."""
    page.locator("[data-testid=stStatusWidget]").wait_for(state="detached")
