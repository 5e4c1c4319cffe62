"""On the Draw page: fit a network to the visitor's handwriting from My digits, and undo it."""

import streamlit as st

from core.data.splits import split_for
from core.errors import UserError
from core.jobs import limits
from core.my_digits import collection, fitted
from core.runs.run import Run
from ui import cache, format, people


def offer(run: Run) -> None:
    """Offer to fit the run's network to the visitor's handwriting, or to undo that."""
    if run.why_sealed:
        return
    me = people.me()
    path = fitted.path_for(run, me)
    labels = [collection.label_of(name) for name in collection.names(me.digits)]
    if path.exists():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("This network has learned your handwriting.", width="content")
            if not fitted.missing(labels) and fitted.is_older(path, me):
                _learn(run, "Learn again")
            st.button(
                "Forget it",
                key="unlearn",
                icon=":material/backspace:",
                on_click=fitted.undo,
                args=(run, me),
                help="Go back to the run's own network. Your digits stay.",
            )
    elif labels and not limits.is_demo():
        if needed := fitted.missing(labels):
            st.caption(
                f"With {fitted.NEEDED} of each digit in My digits, the network can learn your "
                f"handwriting. Still needed: {needed}."
            )
        else:
            _learn(run, "Learn my hand")


def _learn(run: Run, label: str) -> None:
    """Show the button; when it is clicked, learn and redraw the page."""
    if not st.button(
        label,
        key="learn",
        icon=":material/gesture:",
        help="Fit the network's last layer to My digits, in seconds. It then reads what you draw "
        "and upload; the run itself does not change.",
    ):
        return
    with st.spinner("Learning your handwriting …"):
        try:
            _fit(run)
        except UserError as error:
            st.error(format.message(error), icon=":material/error:")
            return
    st.rerun()


def _fit(run: Run) -> None:
    """Fit the network to the visitor's digits and the run's training data, and save it."""
    from core.my_digits import fitting

    digits, config = cache.digits_for(run), run.config
    chosen = split_for(digits, config.validation_size, config.train_size, config.seed)
    me = people.me()
    fitting.fit(run, cache.my_digits(me), digits.train_images[chosen.train], me)
