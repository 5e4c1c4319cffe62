"""The best settings again with other seeds: a table, the verdict, and the winner's test."""

import pandas as pd
import streamlit as st

from core.sweeps import confirmation
from core.sweeps.space import written
from core.sweeps.sweep import Sweep
from ui import format, setting_names


def confirmed(now: Sweep) -> None:
    """Show the settings that are being confirmed, best first, and the verdict."""
    st.subheader("The best settings, with other seeds", anchor=False)
    rows = [
        {
            "Trial": one.number,
            "Validation": format.spread(one.spread),
            "Seeds": f"{len(one.accuracies)} of {len(one.seeds)}",
            **{setting_names.title(field): written(value) for field, value in one.settings.items()},
        }
        for one in confirmation.confirmed(now)
    ]
    verdict = confirmation.verdict(now)
    if verdict:
        st.markdown(f"**{verdict.sentence}**")
        tested = verdict.tested
        st.metric(
            f"Test accuracy of trial {verdict.winner.number}",
            format.spread(tested) if tested else "being read",
        )
    elif now.state == "finished":
        st.markdown("None of these settings finished with every seed, so none has won.")
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, height="content", key=f"sweep-confirmed-{now.name}"
    )
    st.caption(
        "Mean ± standard deviation of the validation accuracy, with seeds that did not choose the "
        "settings. The two best are compared by Welch's t test. Only the winner is tested."
    )
