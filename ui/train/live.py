"""A run in progress: curves, epochs, Stop. It reads the store; it never trains."""

from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import RunError
from core.figures.curves import learning_rate, training_curves
from core.jobs import request
from core.runs import membership
from core.runs.history import History
from core.runs.run import Run, State
from ui import cache, format, guards, keys, people, runs, setting_names, stop
from ui.components.chart import Live, chart
from ui.components.progress import door_answers, progress
from ui.inside import form
from ui.train import outcome, pair, settings

_ICONS = {
    State.QUEUED: ":material/hourglass:",
    State.RUNNING: ":material/play_circle:",
    State.FINISHED: ":material/check_circle:",
    State.STOPPED: ":material/stop_circle:",
    State.DIVERGED: ":material/trending_up:",
    State.FAILED: ":material/error:",
}

_OTHERS = 10  # seconds between two checks for other runs while the door tells of the one watched


def live() -> None:
    """Show the run that is being watched, and keep it up to date while it trains.

    If the browser gets new points from the door, the page is redrawn only when an epoch or a state
    changes, and otherwise every few seconds. A run that is over is drawn once; after that, only the
    list of runs in progress is checked.
    """
    active = runs.in_progress()
    run = _watched(active)
    if run is not None and not run.state.is_over:
        seconds = _seconds(run, active)
        st.fragment(_watch, run_every=seconds)(run.id, seconds)
        if seconds is None:
            guards.follow(active, _OTHERS)
    else:
        _over(run, active)
        guards.follow(active)


def _seconds(run: Run, active: list[Run]) -> int | None:
    return None if door_answers() else pace(active or [run])


def pace(active: list[Run]) -> int:
    """Return the seconds between two redraws for the first of the runs in progress.

    A redraw takes a quarter of a second of a core, mostly in the browser, and slows a training on
    two cores by as much. So a long run is redrawn less often.
    """
    run = active[0]
    if not (run.epochs and run.train_seconds):
        return 1
    expected = run.train_seconds / run.epochs * run.config.epochs
    return 1 if expected < 10 else 2 if expected < 60 else 5


def _watch(run_id: str, seconds: int | None) -> None:
    with guards.messages():
        active = runs.in_progress()
        run = _watched(active)
        if run is None or run.id != run_id or run.state.is_over:
            st.rerun()  # it ended, or another was chosen
        if _seconds(run, active) != seconds:
            st.rerun()  # it turned out to be long, or the door began or stopped answering
        _show(run, active)


@st.fragment
def _over(run: Run | None, active: list[Run]) -> None:
    with guards.messages():
        if run is None:
            st.info(
                "Nothing has been trained yet. Press Start: the first curve is there in seconds.",
                icon=":material/play_circle:",
            )
        else:
            _show(run, active)


def _show(run: Run, active: list[Run]) -> None:
    history, other = cache.history(run), pair.other(run)
    # The same number of containers in every state, so that charts are not mounted again at the end.
    drawn = _drawn(run, history)
    _headline(run, history, _last(drawn))
    outcome.outcome(run, history, other)
    _curves(run, drawn, other)
    with st.container():
        if any(other.id != run.id for other in active):
            _queue(active)
    if form.has_moments(run):  # last: it may take seconds
        _formed(run)


def _formed(run: Run) -> None:
    with st.expander(
        "How it formed", icon=":material/animation:", key=keys.FORMED, on_change="rerun"
    ) as box:
        if box.open:
            cache.wait_for_torch()
            form.form(run)


def _watched(active: list[Run]) -> Run | None:
    """Return the run chosen here, or else one in progress, or else the last that was trained.

    The visitor's own run in progress comes before a colleague's. Of a pair, the unfinished run
    comes first.
    """
    chosen = st.session_state.get(keys.WATCHED)
    if chosen is not None:
        pair_ids = st.session_state.get(keys.PAIR, ())
        wanted = [chosen, *pair_ids] if chosen in pair_ids else [chosen]
        if found := next((run for id in wanted for run in active if run.id == id), None):
            return found
        try:
            return runs.get(chosen)
        except RunError:  # somebody deleted it
            del st.session_state[keys.WATCHED]
    if active:
        return next((run for run in active if not _is_anothers(run)), active[0])
    return next((run for run in runs.known()[0] if not run.imported), None)


def _is_anothers(run: Run) -> bool:
    return membership.is_anothers(people.me(), run)


def _whose(run: Run) -> str:
    """Return who trains a run, and where, if it is somebody else."""
    if not _is_anothers(run):
        return ""
    where = "" if membership.is_here(run) else f" on {run.host}"
    return format.plain(f", by {run.author}{where}")


def _stop(run: Run, place: DeltaGenerator, key: str) -> None:
    """Show Stop if the visitor may stop the run; ask for confirmation if it is a colleague's."""
    if not people.me().may_change(run.owner):
        return
    if _is_anothers(run):
        place = place.popover("Stop …", icon=":material/stop:", key=f"ask-{key}")
        place.markdown(f"A colleague's run{_whose(run)}. Ask before you stop it.")
    stop.button(run, place, key)


def _drawn(run: Run, history: History) -> History:
    """Return the part of a run's history that the figures contain.

    The browser gets later steps from the door, so all who watch have the same figures of an epoch.
    """
    grows = not run.state.is_over and len(history.epochs) and door_answers()
    return history.of_whole_epochs() if grows else history


def _headline(run: Run, history: History, after: int) -> None:
    """Show name, state, progress and Stop, always with the same height (see ui/app.py).

    `after` is the last step that the figures have.
    """
    line = st.container(horizontal=True, vertical_alignment="center", wrap=False)
    line.markdown(f"## {_ICONS[run.state]} {format.plain(run.name)}")
    if run.state.is_over:
        # The run may be resumed later, and stopped again.
        st.session_state.pop(keys.stopping(run.id), None)
        _again(run, line)
    else:
        _stop(run, line, "stop")
    with st.container(key="live-state"):
        if run.state.is_over:
            st.markdown(format.unbroken(_result(run)))
        else:
            progress(run, after, history.speed, _waits(run))
        if run.warning:
            st.warning(format.plain(run.warning), icon=":material/warning:")


def _result(run: Run) -> str:
    """Return how a run ended, and its accuracies."""
    accuracy = (
        f"best epoch {run.best_epoch}: validation "
        f"**{format.percent(run.validation_accuracy)}**, test "
        f"**{format.percent(run.test_accuracy)}**, {format.duration(run.train_seconds)}"
        if run.best_epoch
        else "no epoch was completed"
    )
    reason = f" · {format.plain(run.reason.rstrip('.'))}" if run.reason else ""
    return f"{run.state.capitalize()}{reason} · {accuracy}"


def _again(run: Run, line: DeltaGenerator) -> None:
    """Offer to train with a run's settings again."""
    if not (run.taught_from or run.is_from_elsewhere) and line.button(
        "Train again",
        key="train-again",
        icon=":material/replay:",
        on_click=settings.take,
        args=[run.config, run.recipe],
        help="The same settings, with a seed that they were not trained with yet. "
        "The controls take these settings too.",
    ):
        pair.watch(request.start_again(run, people.me()))
        st.rerun()


def _waits(run: Run) -> str:
    """Return what a run without a step waits for."""
    if run.state == State.RUNNING:
        return "Loading the libraries and the digits …"
    before = runs.before(run)
    return f"Waits for its turn, {before} before it" if before else "Starting: loading PyTorch …"


def _last(history: History) -> int:
    """Return the last step that the curves have."""
    return int(history.steps["step"].max()) if len(history.steps) else 0


def _curves(run: Run, history: History, other: Run | None) -> None:
    met = format.plain(f"{run.device} {run.precision}")  # not known before it begins
    network = setting_names.shown("network", run.network)
    about = f"{network}, seed {run.config.seed}" + (f", {met}" if met else "")
    st.caption(about + _whose(run))
    logarithmic = st.toggle(
        "Logarithmic loss", help="Shows small differences late in a run as clearly as early ones."
    )
    marks = _mark(run, history), other and (other.id, other.epochs, other.name)
    for place, metric in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        logarithms = logarithmic and metric == "loss"
        figure = _figure(marks, metric, logarithms, run, history, other)
        with place:
            chart(figure, f"live-{metric}", height=320, live=_growth(run, history, metric))
    _epochs(run, history)
    figure = _figure(marks, "learning_rate", False, run, history, None)
    chart(figure, "live-rate", height=240, live=_growth(run, history, "learning_rate"))


def _mark(run: Run, history: History) -> tuple[str, int, int, bool]:
    """Return values that differ when a run's curves do."""
    return run.id, _last(history), len(history.epochs), run.state.is_over


@st.cache_resource(max_entries=50, show_spinner=False)
def _figure(
    marks: object,
    metric: str,
    logarithmic: bool,
    _run: Run,
    _history: History,
    _other: Run | None,
) -> dict[str, Any]:
    """Return a figure of the curves, made once however many watch; do not change it.

    `marks` are those of the run, and of the other run with its name.
    """
    if metric == "learning_rate":
        rate = _run.config.learning_rate
        return dict(learning_rate(_history, _run.config.epochs, rate).to_dict())
    beside = (_other.name, cache.history(_other)) if _other else None
    epochs = max(one.config.epochs for one in (_run, _other) if one)
    figure = training_curves(_history, metric, epochs, logarithmic, beside)
    figure.update_layout(uirevision=_run.id)  # another run has axes of its own
    return dict(figure.to_dict())


def _growth(run: Run, history: History, metric: str) -> Live | None:
    """Return the growing trace of a chart of the steps; None if the run is over."""
    return None if run.state.is_over else Live(run=run.id, metric=metric, after=_last(history))


def _epochs(run: Run, history: History) -> None:
    table = history.epochs.iloc[::-1]
    st.dataframe(
        table.assign(
            best=np.where(table["epoch"] == run.best_epoch, "✓", ""),
            validation_accuracy=100 * table["validation_accuracy"],
            train_accuracy=100 * table["train_accuracy"],
        ),
        column_order=[
            *("epoch", "best", "validation_accuracy", "validation_loss"),
            *("train_accuracy", "train_loss", "seconds"),
        ],
        column_config={
            "epoch": st.column_config.NumberColumn("epoch", width=60),
            "best": st.column_config.TextColumn("best", width=50),
            "validation_accuracy": st.column_config.NumberColumn("validation", format="%.2f %%"),
            "validation_loss": st.column_config.NumberColumn("loss", format="%.4f"),
            "train_accuracy": st.column_config.NumberColumn("training", format="%.2f %%"),
            "train_loss": st.column_config.NumberColumn("training loss", format="%.4f"),
            "seconds": st.column_config.NumberColumn("time", format="%.1f s"),
        },
        hide_index=True,
        height=240,
    )


def _queue(active: list[Run]) -> None:
    here = [run for run in active if membership.is_here(run)]
    elsewhere = [run for run in active if run not in here]
    for title, group in (("Queue", here), ("On other machines", elsewhere)):
        if group:
            st.markdown(f"**{title}**")
        _rows(group, numbered=group is here)


def _rows(group: list[Run], numbered: bool) -> None:
    for place, run in enumerate(group, 1):
        line = st.container(horizontal=True, vertical_alignment="center", wrap=False)
        number = f"{place}. " if numbered else ""
        line.markdown(f"{number}{_ICONS[run.state]} {format.plain(run.name)}{_whose(run)}")
        line.button(
            "Watch",
            key=f"watch-{run.id}",
            help="Show its curves.",
            on_click=pair.watch,
            args=[run],
        )
        _stop(run, line, f"stop-{run.id}")
