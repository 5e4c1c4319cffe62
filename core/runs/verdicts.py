"""The results of significance tests in words: a phrase to set in bold, and the rest of the text."""

from core.evaluation import significance
from core.runs import formatting
from core.runs.settings import Setting

WELCH = (
    "Welch's t test of the test accuracies, two-sided, one number per seed. It says whether a "
    "setting is better whatever the seed; to choose between settings, use validation. Of twenty "
    "comparisons between equals, about one looks significant by chance."
)
MCNEMAR = (
    "Exact McNemar test on the test images that only one of the two gets right. It compares "
    "these two trained networks; training again with another seed gives a different network."
)


def row(
    label: str, setting: Setting, seeds: significance.Seeds | None, is_baseline: bool
) -> dict[str, str]:
    """Return a setting's row: mean, deviation, n, and the difference from the baseline."""
    spread = setting.spread("test_accuracy")
    difference = _points(seeds.difference) if seeds else "–"
    if is_baseline:
        difference = "baseline"
    return {
        "setting": label,
        "test accuracy": formatting.spread(spread),
        "validation": formatting.spread(setting.spread("validation_accuracy")),
        "seeds tested": str(spread.n if spread else 0),
        "difference, points": difference,
        "95 % interval": f"{_points(seeds.low)} to {_points(seeds.high)}" if seeds else "–",
        "p": _p(seeds.p_value) if seeds else "–",
    }


def _points(difference: float) -> str:
    """Return a difference of accuracies in percentage points, with a true minus sign."""
    return f"{100 * difference:+.2f}".replace("-", "−")


def _p(value: float) -> str:
    return "< 0.0001" if value < 1e-4 else f"{value:.2g}"


def of_settings(seeds: significance.Seeds | None, label: str, baseline: str) -> tuple[str, str]:
    """Return the result of Welch's test, and how many runs would say more."""
    if seeds is None:
        return label, (
            f" and {baseline} cannot be compared yet: that takes at least two tested seeds of "
            "each, with different results. Train them again."
        )
    chance = f"p {'' if seeds.p_value < 1e-4 else '= '}{_p(seeds.p_value)}"
    if seeds.p_value < significance.LEVEL:
        better = "better" if seeds.difference > 0 else "worse"
        return f"{label} is significantly {better} than {baseline}", f" ({chance})."
    needed = (
        f"to find one as large as the one measured, it takes {seeds.needed} seeds of each"
        if seeds.needed
        else "to find one as small as the one measured, it takes more than 200 seeds of each"
    )
    return f"Between {label} and {baseline} the difference may be chance", (
        f" ({chance}). With this many seeds, the test finds a true difference of "
        f"{100 * seeds.detectable:.2f} percentage points four times out of five; {needed}."
    )


def of_networks(paired: significance.Paired, first: str, second: str) -> tuple[str, str]:
    """Return the result of McNemar's test."""
    a, b, p = paired.only_first, paired.only_second, paired.p_value
    if a < b:
        first, second, a, b = second, first, b, a
    chance = "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"
    if a + b == 0:
        return "No difference", f": {first} and {second} get exactly the same test images right."
    alone = f"alone gets {a:,} test images right, {second} alone {b:,}"
    if p < significance.LEVEL:
        return f"{first} is significantly better than {second}", f" ({chance}): it {alone}."
    return "The difference may be chance", f" ({chance}): {first} {alone}."
