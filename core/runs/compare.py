"""Compare runs: a table of all runs, and the settings in which some of them differ."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.data.digits import TEST_IMAGES
from core.evaluation import metrics
from core.runs.run import Run
from core.runs.settings import Setting
from core.runs.settings import labels as setting_labels

if TYPE_CHECKING:  # pandas takes 0.4 s
    import pandas as pd


def table(found: list[Run]) -> "pd.DataFrame":
    """Return a table with a row for each run, in order; accuracies in [0, 1], `started` in UTC."""
    import pandas as pd

    rows = [
        {
            "run": run.id,
            "name": run.name,
            "state": str(run.state),
            "reason": run.reason,
            "warning": run.warning,
            "test_accuracy": run.test_accuracy,
            "test_low": test_interval(run)[0],
            "test_high": test_interval(run)[1],
            "validation_accuracy": run.validation_accuracy,
            "last_validation_accuracy": run.last_validation_accuracy,
            "best_epoch": run.best_epoch,
            "epochs": run.epochs,
            "train_seconds": run.train_seconds,
            "network": run.network,
            "parameters": run.parameters,
            "data": run.data,
            "author": run.author,
            "started": pd.Timestamp(run.started, unit="s", tz="UTC").floor("s"),
            "recipe": run.recipe,
            "seed": run.config.seed,
            "device": run.device,
            "precision": run.precision,
            "host": run.host,
            "note": run.note,
            "labels": ", ".join(_labels(run)),
        }
        for run in found
    ]
    kinds = {"parameters": "Int64", "best_epoch": "Int64"} | dict.fromkeys(_SHARES, "Float64")
    return pd.DataFrame(rows).astype(kinds)


def _labels(run: Run) -> tuple[str, ...]:
    """Return a run's labels, preceded by `pinned` and `archived` if it is."""
    marks = (("pinned", run.pinned), ("archived", run.archived))
    return (*(word for word, applies in marks if applies), *run.labels)


def arranged(found: Sequence[Run], archived: bool) -> list[Run]:
    """Return the runs with pinned ones first; archived ones are included only if `archived`."""
    kept = [run for run in found if archived or not run.archived]
    return sorted(kept, key=lambda run: not run.pinned)


_SHARES = (
    *("test_accuracy", "test_low", "test_high"),
    *("validation_accuracy", "last_validation_accuracy", "train_seconds"),
)


def settings_table(table: "pd.DataFrame", found: Sequence[Setting]) -> "pd.DataFrame":
    """Return a table of settings in order, made from a `table` of their runs.

    A row is that of the setting's first run, but accuracies and times are means over its seeds,
    `deviation` is the sample standard deviation of the test accuracy in [0, 1], and `runs` is the
    number of seeds. Only a setting with a single run has an interval.
    """
    import pandas as pd

    rows = table.set_index("run", drop=False).loc[[one.runs[0].id for one in found]]
    rows = rows.assign(name=setting_labels(found), deviation=pd.Series(dtype="Float64"), runs=1)
    for setting in found:
        if len(setting.runs) == 1:
            continue
        row, states = setting.runs[0].id, [str(run.state) for run in setting.runs]
        counts = [f"{states.count(state)} {state}" for state in dict.fromkeys(states)]
        rows.loc[row, "state"] = states[0] if len(counts) == 1 else ", ".join(counts)
        rows.loc[row, "reason"] = ""
        rows.loc[row, ["test_low", "test_high"]] = pd.NA
        rows.loc[row, "runs"] = len(setting.seeds)
        every = dict.fromkeys(word for run in setting.runs for word in _labels(run))
        rows.loc[row, "labels"] = ", ".join(every)
        for name in ("test_accuracy", "validation_accuracy", "train_seconds"):
            if spread := setting.spread(name):
                rows.loc[row, name] = spread.mean
                if name == "test_accuracy" and spread.deviation is not None:
                    rows.loc[row, "deviation"] = spread.deviation
    return rows.reset_index(drop=True)


def disagreements(
    first: NDArray[np.float32], second: NDArray[np.float32], truth: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Return the numbers of the images that exactly one of two networks reads right.

    `first` and `second` are their `(N, 10)` probabilities, `truth` the `(N,)` true digits. The most
    confident mistake comes first.
    """
    right = [one.argmax(1) == truth for one in (first, second)]
    found = np.flatnonzero(right[0] != right[1])
    loser = np.where(right[0][found, None], second[found], first[found])
    return found[np.argsort(-loser.max(1), kind="stable")]


def matching(table: "pd.DataFrame", text: str) -> "pd.DataFrame":
    """Return the rows of a `table` that contain every word of the text, ignoring case."""
    columns = zip(*(table[name].astype(str).str.lower() for name in _SEARCHED), strict=True)
    rows = ["\n".join(row) for row in columns]
    return table[[all(word in row for word in text.lower().split()) for row in rows]]


_SEARCHED = (
    *("name", "state", "reason", "warning", "network", "data", "author"),
    *("recipe", "device", "precision", "host", "note", "labels"),
)


def test_interval(run: Run) -> tuple[float | None, float | None]:
    """Return the 95 % Wilson interval of a run's test accuracy; (None, None) if it is untested."""
    count = TEST_IMAGES.get(run.data)
    if run.test_accuracy is None or count is None:
        return None, None
    return metrics.wilson(round(run.test_accuracy * count), count)


def labels(found: list[Run]) -> list[str]:
    """Return the runs' names; a name that occurs twice is followed by the start of the id."""
    names = [run.name for run in found]
    return [
        name if names.count(name) == 1 else f"{name} ({run.id[:6]})"
        for name, run in zip(names, found, strict=True)
    ]


Values = tuple[Any, ...]  # the values of a group's runs, each once; None if not known


def differing(groups: Mapping[str, Sequence[Run]]) -> dict[str, list[Values]]:
    """Return the settings and origins in which groups of runs differ, with each group's values.

    A value is None if it is not known or has no effect; if it is None in all groups, it is not a
    difference. The sizes of the training and validation sets are those of the data: see
    `Run.sizes`.
    """
    every = [run for members in groups.values() for run in members]
    names = {run.id: label for run, label in zip(every, labels(every), strict=True)}
    columns = [[_settings(run, names) for run in members] for members in groups.values()]
    rows = {
        name: [tuple(dict.fromkeys(one[name] for one in column)) for column in columns]
        for name in (columns[0][0] if columns else ())
    }
    return {name: values for name, values in rows.items() if len(set(values) - {(None,)}) > 1}


def _settings(run: Run, names: dict[str, str]) -> dict[str, Any]:
    """Return everything that a run's results depend on: configuration, data, device and code.

    `names` are the labels of the compared runs by id.
    """
    values = run.config.to_dict() | {"network": run.network}
    if run.sizes:
        values["train_size"], values["validation_size"] = run.sizes
    config = {name: value if run.knows(name) else None for name, value in values.items()}
    origin = {
        "fine-tuned from": names.get(run.taught_from, run.taught_from[:8]) or "no run",
        "my digits learned": run.taught_digits,
        "imported as": run.imported,
        "data": run.data,
        "data checksum": run.data_checksum[:8],
        "device used": run.device,
        "precision used": run.precision,
        "torch": run.versions.get("torch"),
        "commit": run.commit,
    }
    return config | {name: None if value == "" else value for name, value in origin.items()}
