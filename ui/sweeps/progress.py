"""A sweep's progress: best so far, history, parallel coordinates, importances, the trials."""

import pandas as pd
import streamlit as st

from core.figures import sweeps as figures
from core.sweeps import confirmation, search, settlement, sweep
from core.sweeps.space import Range, written
from core.sweeps.sweep import Outcome, Sweep
from ui import format, guards, keys, setting_names
from ui.components.chart import chart
from ui.sweeps import actions, confirmed

_EVERY = 3  # seconds between two updates of a sweep in progress


def choose() -> str | None:
    """Show the selection of a sweep, newest first; return its name, or None if there is none."""
    names = [one.name for one in sweep.listed()]
    if not names:
        return None
    if st.session_state.get(keys.SWEEP) not in names:
        st.session_state[keys.SWEEP] = names[0]
    return st.selectbox("Sweep", names, key=keys.SWEEP, persist_state="session")


def progress(name: str) -> None:
    """Show a sweep, and keep it up to date while it is in progress."""
    going = _goes_on(settlement.settled(name))
    st.fragment(_progress, run_every=_EVERY if going else None)(name, going)


def _progress(name: str, going: bool) -> None:
    with guards.messages():
        now = settlement.settled(name)
        _numbers(now)
        actions.show(now)  # before the rerun, which would lose a press
        if going and not _goes_on(now):
            st.rerun()  # nothing changes any more
        if now.confirming:
            confirmed.confirmed(now)
        if not any(one.reached for one in now.trials):
            st.info(
                "No trial has completed an epoch yet. A worker takes some seconds to load.",
                icon=":material/hourglass_empty:",
            )
            return
        chart(figures.history(now), key=f"sweep-history-{name}", height=320)
        st.subheader("Which settings did well", anchor=False)
        chart(
            figures.parallel_coordinates(now),
            key=f"sweep-parallel-{name}",
            height=350,
        )
        st.caption(  # not in the chart, whose height has no room for several lines on a phone
            "Each line is a trial; the most orange one did best. Drag along an axis to keep only "
            "the lines that pass there; click the axis to show all again."
        )
        if shares := search.importances(now):
            height = 130 + 32 * len(shares)
            chart(figures.importances(shares), key=f"sweep-importances-{name}", height=height)
        _table(now)


def _goes_on(now: Sweep) -> bool:
    """Return whether the sweep is still going to change."""
    if now.state in ("running", "waiting"):
        return True
    verdict = confirmation.verdict(now)
    return verdict is not None and not verdict.is_tested


def _numbers(now: Sweep) -> None:
    done = len(now.trials) - now.open
    of = f" of {now.plan.trials}" if now.plan.trials else ""
    words = [f"**{now.state.capitalize()}**", f"{done}{of} trials done"]
    if now.confirming:
        seeds = sum(not one.outcome.is_open for one in now.confirming)
        words.append(f"{seeds} of {len(now.confirming)} confirming runs done")
    words += [
        f"{count} {word}"
        for outcome, word in (
            (Outcome.RUNNING, "running"),
            (Outcome.PRUNED, "ended early"),
            (Outcome.WAITING, "to be tried again"),
            (Outcome.FAILED, "failed"),
        )
        if (count := now.count(outcome))
    ]
    st.markdown(" · ".join(words))
    if now.plan.trials:
        st.progress(min(done / now.plan.trials, 1.0))
    if best := now.best:
        settings = ", ".join(
            f"{field.replace('_', ' ')} {written(value)}" for field, value in best.settings.items()
        )
        st.metric("Best validation accuracy so far", format.percent(best.accuracy))
        st.caption(format.plain(f"Trial {best.number}: {settings}"))


def _table(now: Sweep) -> None:
    rows = [
        {
            "trial": one.number,
            "validation": None if one.best is None else 100 * one.best,
            "outcome": str(one.outcome),
            **one.settings,
            "reached": len(one.reached),
            "seconds": one.seconds or None,
            "attempts": one.attempts,
            "host": one.host,
        }
        for one in sorted(now.trials, key=lambda one: one.best or 0.0, reverse=True)
    ]
    st.subheader("Trials", anchor=False)
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height=min(38 + 35 * len(rows), 370),
        placeholder="–",
        key=f"sweep-trials-{now.name}",
        column_config={
            "trial": "Trial",
            "validation": st.column_config.NumberColumn("Best validation", format="%.2f %%"),
            "outcome": "Outcome",
            "reached": "Epochs done",
            "seconds": st.column_config.NumberColumn("Training time", format="%.1f s"),
            "attempts": "Attempts",
            "host": "Machine",
            **{
                field: st.column_config.NumberColumn(setting_names.title(field), format="%.4g")
                if isinstance(bounds, Range)
                else setting_names.title(field)
                for field, bounds in now.plan.space.items()
            },
        },
    )
    st.caption("Each trial is a run. Compare shows it with its curves, under the sweep's name.")
