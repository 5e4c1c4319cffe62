"""Find a number for a new run among those of the same base name, without reading them all."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # mlflow takes 1.5 s: it is loaded when the store is first used
    from mlflow import MlflowClient

_NEWEST = 20  # runs whose numbers are checked


def next_name(client: "MlflowClient", experiment: str, base: str) -> str:
    """Return base-N, where N is above the numbers of the newest runs and not in use."""
    pattern = re.compile(rf"{re.escape(base)}-(\d+)")
    newest = client.search_runs(
        [experiment],
        f"attributes.run_name LIKE '{base}-%'",
        order_by=["attributes.start_time DESC"],
        max_results=_NEWEST,
    )
    taken = [int(match[1]) for run in newest if (match := pattern.fullmatch(run.info.run_name))]
    number = max(taken, default=0) + 1
    if len(newest) < _NEWEST:  # these are all
        return f"{base}-{number}"
    while client.search_runs(
        [experiment], f"attributes.run_name = '{base}-{number}'", max_results=1
    ):
        number += 1
    return f"{base}-{number}"
