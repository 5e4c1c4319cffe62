"""Compare runs: a table of all runs, and the settings in which some of them differ."""

from typing import TYPE_CHECKING, Any

from core.evaluation import metrics
from core.runs.run import Run

if TYPE_CHECKING:  # pandas takes 0.4 s
    import pandas as pd


TEST_IMAGES = {"mnist": 10_000, "sample": 1_000}  # by `Run.data`


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
            "network": run.config.network,
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
        }
        for run in found
    ]
    kinds = {"parameters": "Int64", "best_epoch": "Int64"} | dict.fromkeys(_SHARES, "Float64")
    return pd.DataFrame(rows).astype(kinds)


_SHARES = (
    *("test_accuracy", "test_low", "test_high"),
    *("validation_accuracy", "last_validation_accuracy", "train_seconds"),
)


def matching(table: "pd.DataFrame", text: str) -> "pd.DataFrame":
    """Return the rows of a `table` that contain every word of the text, ignoring case."""
    columns = zip(*(table[name].astype(str).str.lower() for name in _SEARCHED), strict=True)
    rows = ["\n".join(row) for row in columns]
    return table[[all(word in row for word in text.lower().split()) for row in rows]]


_SEARCHED = (
    *("name", "state", "reason", "warning", "network", "data", "author"),
    *("recipe", "device", "precision", "host", "note"),
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


_UNKNOWN = "–"


def differing(found: list[Run]) -> "pd.DataFrame":
    """Return the settings and origins in which the runs differ: a row for each, a column a run.

    Values are text. A value that is not known yet is a dash, and does not count as a difference.
    """
    import pandas as pd

    names = {run.id: label for run, label in zip(found, labels(found), strict=True)}
    columns = {
        label: _settings(run, names) for run, label in zip(found, labels(found), strict=True)
    }
    settings = pd.DataFrame(columns).rename_axis("setting")
    return settings[settings.where(settings != _UNKNOWN).nunique(axis=1) > 1]


def _settings(run: Run, names: dict[str, str]) -> dict[str, str]:
    """Return all that a run's results depend on: configuration, data, device and code, as text.

    `names` are the labels of the compared runs by id.
    """
    origin = {
        "fine-tuned from": names.get(run.taught_from, run.taught_from[:8]) or "no run",
        "my digits learned": run.taught_digits,
        "data": run.data,
        "data checksum": run.data_checksum[:8],
        "device used": run.device,
        "precision used": run.precision,
        "torch": run.versions.get("torch", ""),
        "commit": run.commit,
    }
    return {name: _text(value) for name, value in (run.config.to_dict() | origin).items()}


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value) or _UNKNOWN
