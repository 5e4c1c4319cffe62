"""The machine that figures are measured on, and the files that keep them."""

import json
import platform
import re
import resource
from importlib.metadata import version
from pathlib import Path
from typing import Any

from core.data import mnist
from core.training import device

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """Return processor, device, precision and versions."""
    chosen = device.choose()
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "device": f"{chosen.kind}: {chosen.name}",
        "precision": chosen.precision,
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "streamlit", "numpy")},
    }


def peak_bytes() -> int:
    """Return the most memory that this process had resident.

    On Linux from its own status: getrusage's figure is at least what its parent had.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes, on a Mac
    [kilobytes] = re.findall(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE)
    return 1024 * int(kilobytes)


def need_mnist() -> None:
    """End with a message unless the full MNIST is in use."""
    if mnist.source() != "mnist":
        raise SystemExit("This needs the full MNIST: set DIGITLAB_DATA, or download it.")


def keep(name: str, results: dict[str, Any]) -> None:
    """Write results, with the machine, to benchmarks/results/NAME.json."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine(), **results}, indent=2)
    (RESULTS / f"{name}.json").write_text(text + "\n")


def table(rows: list[list[str]]) -> str:
    """Return rows, the first its head, as a Markdown table."""
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *body])


def percent(share: float) -> str:
    """Return 0.9931 as 99.31 %."""
    return f"{share:.2%}".replace("%", " %")


def seconds(number: float) -> str:
    """Return seconds with as many digits as can be believed."""
    return (
        f"{number:.2f} s"
        if number < 10
        else f"{number:.1f} s"
        if number < 100
        else f"{number:.0f} s"
    )
