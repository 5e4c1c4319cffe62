"""People's digits as a split: choose whose, and see whose handwriting a run reads worst."""

import streamlit as st

from core.my_digits import collection, hands
from core.my_digits.hands import Hand
from core.runs.run import Run
from ui import cache, format, keys, people

_EVERYBODY = "everybody"  # a choice besides people's tags
_ROWS = 6  # of the table; it scrolls beyond


def splits() -> list[str]:
    """Return the splits of people's digits: the visitor's own, if any, and the class's."""
    me = people.me()
    own = [collection.SPLIT] if collection.names(me.digits) else []
    others = any(hand.tag != me.tag for hand in hands.seen_by(me))
    return [*own, hands.SPLIT] if others else own


def choose() -> list[Hand]:
    """Show the choice of whose digits to use, everybody's or one person's; return their hands."""
    found = {hand.tag: hand for hand in hands.seen_by(people.me())}
    count = sum(len(hand.digits) for hand in found.values())
    titles = {_EVERYBODY: f"everybody · {count:,}"} | {
        tag: f"{hand.name} · {len(hand.digits):,}" for tag, hand in found.items()
    }
    if st.session_state.get(keys.WHOSE) not in titles:
        st.session_state[keys.WHOSE] = _EVERYBODY  # the chosen person's digits may be gone
    chosen = st.selectbox(
        "Whose digits",
        list(titles),
        key=keys.WHOSE,
        format_func=titles.__getitem__,
        help="Everybody who has saved digits and shares them.",
    )
    return list(found.values()) if chosen == _EVERYBODY else [found[chosen]]


def worst_first(run: Run, people: list[Hand]) -> None:
    """Show how well the run reads each person's digits, worst first, if there are several."""
    if len(people) < 2:
        return
    result, whose = cache.drawn(run, people)
    table = hands.table(people, whose, result.probabilities, result.labels)
    ranges = [format.interval(*ends) for ends in zip(table["low"], table["high"], strict=True)]
    st.header("Whose handwriting does it read worst?")
    st.dataframe(
        table.assign(interval=ranges, accuracy=100 * table["accuracy"]),
        key="worst-first",
        column_order=["name", "accuracy", "interval", "count", "mistake"],
        column_config={
            "name": "Name",
            "accuracy": st.column_config.ProgressColumn(
                "Accuracy", format="%.2f %%", min_value=0, max_value=100
            ),
            "interval": st.column_config.TextColumn(
                "95 % interval",
                help="The range in which the accuracy on many more digits by this person probably "
                "lies. Where two ranges overlap, the order may be chance.",
            ),
            "count": st.column_config.NumberColumn("Digits"),
            "mistake": st.column_config.TextColumn(
                "Most often", help="The most frequent mistake: truth → answer."
            ),
        },
        hide_index=True,
        height="content" if len(table) <= _ROWS else 35 * (_ROWS + 1) + 3,
    )
