"""One experiment in five steps: question, guess, run, what you see, why."""

from contextlib import suppress

import streamlit as st

from core.errors import ExperimentError, RunError
from core.experiments import course, definition, request
from core.experiments.course import Bars, Course, Dots, Finding, Lane
from core.experiments.definition import Experiment
from core.figures import experiments as figures
from core.jobs import labels, queue
from core.reading.answer import share
from ui import format, guards, keys, people, runs
from ui.components.chart import chart
from ui.components.tiles import strip
from ui.experiments.overview import choose

_EVERY = 1.0  # seconds between two updates of a course
_MOST_LANES = 4  # with up to this many runs, each run's curves are shown
_LINES = (
    "Blue: the training images, while it learns from them. Orange: the validation images, which it "
    "never learns from, after each epoch."
)


def lesson(experiment: Experiment, experiments: list[Experiment]) -> None:
    """Show one of the experiments."""
    place = experiments.index(experiment)
    st.title(experiment.title)
    _ways(place, experiments)
    found = _course(experiment)
    question, guess = st.columns([5, 4], gap="large")
    with question:
        st.markdown(experiment.question)
    with guess:
        _guess(experiment, locked=found is not None)
        _run(experiment, found)
    if found is None:
        return
    if found.over:
        _happening(experiment, found)
        _after(experiment, found, experiments[place + 1 : place + 2])
    else:
        st.fragment(_watch, run_every=_EVERY)(experiment)


def _ways(place: int, experiments: list[Experiment]) -> None:
    line = st.container(horizontal=True, vertical_alignment="center")
    line.button(
        "All experiments",
        key="all-experiments",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=choose,
        args=[None],
    )
    line.caption(f"{place + 1} of {len(experiments)}")


def _course(experiment: Experiment) -> Course | None:
    """Return the course that this session started, if it still exists."""
    name = st.session_state.get(keys.COURSES, {}).get(experiment.slug)
    return course.read(name, len(experiment.runs)) if name else None


def _guess(experiment: Experiment, locked: bool) -> None:
    guesses = st.session_state.setdefault(keys.GUESSES, {})
    guesses[experiment.slug] = st.radio(
        "Your guess",
        range(len(experiment.guesses)),
        index=guesses.get(experiment.slug),
        format_func=experiment.guesses.__getitem__,
        key=f"guess-{experiment.slug}",
        disabled=locked,
    )


def _run(experiment: Experiment, found: Course | None) -> None:
    going = found is not None and not found.over
    if st.button(
        "Run it again" if found and found.over else "Run it",
        key="run-experiment",
        type="primary" if found is None else "secondary",
        icon=":material/play_arrow:",
        disabled=going,
    ):
        courses = st.session_state.setdefault(keys.COURSES, {})
        courses[experiment.slug] = request.start(experiment, people.me())
        st.rerun()


def _watch(experiment: Experiment) -> None:
    with guards.messages():
        found = _course(experiment)
        if found is None or found.over:
            st.rerun()
        _happening(experiment, found)


def _happening(experiment: Experiment, found: Course) -> None:
    """Show the runs so far and the findings."""
    if not found.over:
        line = st.container(horizontal=True, vertical_alignment="center")
        line.markdown(_waits(experiment, found), width="content")
        line.button(
            "Cancel",
            key="cancel-experiment",
            icon=":material/close:",
            on_click=_cancel,
            args=[experiment],
            help="Stop the experiment. If a classmate started it, it continues for them.",
        )
    elif not found.problem:
        st.caption(f"Done in {format.duration(found.seconds)}.")
    if 1 < len(experiment.runs) <= _MOST_LANES:
        for number, column in enumerate(st.columns(len(experiment.runs), gap="small")):
            with column:
                _lane(experiment, found, number)
        st.caption(_LINES)
    _findings(experiment, found)


def _lane(experiment: Experiment, found: Course, number: int) -> None:
    part, lane = experiment.runs[number], found.lanes[number]
    st.markdown(f"**{part.name}**")
    chart(figures.lane(lane, part.config.epochs), f"lane-{number}", height=240)
    st.markdown(_told(lane))


def _waits(experiment: Experiment, found: Course) -> str:
    if found.begun:
        ended = sum(bool(lane.state) for lane in found.lanes)
        return f"Running: {ended} of {len(found.lanes)} are done."
    name = st.session_state[keys.COURSES][experiment.slug]
    before = queue.before(request.folder(), name)
    if not before:
        return "Starting: loading PyTorch …"
    behind = f", and {len(before) - 1} more after it" if len(before) > 1 else ""
    return f"Waiting until {_called(before[0])} has ended{behind}: one trains at a time."


def _called(waited_for: str) -> str:
    """Return a description of what is ahead in the queue, and a run's current epoch."""
    if waited_for.startswith(labels.TICKET):
        return "the search for suspicious labels"
    with suppress(ExperimentError):
        title = definition.find(waited_for.rpartition("-")[0]).title
        return f"the experiment *{format.plain(title)}*"
    try:
        run = runs.get(waited_for)
    except RunError:  # another visitor's, or about to end
        return "another training"
    epoch = f" (epoch {run.current_epoch} of {run.config.epochs})" if run.step else ""
    return f"the run *{format.plain(run.name)}*{epoch}"


def _cancel(experiment: Experiment) -> None:
    """Cancel the course if this visitor started it, and go back to the guess."""
    request.cancel(st.session_state[keys.COURSES].pop(experiment.slug), people.me())


def _told(lane: Lane) -> str:
    """Return one line about how a run ended, or how far it is."""
    if lane.state == "diverged":
        return f"Diverged: {format.plain(lane.reason.partition(',')[0])}."
    if not lane.epochs:
        return "&nbsp;"
    _, training, validation = lane.epochs[-1]
    return f"validation **{share(validation)}**, training {share(training)}"


def _findings(experiment: Experiment, found: Course) -> None:
    """Show the findings, two in a row; if there is only one run, its curves come first."""
    shown: list[Finding | None] = [*found.findings.values()]
    if len(experiment.runs) == 1:
        shown.insert(0, None)
    for start in range(0, len(shown), 2):
        alone = len(shown) == 1 and shown[0] is not None
        places = [st.container()] if alone else st.columns(2, gap="medium")
        for number, (place, finding) in enumerate(
            zip(places, shown[start : start + 2], strict=False), start
        ):
            with place:
                if finding is None:
                    _lane(experiment, found, 0)
                    st.caption(_LINES)
                else:
                    _finding(finding, number)


def _finding(finding: Finding, number: int) -> None:
    if isinstance(finding, Bars):
        chart(figures.bars(finding), f"finding-{number}", height=340)
    elif isinstance(finding, Dots):
        chart(figures.dots(finding), f"finding-{number}", height=360)
    else:
        st.markdown(f"**{format.unbroken(finding.title)}**")
        strip(finding.pixels(), finding.captions, columns=finding.columns, width=96)


def _after(experiment: Experiment, found: Course, following: list[Experiment]) -> None:
    """Show the guess beside what happened, and the experiment's texts."""
    if found.problem:
        raise ExperimentError(found.problem)
    done = st.session_state.setdefault(keys.EXPERIMENTS_DONE, [])
    if experiment.slug not in done:
        done.append(experiment.slug)
    guess, see, why = st.columns([2, 3, 4], gap="large")
    with guess:
        st.markdown("## Your guess")
        _verdict(experiment)
    with see:
        st.markdown("## What you see")
        st.markdown(experiment.see)
    with why:
        st.markdown("## Why")
        st.markdown(experiment.why)
        if experiment.read_on:
            st.caption(f"Read on: {experiment.read_on}")
    line = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    for other in following:
        line.button(
            f"Next: {other.title}",
            key="next-experiment",
            type="primary",
            icon=":material/arrow_forward:",
            on_click=choose,
            args=[other.slug],
        )
    with line.container(width="content"):
        st.page_link(
            "../pages/evaluate.py",
            label="See which digits a network misreads",
            icon=":material/fact_check:",
        )


def _verdict(experiment: Experiment) -> None:
    guess = st.session_state[keys.GUESSES].get(experiment.slug)
    right = experiment.guesses[experiment.answer]
    if guess is None:
        st.markdown(f"You did not guess. What happened: *{right}*")
    elif guess == experiment.answer:
        st.markdown(f":green[:material/check_circle:] *{right}* You were right.")
    else:
        st.markdown(f"*{experiment.guesses[guess]}* No, not this time. What happened: *{right}*")
