"""The built-in network: files in the repository, presented as a run.

`python -m tools.make_builtin` makes them. No torch here, so that pages can list it at once.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.config import config_from
from core.evaluation.calibration import Calibration
from core.runs.run import Run, State

if TYPE_CHECKING:  # pandas takes 0.4 s
    import pandas as pd


_HERE = Path(__file__).parent
WEIGHTS, FACTS, CARD = (_HERE / f"builtin.{ending}" for ending in ("pt", "json", "md"))


@lru_cache(maxsize=1)
def facts() -> dict[str, Any]:
    """Return the facts about the built-in network.

    `run`: the fields of a Run; `epochs`: its training metrics by epoch; `bytes`: the size of
    WEIGHTS; `sample_accuracy`: in [0, 1], on the sample's test images; `ink`: how well it reads
    people's own digits, in words.
    """
    content: dict[str, Any] = json.loads(FACTS.read_text())
    return content


def run() -> Run:
    """Return the built-in network as a finished run that is in no store."""
    fields = facts()["run"]
    known = {
        "state": State(fields["state"]),
        "config": config_from(fields["config"]),
        "calibration": Calibration(**fields["calibration"]),
    }
    return Run(**(fields | known))


def epochs() -> "pd.DataFrame":
    """Return its training metrics, in the form of `runs.History.epochs`."""
    import pandas as pd

    return pd.DataFrame(facts()["epochs"])
