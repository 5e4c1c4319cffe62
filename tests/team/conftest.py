"""A team's store as the README starts one: MLflow's server on PostgreSQL, both real."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MLFLOW = ROOT / ".venv-mlflow" / "bin" / "mlflow"  # `make test` installs it
Member = Callable[..., "subprocess.Popen[str]"]


@dataclass
class Server:
    """A running server: its address, the folder of its files, and SQL on its database."""

    address: str
    files: Path
    database: Callable[[str], str]
    process: "subprocess.Popen[bytes]"

    def pause(self) -> None:
        """Let it hang: connections are taken, and nothing is answered."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """End a pause."""
        os.killpg(self.process.pid, signal.SIGCONT)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _postgresql() -> Path:
    """Return the folder of PostgreSQL's programs; where it is not installed, skip."""
    found = [Path(path).resolve().parent for path in [shutil.which("initdb")] if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in found:
        if (folder / "psql").exists():
            return folder
    pytest.skip("PostgreSQL is not here: install Debian's package postgresql")


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a PostgreSQL server of our own. It refuses root, and then is user postgres's."""
    programs, port = _postgresql(), _free_port()
    if not MLFLOW.exists():
        pytest.skip("MLflow's server is not here: run make .venv-mlflow/installed")
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    prefix = as_user if os.geteuid() == 0 else []
    # Pytest's folders are closed to other users, and sockets' paths must be short.
    folder = Path(subprocess.check_output([*prefix, "mktemp", "-d"], text=True, cwd="/").strip())
    data = folder / "data"
    control = [*prefix, str(programs / "pg_ctl"), "-w", "-D", str(data)]
    options = f"-p {port} -k {folder} -c fsync=off -c listen_addresses=127.0.0.1"
    quiet = {"cwd": "/", "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    initdb = [*prefix, str(programs / "initdb"), "-D", str(data), "-U", "digitlab", "-A", "trust"]
    subprocess.run([*initdb, "--no-sync"], check=True, **quiet)
    try:
        log = ["-l", str(folder / "log")]
        subprocess.run([*control, *log, "-o", options, "start"], check=True, **quiet)
        yield port
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, **quiet)
        subprocess.run([*prefix, "rm", "-rf", str(folder)], check=False, **quiet)


@pytest.fixture(scope="session")
def server(database: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """MLflow's server on that database; `database` runs a statement of SQL there."""
    yield from _serving(database, "mlflow", tmp_path_factory.mktemp("server"))


def _serving(port: int, name: str, folder: Path, *options: str, **env: str) -> Iterator[Server]:
    def sql(statement: str, base: str = name) -> str:
        place = ["-h", "127.0.0.1", "-p", str(port), "-U", "digitlab", "-d", base]
        psql = [str(_postgresql() / "psql"), *place, "-v", "ON_ERROR_STOP=1", "-qtAc", statement]
        return subprocess.run(psql, check=True, capture_output=True, text=True).stdout.strip()

    sql(f"CREATE DATABASE {name}", "postgres")
    own, files, log = _free_port(), folder / "files", folder / "log"
    command = [
        *(str(MLFLOW), "server", "--host", "127.0.0.1", "--port", str(own), "--workers", "1"),
        *("--backend-store-uri", f"postgresql+psycopg2://digitlab@127.0.0.1:{port}/{name}"),
        *("--artifacts-destination", str(files), *options),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"} | env,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{own}"
    try:
        _wait_until_healthy(address, process, log)
        yield Server(address, files, sql, process)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_healthy(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until it has answered from its database, which the first time takes seconds."""
    page = f"{address}/api/2.0/mlflow/experiments/search?max_results=1"
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(page, timeout=60):  # noqa: S310 (http)
                return
        except urllib.error.HTTPError as error:
            if error.code == 401:  # it wants a password
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    pytest.fail(f"MLflow's server did not start:\n{log.read_text()}")


@pytest.fixture
def team(server: Server, monkeypatch: pytest.MonkeyPatch, sample_only: None) -> Server:
    """That server without a run is the store in use, as nobody knows it yet."""
    from core.runs import catalogue, listing, store

    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.address)
    monkeypatch.setenv(store.TIMEOUT, "20")  # while other tests keep the machine busy
    listing._known.clear()
    listing.forget_active()
    server.database("TRUNCATE runs CASCADE")
    assert catalogue.listed() == []
    return server


@pytest.fixture
def member(team: Server, tmp_path: Path) -> Iterator[Member]:
    """A function that runs Python as a member of the team: with a folder of its own.

    `member("anna", "-m", "core", "runs", clock=60)` has a clock that is a minute ahead. A process
    that still runs after the test is killed.
    """
    started: list[subprocess.Popen[str]] = []

    def start(name: str, *arguments: str, clock: float = 0) -> "subprocess.Popen[str]":
        wrong = tmp_path / f"clock{clock:g}"
        wrong.mkdir(exist_ok=True)
        (wrong / "sitecustomize.py").write_text(
            f"import time\n_right = time.time\ntime.time = lambda: _right() + {clock}\n"
        )
        own = {
            "DIGITLAB_RUNS": str(tmp_path / name),
            "DIGITLAB_AUTHOR": name,
            "MLFLOW_TRACKING_URI": team.address,
            "PYTHONPATH": str(wrong) if clock else "",
        }
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=os.environ | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
