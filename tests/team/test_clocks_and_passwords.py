"""Wrong clocks and wrong passwords."""

import re
import time
from collections.abc import Iterator

import pytest

from core.config import TrainConfig
from core.errors import StoreError
from core.jobs.recorder import Recorder
from core.runs import catalogue, store
from core.runs.run import State
from tests.team.conftest import ROOT, Member, Server, serving

PASSWORD = "for tests alone"


@pytest.mark.parametrize("clock", [60, -60])
def test_a_member_whose_clock_is_wrong_by_a_minute_sees_who_is_alive(
    team: Server, member: Member, clock: float
) -> None:
    """A live run is not dead to it, a dead one not alive; its own runs live for the others."""
    alive = catalogue.create(TrainConfig(), "sample", name="alive")
    catalogue.move(alive.id, State.RUNNING)
    dead = catalogue.create(TrainConfig(), "sample", name="dead")
    catalogue.move(dead.id, State.RUNNING)
    catalogue.forfeit(dead.id)
    recorder = Recorder(alive)  # as its process has it
    recorder.start()
    code = (
        "from core.runs import catalogue; from core.config import TrainConfig;"
        "print({run.name: str(run.state) for run in catalogue.listed()});"
        "run = catalogue.create(TrainConfig(), 'sample', name='theirs');"
        "catalogue.move(run.id, 'running'); catalogue.renew(run.id)"
    )
    output, errors = member("boris", "-c", code, clock=clock).communicate(timeout=90)
    recorder.close()
    assert output == "{'dead': 'failed', 'alive': 'running'}\n", errors
    theirs = catalogue.find("theirs")
    assert theirs.state == State.RUNNING and abs(theirs.started - time.time()) < 30


def test_the_readmes_commands_start_the_servers_of_these_tests(
    team: Server, guarded: Server
) -> None:
    """Only addresses, folders and secrets differ, and the driver's name is in both."""
    lines = [
        line
        for line in (ROOT / "README.md").read_text().splitlines()
        if re.match(r"    (\w+=… )*mlflow server ", line)
    ]
    for line, server in zip(lines, (team, guarded), strict=True):
        assert "--backend-store-uri postgresql+psycopg2://" in line
        options = [word for word in line.split() if word.startswith("--")]
        assert set(options) <= set(map(str, server.process.args))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def guarded(database: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that wants a password, started as MLflow's own documentation says."""
    folder = tmp_path_factory.mktemp("guarded")
    with serving(
        *(database, "guarded", folder),
        **{"MLFLOW_FLASK_SERVER_SECRET_KEY": "for tests alone"},
        **{"MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD},
    ) as started:
        yield started


@pytest.mark.parametrize("password", ["", "not this one"])
def test_a_wrong_or_missing_password_is_called_one(
    guarded: Server, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    """The message asks for the password, and does not blame the network."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", guarded.address)
    monkeypatch.setenv(store.TIMEOUT, "20")
    if password:
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
    with pytest.raises(StoreError, match="a user name and a password") as caught:
        catalogue.listed()
    assert "Check the network" not in str(caught.value)


def test_with_the_right_password_the_store_is_there(
    guarded: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two variables that the message names are all it takes."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", guarded.address)
    monkeypatch.setenv(store.TIMEOUT, "20")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    run = catalogue.create(TrainConfig(), "sample")
    assert catalogue.listed() == [run]
