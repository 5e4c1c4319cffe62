"""The Experiments page: question, guess, run, what one sees, why."""

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.config import TrainConfig
from core.experiments import course, definition, request
from core.experiments.course import Bars, Dots, Tiles, Writer
from core.jobs import labels, queue
from core.runs import catalogue
from tests.pages.elements import only
from ui import keys

APP = str(Path(__file__).parents[2] / "ui" / "app.py")
SLUG = "2-learning-rate"

pytestmark = pytest.mark.usefixtures("whole_app", "sample_only")


def opened(slug: str = "") -> AppTest:
    """Open the page, or one experiment by its address, without a fault."""
    page = AppTest.from_file(APP, default_timeout=60).switch_page("../pages/experiments.py")
    if slug:
        page.query_params["experiment"] = slug
    page.run()
    assert not page.exception
    return page


def texts(page: AppTest) -> str:
    """Return all Markdown on the page."""
    return "\n".join(element.value for element in [*page.markdown, *page.caption, *page.title])


def conducted(page: AppTest) -> AppTest:
    """Give the session a course that is over, in which the middle rate won, and return the page."""
    name = course.create(SLUG)
    writer = Writer(course.path_of(name))
    for run, validation in enumerate((0.66, 0.93)):
        writer.write("step", run=run, epoch=1, accuracy=0.5)
        writer.write("epoch", run=run, epoch=1, training=0.7, validation=validation)
        writer.write("end", run=run, state="finished", reason="")
    reason = "the loss is no longer a finite number at step 7, at a learning rate of 5."
    writer.write("end", run=2, state="diverged", reason=reason)
    writer.write("over", problem="", seconds=6.5)
    page.session_state[keys.COURSES] = {SLUG: name}
    return page.run()


def test_every_experiment_has_its_card() -> None:
    """Each is there with its question, and opens by its button."""
    page = opened()
    for experiment in definition.library()[0]:
        assert experiment.question in texts(page)
        assert page.button(key=f"open-{experiment.slug}").label == "Open"
    page.button(key=f"open-{SLUG}").click().run()
    assert only(page.title).value == definition.find(SLUG).title
    assert page.query_params["experiment"] == SLUG
    page.button(key="all-experiments").click().run()
    assert only(page.title).value == "Experiments" and "experiment" not in page.query_params


def test_answer_comes_after_the_run() -> None:
    """Before it has run, an experiment shows neither what one sees nor why."""
    page, experiment = opened(SLUG), definition.find(SLUG)
    assert experiment.question in texts(page)
    assert experiment.why not in texts(page) and experiment.see not in texts(page)
    conducted(page)
    assert experiment.why in texts(page) and experiment.see in texts(page)
    assert "Diverged: the loss is no longer a finite number at step 7." in texts(page)
    assert "validation **93.0 %**" in texts(page)


@pytest.mark.parametrize(("guess", "verdict"), [(1, "You were right."), (0, "not this time")])
def test_guess_is_kept_and_shown_at_the_end(guess: int, verdict: str) -> None:
    """A guess outlives a look at another page, and stands beside what happened."""
    page, experiment = opened(SLUG), definition.find(SLUG)
    page.radio(key=f"guess-{SLUG}").set_value(guess).run()
    page.switch_page("../pages/data.py").run()
    page.switch_page("../pages/experiments.py")
    page.query_params["experiment"] = SLUG
    page.run()
    assert page.radio(key=f"guess-{SLUG}").value == guess
    conducted(page)
    assert page.radio(key=f"guess-{SLUG}").disabled  # it was made before the run
    told = next(text.value for text in page.markdown if verdict in text.value)
    assert experiment.guesses[guess] in told and experiment.guesses[experiment.answer] in told


def test_done_is_marked_and_the_next_is_offered() -> None:
    """What was seen to the end has its mark among the cards; the next is one click away."""
    page = opened()
    assert "done" not in texts(page)
    page.button(key=f"open-{SLUG}").click().run()
    conducted(page)
    following = definition.find("3-by-heart")
    assert page.button(key="next-experiment").label == f"Next: {following.title}"
    links = {link.proto.label: link.proto.page for link in page.main.get("page_link")}
    assert links["See which digits a network misreads"] == "evaluate"
    page.button(key="next-experiment").click().run()
    assert only(page.title).value == following.title
    page.button(key="all-experiments").click().run()
    assert texts(page).count("done") == 1


def test_waiting_is_explained() -> None:
    """An experiment whose turn has not come says what it waits for, and can be cancelled."""
    page = opened(SLUG)
    run = catalogue.create(TrainConfig(), "sample", "", "long one")
    queue.enter(request.folder(), run.id)
    by_heart = course.create("3-by-heart")
    queue.enter(request.folder(), by_heart)
    queue.enter(request.folder(), f"{labels.TICKET}0123abcd")
    name = course.create(SLUG)
    queue.enter(request.folder(), name)
    page.session_state[keys.COURSES] = {SLUG: name}
    page.run()
    told = "Waiting until the run *long one* has ended, and 2 more after it"
    assert told in texts(page)
    queue.leave(request.folder(), run.id)
    page.run()
    assert "Waiting until the experiment *Learning by heart* has ended, and 1 more" in texts(page)
    queue.leave(request.folder(), by_heart)
    page.run()
    assert "Waiting until the search for suspicious labels has ended:" in texts(page)
    page.button(key="cancel-experiment").click().run()
    assert not page.exception
    assert page.button(key="run-experiment").label == "Run it"
    found = course.read(name, 3)
    assert found and found.over and course.going_on(SLUG) is None


def test_findings_of_every_kind_are_shown() -> None:
    """Bars, dots and tiles follow the curves."""
    page = conducted(opened(SLUG))
    writer = Writer(course.path_of(page.session_state[keys.COURSES][SLUG]))
    before = len(page.get("bidi_component"))
    writer.finding(Bars("How many are read", ["a", "b"], {"": [0.5, 0.6]}))
    writer.finding(Dots("luck", "Luck", {"chosen on": [0.91, 0.95], "fresh": [0.92, 0.93]}, 1))
    writer.finding(Tiles("Seen", [[[0.0] * 28] * 28], ["an empty one"], 1))
    page.run()
    assert not page.exception
    assert len(page.get("bidi_component")) == before + 2
    assert "**Seen**" in texts(page)


def test_mistake_in_a_teachers_file_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page shows what is wrong, beside all the others."""
    (tmp_path / "mine.md").write_text("---\ntitle: [\n---\n")
    monkeypatch.setenv("DIGITLAB_EXPERIMENTS", str(tmp_path))
    page = opened()
    assert only(page.warning).value.startswith(r"mine\.md\: the header has a mistake in line")
    assert page.button(key=f"open-{SLUG}")


def test_failure_is_explained() -> None:
    """The reason why an experiment ended early is shown, and it can be run again."""
    page = opened(SLUG)
    name = course.create(SLUG)
    Writer(course.path_of(name)).write("over", problem="The disk is full.", seconds=0)
    page.session_state[keys.COURSES] = {SLUG: name}
    page.run()
    assert only(page.error).value == r"The disk is full\."
    assert page.button(key="run-experiment").label == "Run it again"


@pytest.mark.slow
def test_button_runs_it_live() -> None:
    """One press trains three networks, in a process of their own, and shows the answer."""
    page = opened(SLUG)
    page.button(key="run-experiment").click().run()
    assert not page.exception
    assert page.button(key="run-experiment").disabled
    name = page.session_state[keys.COURSES][SLUG]
    deadline = time.monotonic() + 90
    while not (found := course.read(name, 3)) or not found.over:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    page.run()
    assert definition.find(SLUG).why in texts(page) and "Done in" in texts(page)
