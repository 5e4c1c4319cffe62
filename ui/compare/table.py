"""The table of runs: filter, sort, choose columns, and select runs."""

import hashlib
import os
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import streamlit as st

from core.runs import compare, settings
from core.runs.run import Run
from ui import format, guards, keys, runs, setting_names

_DEFAULT = (
    *("name", "runs", "state", "warning", "test_accuracy", "deviation", "validation_accuracy"),
    *("network", "parameters", "data", "epochs", "train_seconds", "author", "started", "labels"),
)
_NAMES = {
    "name": "Name",
    "runs": "Seeds",
    "state": "State",
    "test_accuracy": "Test",
    "deviation": "Deviation",
    "interval": "95 % interval",
    "validation_accuracy": "Best validation",
    "last_validation_accuracy": "Last validation",
    "network": "Network",
    "parameters": "Parameters",
    "data": "Data",
    "epochs": "Epochs",
    "best_epoch": "Best epoch",
    "train_seconds": "Training time",
    "author": "Author",
    "started": "Started",
    "warning": "Warning",
    "recipe": "Recipe",
    "seed": "Seed",
    "device": "Device",
    "precision": "Precision",
    "host": "Host",
    "note": "Note",
    "labels": "Labels",
}


def controls(found: list[Run]) -> list[str] | None:
    """Show filter, grouping, columns and download; return the columns, if they were chosen."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Filter",
            key=keys.RUN_FILTER,
            persist_state="session",
            width=420,
            placeholder="words, such as: mlp finished",
            help="Show only the runs that have all of these words in their row. To sort, click a "
            "column's header.",
        )
        st.toggle(
            "Each run by itself",
            key=keys.APART,
            persist_state="session",
            help="Runs that differ only in their seed share a row, which shows their mean. Switch "
            "this on to give each run its own row.",
        )
        st.toggle(
            "Archived",
            key=keys.ARCHIVED,
            persist_state="session",
            help="Show archived runs too. You can archive, pin and label runs under Edit.",
        )
        with st.popover("Columns", icon=":material/view_column:"):
            columns = st.multiselect(
                "Columns",
                list(_NAMES),
                format_func=_NAMES.__getitem__,
                key=keys.RUN_COLUMNS,
                persist_state="session",
                placeholder="those that differ",
                help="The columns of the table, in this order.",
            )
        st.download_button(
            "CSV",
            lambda: _csv(found),
            "runs.csv",
            "text/csv",
            key="runs-csv",
            icon=":material/download:",
            on_click="ignore",
            help="Download all runs with all columns; accuracies are between 0 and 1.",
        )
    return columns or None


def _differing(shown: pd.DataFrame) -> list[str]:
    """Return the default columns, without those that are empty or the same in every row."""
    always = {"name", "test_accuracy", "validation_accuracy", "started"}
    return [
        name
        for name in _DEFAULT
        if name in always or (shown[name].nunique() > 1 and len(shown) > 1)
    ]


def _csv(found: list[Run]) -> str:
    every = compare.table(found)
    text = every.select_dtypes(["object", "string"]).columns
    return str(every.assign(**every[text].map(format.cell)).to_csv(index=False))


def table(columns: list[str] | None, live: bool) -> None:
    """Show the runs, updated every two seconds if `live`, and store the selection."""
    st.fragment(_table, run_every=2 if live else None)(columns)


@st.fragment(run_every=1)
def older_runs() -> None:
    """Say that the rest of a large store is being read, and redraw the page with it."""
    with guards.messages():
        found, complete = runs.known()
        if complete:
            st.rerun()
        st.caption(f":material/hourglass: {len(found):,} runs so far; older ones are loading.")


def _table(columns: list[str] | None) -> None:
    with guards.messages():  # a fragment's own reruns do not go through the app's messages()
        _rows(columns)


def _rows(columns: list[str] | None) -> None:
    found = runs.listed_with_builtin()
    found = compare.arranged(found, bool(st.session_state.get(keys.ARCHIVED)))
    every = compare.table(found)
    matching = _matching(every)
    matched = set(matching["run"])
    groups = together([run for run in found if run.id in matched])
    shown = _readable(compare.settings_table(matching, groups))
    if shown.empty:
        st.info("No run matches all of these words. Remove some.", icon=":material/filter_alt_off:")
        return
    members = [[run.id for run in group.runs] for group in groups]
    chosen = list(st.session_state.get(keys.COMPARED, []))
    # The selection is by row number, so the table gets a new key when its rows change. As long as
    # its key stays the same, its default must too: a new default would undo a click in transit.
    content = "|".join("".join(ids) for ids in members)
    key = "runs-" + hashlib.blake2b(content.encode(), digest_size=8).hexdigest()
    before = [row for row, ids in enumerate(members) if not set(chosen).isdisjoint(ids)]
    if key not in st.session_state:
        st.session_state[keys.TICKED] = {"selection": {"rows": before}}
    event = st.dataframe(
        shown,
        column_order=columns or _differing(shown),
        column_config=_COLUMNS | {"state": _state(any(shown["reason"]))},
        hide_index=True,
        height=min(38 + 35 * len(shown), 248 if chosen else 370),  # keeps the chart in sight
        placeholder="–",
        key=key,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default=st.session_state[keys.TICKED],
    )
    ticked = [row for row in event.selection.rows if row < len(members)]
    dropped = {run_id for row in before if row not in ticked for run_id in members[row]}
    there = set(every["run"])
    now = [run_id for run_id in chosen if run_id in there and run_id not in dropped]
    now += [run_id for row in ticked if row not in before for run_id in members[row]]
    if now != chosen:
        st.session_state[keys.COMPARED] = now
        st.rerun()  # updates the page below the table


def _matching(every: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that contain every word of the filter, in networks' names or titles too."""
    both = every["network"].map(lambda name: f"{name} {setting_names.shown('network', name)}")
    words = st.session_state.get(keys.RUN_FILTER) or ""
    return every.loc[compare.matching(every.assign(network=both), words).index]


def together(found: list[Run]) -> list[settings.Setting]:
    """Group the runs by setting, or keep each by itself if the page shows them so."""
    if st.session_state.get(keys.APART):
        return [settings.Setting(run.id, (run,)) for run in found]
    return settings.grouped(found)


def _readable(every: pd.DataFrame) -> pd.DataFrame:
    """Return the table for display: percentages, local time, and the reason after the state."""
    low, high = 100 * every["test_low"], 100 * every["test_high"]
    local = datetime.now().astimezone().tzinfo
    return every.assign(
        network=every["network"].map(lambda name: setting_names.shown("network", name)),
        state=every["state"].where(every["reason"] == "", every["state"] + ": " + every["reason"]),
        interval=[
            None if pd.isna(a) else f"{a:.2f}–{b:.2f}" for a, b in zip(low, high, strict=True)
        ],
        started=every["started"].dt.tz_convert(local).dt.tz_localize(None),
        deviation=100 * every["deviation"],
        train_seconds=pd.to_timedelta(every["train_seconds"].astype(float).round(), unit="s"),
        **{name: 100 * every[name] for name in every if name.endswith("accuracy")},
    )


def _share(name: str, help: str) -> Any:
    return st.column_config.NumberColumn(_NAMES[name], format="%.2f %%", help=help)


def _state(reasons: bool) -> Any:
    return st.column_config.TextColumn(
        "State", width=210 if reasons else None, help="The state, and the reason for it, if any."
    )


_COLUMNS = {
    **{name: st.column_config.TextColumn(label) for name, label in _NAMES.items()},
    "name": st.column_config.TextColumn("Name", pinned=True),
    "test_accuracy": _share("test_accuracy", "Measured once, at the end, with the best epoch."),
    "validation_accuracy": _share(
        "validation_accuracy", "Of the best epoch, which was chosen by this accuracy."
    ),
    "runs": st.column_config.NumberColumn(
        "Seeds", help="Runs that differ only in their seed. Test and validation are their means."
    ),
    "deviation": st.column_config.NumberColumn(
        "±", format="%.2f %%", help="Standard deviation of the test accuracy over the seeds."
    ),
    "last_validation_accuracy": _share("last_validation_accuracy", "Of the last epoch."),
    "parameters": st.column_config.NumberColumn("Parameters", format="%,d"),
    "epochs": st.column_config.NumberColumn("Epochs", help="Completed epochs."),
    "best_epoch": st.column_config.NumberColumn("Best epoch"),
    "train_seconds": st.column_config.NumberColumn(
        "Training time", format="localized", help="Time spent in the training loop."
    ),
    "started": st.column_config.DatetimeColumn("Started", format="D MMM, HH:mm"),
    "seed": st.column_config.NumberColumn("Seed", format="%d"),
}


def store_description() -> str:
    """Say which store the runs are in, without a password in its address."""
    if address := os.environ.get("MLFLOW_TRACKING_URI"):
        parts = urlsplit(address)
        return f"The team's runs, from {parts.hostname or parts.path}."
    return "The runs on this machine."
