"""A team's store as the README starts one: MLflow's server on PostgreSQL, both real."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
MLFLOW = ROOT / ".venv-mlflow" / "bin" / "mlflow"  # `make test` installs it


_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


class MissingError(Exception):
    """A program is not installed; the message says how to install it."""


@dataclass
class Server:
    """A running server: its address, the folder of its files, and SQL on its database."""

    address: str
    files: Path
    database: Callable[[str], str]
    process: "subprocess.Popen[bytes]"
    log: Path

    def pause(self) -> None:
        """Let it hang: connections are taken, and nothing is answered."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """End a pause."""
        os.killpg(self.process.pid, signal.SIGCONT)

    def requests(self) -> int:
        """Return how many requests it has answered, if it was started with --access-log."""
        return self.log.read_text(errors="replace").count(' HTTP/1.1" ')


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def postgresql() -> Path:
    """Return the folder of PostgreSQL's programs. Raises MissingError."""
    found = [Path(path).resolve().parent for path in [shutil.which("initdb")] if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in found:
        if (folder / "psql").exists():
            return folder
    raise MissingError("PostgreSQL is not here: install Debian's package postgresql")


@contextmanager
def database() -> Iterator[int]:
    """Give the port of a PostgreSQL server. It refuses root, and then is user postgres's.

    Raises MissingError without it, or without MLflow's server.
    """
    programs, port = postgresql(), free_port()
    if not MLFLOW.exists():
        raise MissingError("MLflow's server is not here: run make .venv-mlflow/installed")
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    prefix = as_user if os.geteuid() == 0 else []
    # Pytest's folders are closed to other users, and sockets' paths must be short.
    folder = Path(subprocess.check_output([*prefix, "mktemp", "-d"], text=True, cwd="/").strip())  # noqa: S603
    data = folder / "data"
    options = f"-p {port} -k {folder} -c fsync=off -c listen_addresses=127.0.0.1"

    def run(program: str, *arguments: str, check: bool = True) -> None:
        quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([*prefix, program, *arguments], check=check, cwd="/", **quiet)  # noqa: S603

    run(str(programs / "initdb"), "-D", str(data), "-U", "digitlab", "-A", "trust", "--no-sync")
    control = str(programs / "pg_ctl")
    try:
        log = ("-l", str(folder / "log"))
        run(control, "-w", "-D", str(data), *log, "-o", options, "start")
        yield port
    finally:
        run(control, "-w", "-D", str(data), "-m", "immediate", "stop", check=False)
        run("rm", "-rf", str(folder), check=False)


@contextmanager
def serving(port: int, name: str, folder: Path, *options: str, **env: str) -> Iterator[Server]:
    """Give MLflow's server on a new database of that name; its files are in `folder`.

    It is started by the README's command, the one with passwords if `env` sets its variables.
    """

    def sql(statement: str, base: str = name) -> str:
        place = ["-h", "127.0.0.1", "-p", str(port), "-U", "digitlab", "-d", base]
        psql = [str(postgresql() / "psql"), *place, "-v", "ON_ERROR_STOP=1", "-qtAc", statement]
        done = subprocess.run(psql, check=True, capture_output=True, text=True)  # noqa: S603
        return done.stdout.strip()

    sql(f"CREATE DATABASE {name}", "postgres")
    own, files, log = free_port(), folder / "files", folder / "log"
    command, needs = _readme_line("--app-name" if env else "--host")
    ours = {
        "--host": "127.0.0.1",
        "--port": str(own),
        "--backend-store-uri": f"postgresql+psycopg2://digitlab@127.0.0.1:{port}/{name}",
        "--artifacts-destination": str(files),
    }
    for option, value in ours.items():
        command[command.index(option) + 1] = value
    if needs != set(env):
        raise RuntimeError(f"The README's line sets {needs}, not {set(env)}.")
    command = [str(MLFLOW), *command[1:], "--workers", "1", *options]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            command,
            cwd=folder,
            env=os.environ | _QUIET | env,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{own}"
    try:
        _wait_until_healthy(address, process, log)
        yield Server(address, files, sql, process, log)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _readme_line(first_option: str) -> tuple[list[str], set[str]]:
    """Return the README's command that starts a server, in words, and the variables it sets."""
    for line in (ROOT / "README.md").read_text().splitlines():
        before, found, after = line.partition(f"mlflow server {first_option} ")
        if found and line.startswith("    "):
            command = ["mlflow", "server", first_option, *shlex.split(after)]
            return command, {word.partition("=")[0] for word in before.split()}
    raise RuntimeError(f"The README starts no server with {first_option}.")


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
    raise RuntimeError(f"MLflow's server did not start:\n{log.read_text()}")


# Copies of the store's only run, each a second older, with all of its entries.
_COPIES = """
CREATE TEMP TABLE ids AS SELECT n, md5(n::text) AS id FROM generate_series(1, {count}) n;
INSERT INTO runs SELECT (jsonb_populate_record(r, jsonb_build_object('run_uuid', id, 'name',
  'fast_cnn-' || n, 'start_time', r.start_time - 1000 * ({count} - n) - 1000))).* FROM runs r, ids;
INSERT INTO tags SELECT (jsonb_populate_record(t, jsonb_build_object('run_uuid', id) ||
  CASE key WHEN 'mlflow.runName' THEN jsonb_build_object('value', 'fast_cnn-' || n)
  ELSE '{{}}' END)).* FROM tags t, ids;
INSERT INTO params SELECT (jsonb_populate_record(p, jsonb_build_object('run_uuid', id))).*
  FROM params p, ids;
INSERT INTO latest_metrics SELECT (jsonb_populate_record(m, jsonb_build_object('run_uuid', id) ||
  CASE key WHEN 'best_validation_accuracy' THEN jsonb_build_object('value', 0.9 + n / 100000.0)
  WHEN 'changed' THEN jsonb_build_object('value', m.value - 86400) ELSE '{{}}' END)).*
  FROM latest_metrics m, ids;
"""


def copies(count: int) -> str:
    """Return the SQL that makes so many copies of the one run in the store."""
    return _COPIES.format(count=count)
