"""The course of an experiment, as its process writes it and a page reads it."""

import os
import time

import numpy as np
import pytest

from core.experiments import course
from core.experiments.course import Bars, Tiles, Writer


def test_what_is_written_is_read() -> None:
    """Points, epochs, ends and findings are read back unchanged."""
    name = course.create("rates")
    writer = Writer(course.path_of(name))
    before = course.read(name, 2)
    assert before and not before.begun and not before.over
    writer.write("step", run=1, epoch=0.5, accuracy=0.75)
    writer.write("epoch", run=1, epoch=1, training=0.8, validation=0.7)
    writer.write("end", run=0, state="diverged", reason="at step 7")
    writer.finding(Bars("Which", ["a"], {"": [0.5]}))
    writer.finding(Bars("Which", ["a", "b"], {"": [0.5, 0.6]}))
    writer.finding(Tiles("These", np.full((1, 28, 28), 7).tolist(), ["a 7"], 1))
    writer.write("over", problem="", seconds=2.5)
    found = course.read(name, 2)
    assert found and found.over and found.seconds == 2.5
    first, second = found.lanes
    assert (first.state, first.reason) == ("diverged", "at step 7")
    assert second.steps == [(0.5, 0.75)] and second.epochs == [(1, 0.8, 0.7)]
    bars, tiles = found.findings.values()
    assert bars == Bars("Which", ["a", "b"], {"": [0.5, 0.6]})
    assert isinstance(tiles, Tiles) and (tiles.pixels() == np.full((1, 28, 28), 7)).all()


def test_unfinished_line_is_ignored_until_it_is_complete() -> None:
    """A page that reads while the process writes ignores an unfinished line."""
    name = course.create("rates")
    with course.path_of(name).open("a") as file:
        file.write('{"kind": "step", "ru')
    found = course.read(name, 1)
    assert found and found.lanes[0].steps == []


def test_silent_course_counts_as_dead() -> None:
    """A course whose process has been silent for long is over, and says what to do."""
    name = course.create("rates")
    assert course.going_on("rates") == name
    long_ago = time.time() - 120
    os.utime(course.path_of(name), (long_ago, long_ago))
    found = course.read(name, 1)
    assert found and found.over and "Run it again" in found.problem
    assert course.going_on("rates") is None


def test_experiment_in_progress_is_found_by_its_whole_name() -> None:
    """An experiment is not mistaken for one whose name begins alike."""
    course.create("rates-again")
    assert course.going_on("rates") is None
    name = course.create("rates")
    assert course.going_on("rates") == name


@pytest.mark.parametrize(("age", "kept"), [(60, True), (7200, False)])
def test_old_courses_are_removed(age: float, kept: bool) -> None:
    """Courses that no page can still show are deleted."""
    name = course.create("rates")
    then = time.time() - age
    os.utime(course.path_of(name), (then, then))
    course.create("other")
    assert (course.read(name, 1) is not None) == kept
