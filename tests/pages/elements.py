"""Elements of a page, found by content or label, never by position."""

from collections.abc import Iterable
from typing import Any

from streamlit.testing.v1 import AppTest


def only(elements: Iterable[Any]) -> Any:
    """Return the only element of a kind; with none, or several, the test fails."""
    [element] = elements
    return element


def metric(page: AppTest, label: str) -> Any:
    """Return the metric with this label."""
    return only(one for one in page.metric if one.label == label)


def table_with(page: AppTest, column: str) -> Any:
    """Return the only table that has this column."""
    return only(one for one in page.dataframe if column in one.value.columns)
