"""A selected run in one line: its result, and buttons to evaluate, edit or delete it."""

from dataclasses import replace

import streamlit as st

from core.errors import ChangedError
from core.runs import actions, compare
from core.runs.run import Run
from core.runs.settings import Setting
from core.runs.store import is_shared
from ui import export, format, guards, keys, people


def show_setting(label: str, setting: Setting, color: str) -> None:
    """Show a setting's run, or if there are several, an expander with all of them."""
    if len(setting.runs) == 1:
        show_run(setting.runs[0], color)
        return
    runs, seeds = len(setting.runs), len(setting.seeds)
    count = f"{seeds} seeds" if seeds > 1 else f"{runs} runs of one seed"
    parts = [f"**{format.plain(label)}** · {count}"]
    for name, title in (("test_accuracy", "test"), ("validation_accuracy", "validation")):
        if spread := setting.spread(name):
            parts.append(f"{title} {format.spread(spread)}")
    line = st.container(horizontal=True, vertical_alignment="center", wrap=False)
    line.html(f'<span style="color: {color}">■</span>', width="content")
    with line.expander(" · ".join(parts)):
        for run in setting.runs:
            show_run(run, color)


def show_run(run: Run, color: str) -> None:
    """Show a run's result, reason, warning and note, with its buttons."""
    row = st.container(horizontal=True, vertical_alignment="center")
    with row.container(
        horizontal=True, vertical_alignment="center", wrap=False, key=f"line-{run.id}"
    ):
        # HTML for the color only: user text goes through Markdown, escaped.
        st.html(f'<span style="color: {color}">■</span>', width="content")
        st.markdown(_summary(run), width="stretch")
    with row.container(horizontal=True, wrap=False, width="content"):
        if st.button(
            "Evaluate",
            key=f"evaluate-{run.id}",
            icon=":material/fact_check:",
            disabled=run.best_epoch is None,
            help="See which digits it gets wrong."
            if run.best_epoch
            else "It has no network, since it completed no epoch.",
        ):
            st.session_state[keys.RUN] = run.id
            st.switch_page("../pages/evaluate.py")
        export.button(run)
        if not run.is_builtin and people.me().may_change(run.owner):
            with st.popover("Edit", icon=":material/edit:", key=f"edit-{run.id}"):
                _edit(run)


def _summary(run: Run) -> str:
    low, high = compare.test_interval(run)
    parts = []
    if low is not None and high is not None:
        interval = format.interval(low, high)
        parts.append(f"test {format.percent(run.test_accuracy)} :gray[({interval})]")
    elif run.validation_accuracy is not None:
        parts.append(f"validation {format.percent(run.validation_accuracy)}")
    if run.train_seconds is not None:
        parts.append(format.duration(run.train_seconds))
    parts.append(f"{run.state}: {format.plain(run.reason)}" if run.reason else str(run.state))
    title = f"**{format.plain(run.name)}** · "
    below = ""
    if run.warning:
        below += f"  \n:orange[:material/warning: {format.plain(run.warning)}]"
    if run.labels:
        below += f"  \n:material/label: {format.plain(', '.join(run.labels))}"
    if run.note:
        below += f"  \n:gray[{format.plain(run.note)}]"
    return title + " · ".join(parts) + below


def _edit(run: Run) -> None:
    """Show the form that edits a run; it remembers the values that it showed first."""
    if f"name-{run.id}" not in st.session_state:  # the form is new on this page
        texts = {"name": run.name, "note": run.note, "labels": ", ".join(run.labels)}
        st.session_state[keys.editing(run.id)] = texts, dict(texts)
    shown, seen = st.session_state[keys.editing(run.id)]
    with st.form(f"form-{run.id}", border=False):
        name = st.text_input(
            "Name",
            shown["name"],
            max_chars=80,
            key=f"name-{run.id}",
            help="The run's name in lists and charts.",
        )
        note = st.text_area(
            "Note", shown["note"], key=f"note-{run.id}", help="A remark, stored with the run."
        )
        labels = st.text_input(
            "Labels",
            shown["labels"],
            key=f"labels-{run.id}",
            placeholder="such as: talk, baseline",
            help="Your own words, separated by commas. The filter finds them.",
        )
        if st.form_submit_button("Save", key=f"save-{run.id}", icon=":material/save:"):
            typed = {"name": name.strip(), "note": note.strip(), "labels": labels.strip()}
            _save(run, typed, seen)
    with st.container(horizontal=True):
        _toggle(run, "pin", run.pinned, "Keep it at the top of the table.")
        _toggle(run, "archive", run.archived, "Remove it from the table, without deleting it.")
    if st.button(
        "Delete …",
        key=f"delete-{run.id}",
        icon=":material/delete:",
        disabled=not run.state.is_over,
        help="Asks for confirmation." if run.state.is_over else "Stop the run first.",
    ):
        st.session_state[keys.DELETING] = run.id
    if st.session_state.get(keys.DELETING) == run.id:
        _confirm(run)


def _save(run: Run, typed: dict[str, str], seen: dict[str, str]) -> None:
    """Save only the fields in which `typed` differs from what the person has `seen`."""
    as_seen = replace(
        run,
        name=seen["name"],
        note=seen["note"],
        labels=tuple(seen["labels"].split(", ")) if seen["labels"] else (),
    )
    change = {"name": actions.rename, "note": actions.note, "labels": actions.label}
    conflicts = False
    for field, text in typed.items():
        if text != seen[field]:
            try:
                change[field](people.me(), as_seen, text)
                seen[field] = text
            except ChangedError as error:
                seen[field], conflicts = error.now, True
                st.warning(format.message(error), icon=":material/edit_note:")
    if not conflicts:
        st.rerun()


def _toggle(run: Run, action: str, active: bool, help: str) -> None:
    """Show the button that pins or archives a run, or undoes it."""
    word, icon = action.capitalize(), {"pin": "keep", "archive": "archive"}[action]
    if st.button(
        f"Un{action}" if active else word,
        key=f"{action}-{run.id}",
        icon=f":material/{icon}{'_off' if active and action == 'pin' else ''}:",
        help=help,
    ):
        getattr(actions, action)(people.me(), run, not active)
        st.rerun()


def _cancel() -> None:
    st.session_state.pop(keys.DELETING, None)


@st.dialog("Delete this run?", icon=":material/delete:", on_dismiss=_cancel)
def _confirm(run: Run) -> None:
    st.markdown(
        f"**{format.plain(run.name)}** will be deleted permanently, with its network, answers and "
        "curves."
    )
    if is_shared():
        st.caption("The team's server only hides its entry, until `mlflow gc` is run there.")
    with guards.messages(), st.container(horizontal=True):
        delete = st.button("Delete", key=f"really-{run.id}", type="primary")
        if delete or st.button("Cancel", key=f"keep-{run.id}"):
            _cancel()
            if delete:
                actions.delete(people.me(), run)
            st.rerun()
