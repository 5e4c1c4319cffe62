"""The versions in requirements.lock satisfy requirements.txt."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
WANTED = [
    Requirement(line)
    for name in ("requirements.txt", "requirements-dev.txt")
    for line in (ROOT / name).read_text().splitlines()
    if not line.startswith("-r ")
]


def locked() -> dict[str, Version]:
    """Return what requirements.lock holds: a version for each package."""
    pairs = [line.split("==") for line in (ROOT / "requirements.lock").read_text().splitlines()]
    return {canonicalize_name(name): Version(number) for name, number in pairs}


def test_lock_has_names_and_versions_alone() -> None:
    """The lock has no address, no path and no machine-specific build, and each package once."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.!]+", line)] == []
    names = [canonicalize_name(line.split("==")[0]) for line in lines]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("requirement", WANTED, ids=lambda requirement: requirement.name)
def test_lock_fits_every_requirement(requirement: Requirement) -> None:
    """Each package that is asked for was tested at a version that its bound allows."""
    assert requirement.specifier.contains(locked()[canonicalize_name(requirement.name)])


@pytest.mark.parametrize("name", ["torch", "torchvision"])
def test_cpu_builds_of_pytorch_fit(name: str) -> None:
    """PyTorch's CPU build, whose version ends in +cpu, satisfies requirements.txt."""
    [requirement] = [one for one in WANTED if one.name == name]
    assert requirement.specifier.contains(f"{locked()[name].base_version}+cpu")
