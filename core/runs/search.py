"""Search the store page by page."""

from collections.abc import Iterator
from typing import Any


def pages(client: Any, experiment: str, condition: str = "", **how: Any) -> Iterator[Any]:
    """Yield MLflow's entries of the runs that meet a condition, a page at a time.

    A page is requested only when it is needed. `how` is passed on to MLflow's `search_runs`.
    """
    token = None
    while True:
        page = client.search_runs([experiment], condition, page_token=token, **how)
        yield page
        token = page.token
        if not token:
            return
