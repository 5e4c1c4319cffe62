"""Fixtures for all tests: each has a run store of its own, so that none touches a user's runs."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# The runs of `trained_store`, on the sample, the older one first: name, what to set.
TRAINED = {
    "mlp 500": ["network=mlp", "train_size=500", "epochs=2"],
    "cnn 1000": ["network=fast_cnn", "train_size=1000", "epochs=1", "seed=1"],
}
# What `make check` leaves out, beside the tests that are marked as slow where they stand: all that
# is in these folders and files, and all that need one of these fixtures.
SLOW = (
    *("tests/browser", "tests/team", "tests/core/jobs"),
    *("tests/pages/test_train.py", "tests/pages/test_compare_settings.py"),
    *("tests/pages/test_sweeps.py", "tests/core/sweeps/test_confirmation.py"),
    *("tests/core/runs/test_actions.py", "tests/core/runs/test_move.py"),
    # torch takes 3 s to load what exports a network as ONNX
    *("tests/core/export/test_onnx.py", "tests/core/export/test_imported.py"),
    *("tests/core/training/test_onnx_network.py", "tests/pages/test_export.py"),
    *("tests/pages/test_people.py", "tests/core/export/test_report.py"),
    *("tests/core/my_digits/test_fitting.py", "tests/core/my_digits/test_collection.py"),
)
SLOW_FIXTURES = {"trained_store", "serve", "serve_module", "made"}

Serve = Callable[..., str]  # (script: Path, env: Mapping[str, str] | None = None) -> address
START_SECONDS = 60  # that a server may take


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what starts processes, by place and by fixture; run the browser's tests last.

    Playwright keeps an event loop running in the main thread until the session ends, and no test
    after it could run one of its own.
    """
    places = [ROOT / place for place in SLOW]
    for item in items:
        is_there = any(item.path.is_relative_to(place) for place in places)
        if is_there or SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.path.is_relative_to(ROOT / "tests" / "browser"))


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An embedded store without runs; a copy of it saves the second that creating one takes."""
    from core.runs import catalogue

    folder = tmp_path_factory.mktemp("empty") / "runs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITLAB_RUNS", str(folder))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        assert catalogue.listed() == []
    return folder


@pytest.fixture(autouse=True)
def own_runs(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, empty_store: Path
) -> Path:
    """Each test has an empty store, embedded, under its own temporary folder."""
    folder = tmp_path_factory.mktemp("own") / "runs"
    shutil.copytree(empty_store, folder)
    monkeypatch.setenv("DIGITLAB_RUNS", str(folder))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return folder


@pytest.fixture
def full_data() -> Path:
    """The folder of the full MNIST; tests that need it are skipped where it is not."""
    folder = Path(os.environ.get("DIGITLAB_DATA") or "data")
    if not (folder / "MNIST" / "raw" / "train-images-idx3-ubyte").exists():
        pytest.skip("the full MNIST is not here: set DIGITLAB_DATA to the folder that holds it")
    return folder


@pytest.fixture
def sample_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No full MNIST, wherever the machine may have it: the sample is in use."""
    monkeypatch.setenv("DIGITLAB_DATA", str(tmp_path / "no-data"))


@pytest.fixture(scope="session")
def trained_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the finished runs TRAINED, made once; `trained` gives a copy of it to change."""
    folder = tmp_path_factory.mktemp("trained")
    own = {"DIGITLAB_RUNS": str(folder), "DIGITLAB_DATA": str(folder / "no-data")}
    kept = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    for name, settings in TRAINED.items():
        subprocess.run(
            [sys.executable, "-m", "core", "train", "--name", name, "--set", *settings],
            cwd=ROOT,
            env=kept | own,
            check=True,
            capture_output=True,
            timeout=300,
        )
    return folder


@pytest.fixture
def trained(trained_store: Path, own_runs: Path, sample_only: None) -> Path:
    """A copy of `trained_store` is the store in use, so that the test may change it."""
    return shutil.copytree(trained_store, own_runs, dirs_exist_ok=True)


@pytest.fixture
def whole_app(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The path of the app's script for an AppTest, whose caches are emptied after the test.

    An AppTest has no connection, and counts as a browser on the server's own machine.
    """
    import streamlit as st

    from ui import people
    from ui.cache import WarmUp

    monkeypatch.setattr(people, "_is_at_this_machine", lambda: True)
    yield str(ROOT / "ui" / "app.py")
    # The loading in the background opens the store: this test's, not a user's.
    for thread in threading.enumerate():
        if isinstance(thread, WarmUp):
            thread.wait()
    st.cache_data.clear()
    st.cache_resource.clear()


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
