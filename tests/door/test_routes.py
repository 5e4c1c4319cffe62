"""The door's addresses, methods and errors, whatever is behind them."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from core.training import device
from door import live

ROOT = Path(__file__).parents[2]


def test_health_says_what_is_here(client: Any) -> None:
    """Health has the version, and, PyTorch being loaded, the device and precision in use."""
    import torch  # noqa: F401

    told = client.get("health").json
    met = device.choose()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert told.pop("loaded")[0] == "torch"
    assert told == {
        "version": project["version"],
        "device": met.kind,
        "precision": met.precision,
    }


@pytest.mark.slow
def test_health_loads_nothing() -> None:
    """Starting the door and requesting health load no slow library."""
    code = (
        "import sys, door.routes; print(door.routes._health()['loaded'], "
        "{'torch', 'mlflow', 'pandas', 'scipy', 'streamlit'} & {*sys.modules})"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert told.stdout == "[] set()\n", told.stderr


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        *(("POST", "health", "GET, HEAD"), ("GET", "read", "POST"), ("OPTIONS", "read", "POST")),
        *(("PUT", "read", "POST"), ("DELETE", "runs/built-in/live", "GET, HEAD")),
    ],
)
def test_methods_are_restricted(client: Any, method: str, path: str, allowed: str) -> None:
    """Each address accepts only its method, so that other sites' scripts fail at the preflight."""
    answer = client.send(method, path)
    assert answer.status == 405
    assert sorted(answer.headers["allow"].split(", ")) == allowed.split(", ")
    assert answer.error


@pytest.mark.parametrize("path", ["", "nothing", "runs", "runs/built-in", "read/more", "../health"])
def test_other_addresses_are_not_found(client: Any, path: str) -> None:
    """An unknown address gets status 404, in JSON like all errors."""
    answer = client.get(path)
    assert answer.status == 404
    assert answer.error


@pytest.mark.parametrize("path", ["health", "runs/built-in/live", "nothing"])
def test_no_cookies_and_no_other_origins(client: Any, path: str) -> None:
    """No answer sets a cookie or opens the door to other sites' scripts."""
    answer = client.get(path, headers={"origin": "http://elsewhere.example"})
    assert not [name for name in answer.headers if "cookie" in name or "access-control" in name]


def test_bug_tells_nothing_of_the_inside(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug is 500 with a sentence, and neither a traceback nor a path."""

    def broken(run_id: str, known: object) -> None:
        raise RuntimeError(f"secret of {__file__}")

    monkeypatch.setattr(live, "_read", broken)
    answer = client.get("runs/built-in/live")
    assert answer.status == 500
    assert "this is a bug" in answer.error
    assert "secret" not in answer.error and "/" not in answer.error
