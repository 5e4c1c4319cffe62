"""The memory and the processor's time of a server and of the processes that it started."""

import os
import re
from collections.abc import Callable
from pathlib import Path


def resident(pid: int) -> float:
    """Return a process's resident memory in MB (10^6 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024 / 1e6
    raise SystemExit("This measures memory through /proc, on Linux.")


def of_server(pid: int) -> dict[str, float]:
    """Return the MB resident in the server and in its largest child, and of all together.

    In the last, what several processes have in common counts once.
    """
    started = children(pid)
    return {
        "server": resident(pid),
        "training": max((_or_nothing(resident, child) for child in started), default=0.0),
        "together": sum(_or_nothing(_share, one) for one in (pid, *started)),
    }


def processor_seconds(pid: int) -> float:
    """Return the processor's seconds that a process has used, to a hundredth."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def family_seconds(pid: int) -> float:
    """Return the same of a process and of all that it started and that still run."""
    alone = _or_nothing(processor_seconds, pid)
    return alone + sum(family_seconds(child) for child in children(pid))


def _share(pid: int) -> float:
    """Return a process's MB, of what it shares with others its share alone."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    [kilobytes] = re.findall(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(kilobytes) * 1024 / 1e6


def _or_nothing(measured: Callable[[int], float], pid: int) -> float:
    try:
        return measured(pid)
    except (OSError, SystemExit, ValueError):  # it has just ended
        return 0.0


def children(pid: int) -> list[int]:
    """Return the numbers of the processes that a process has started and that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has just ended
            continue
        if parent == pid:
            found.append(int(path.parent.name))
    return found
