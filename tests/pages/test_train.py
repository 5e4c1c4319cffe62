"""The Train page: settings, Start, a run in progress."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.config import TrainConfig, config_fields
from core.jobs import limits
from core.recipes import RECIPES
from core.runs import actions, catalogue
from core.runs.history import STEP_METRICS
from core.runs.person import OWNER
from core.runs.run import Run, State
from core.runs.store import connect
from tests.pages.elements import only
from ui import cache, format, keys, setting_names
from ui.train import live

APP = str(Path(__file__).parents[2] / "ui" / "app.py")

pytestmark = pytest.mark.usefixtures("whole_app", "sample_only")


def opened(path: str = "../pages/train.py", *, settings: bool = False) -> AppTest:
    """Open a page, without a fault; with `settings`, all settings are expanded."""
    page = AppTest.from_file(APP, default_timeout=60).switch_page(path)
    page.session_state[keys.ALL_SETTINGS] = settings
    page.run()
    assert not page.exception
    return page


def run_in(name: str, state: State = State.RUNNING) -> Run:
    """Return a run in a state, whose lease is valid."""
    run = catalogue.create(TrainConfig(), "sample", "fast_cnn", name)
    tags = {"state": state, "alive_until": str(time.time() + 600), "steps": "48"}
    catalogue.set_tags(run.id, tags)
    return catalogue.get(run.id)


def texts(page: AppTest) -> str:
    """Return all Markdown on the page."""
    return "\n".join(element.value for element in [*page.markdown, *page.caption])


def controls(page: AppTest) -> dict[str, str]:
    """Return the help of every setting's control by the setting's name."""
    kinds = page.slider, page.select_slider, page.selectbox, page.toggle, page.number_input
    return {
        str(widget.key).removeprefix("setting-"): widget.help
        for kind in kinds
        for widget in kind
        if str(widget.key).startswith("setting-")
    }


def test_every_setting_has_a_control_with_help() -> None:
    """No field of TrainConfig is out of reach where it has an effect; each says what it does."""
    page = opened(settings=True)
    for name, field in config_fields().items():
        for other, values in field.metadata.get("needs", {}).items():
            page.selectbox(key=f"setting-{other}").set_value(values[0]).run()
        assert controls(page)[name] == field.metadata["help"]


def test_every_setting_has_a_name_that_people_know() -> None:
    """No control shows the name that something has in code; terms stand beside everyday words."""
    assert list(setting_names.LABELS) and set(setting_names.LABELS) == set(config_fields())
    page = opened(settings=True)
    shown = [widget.label for widget in (*page.slider, *page.select_slider, *page.selectbox)]
    assert "Size of a step (learning rate)" in shown
    assert "Average of the weights (EMA)" in shown
    assert not {"Ema", "Std", "Small share", "Train size"} & set(shown)


def test_few_controls_to_start_with() -> None:
    """Beside the recipe, four settings are drawn; the others once All settings is expanded."""
    page = opened()
    assert sorted(controls(page)) == ["epochs", "learning_rate", "network", "train_size"]
    assert page.select_slider(key="setting-train_size").value == 0


def test_optimizer_is_spelled_like_its_heading() -> None:
    """The setting `optimizer` is labeled Optimizer, as in "Optimizer and schedule"."""
    assert opened(settings=True).selectbox(key="setting-optimizer").label == "Optimizer"


def test_without_runs_it_says_what_to_do() -> None:
    """An empty store is an invitation to press Start."""
    page = opened()
    assert "Press Start" in only(page.info).value
    assert page.button(key="start").label == "Start"


def test_recipe_fills_the_controls() -> None:
    """Choosing a recipe sets what differs, and its summary says what it is."""
    page = opened(settings=True)
    page.selectbox(key="recipe-choice").set_value("mlp").run()
    config = RECIPES["mlp"].config
    assert page.slider(key="setting-epochs").value == config.epochs == 20
    assert page.select_slider(key="setting-learning_rate").value == 0.01
    assert page.toggle(key="setting-step_from_start").value is True
    assert "softmax" in texts(page)


def test_on_the_sample_it_says_how_many_images_are_used() -> None:
    """A recipe made for 40,000 images learns from all 3,000, or fewer if more are held out."""
    page = opened()
    size = page.select_slider(key="setting-train_size")
    assert size.options == ["all", "100", "300", "1,000"]
    page.selectbox(key="recipe-choice").set_value("fast_990").run()
    size = page.select_slider(key="setting-train_size")
    assert size.value == 40_000 and size.options[-1] == "40,000: all 3,000"
    assert "The sample has 3,000 images to learn from." in texts(page)
    size.set_value(1_000).run()
    assert page.session_state[keys.CONFIG]["train_size"] == 1_000
    assert page.select_slider(key="setting-train_size").options == ["all", "100", "300", "1,000"]
    page = opened(settings=True)
    page.number_input(key="setting-validation_size").set_value(500).run()
    assert page.select_slider(key="setting-train_size").options[-1] == "3,000"
    page.selectbox(key="recipe-choice").set_value("fast_997").run()
    assert page.select_slider(key="setting-train_size").options[-1] == "1,000"
    assert "The sample has 3,000 images to learn from." in texts(page)


def test_settings_without_effect_are_hidden() -> None:
    """Momentum is SGD's, and a one-cycle has no drops; both come back when they matter."""
    page = opened(settings=True)
    assert "warmup" in controls(page)
    assert not {"momentum", "step_every", "width"} & set(controls(page))
    page.selectbox(key="setting-optimizer").set_value("sgd").run()
    assert "momentum" in controls(page)
    page.slider(key="setting-momentum").set_value(0.5).run()
    page.selectbox(key="setting-optimizer").set_value("adam").run()
    page.selectbox(key="setting-optimizer").set_value("sgd").run()
    assert page.slider(key="setting-momentum").value == 0.5
    page.slider(key="setting-momentum").set_value(0.6)
    page.session_state[keys.ALL_SETTINGS] = False  # closed before the page heard of the change
    page.run()
    assert "momentum" not in controls(page)
    assert page.session_state[keys.CONFIG]["momentum"] == 0.6


def met(name: str, config: TrainConfig, accuracy: float, seconds: float) -> Run:
    """Return a run that has finished on this machine with these numbers."""
    run = catalogue.create(config, "sample", "fast_cnn", name)
    metrics = {
        "best_validation_accuracy": accuracy,
        "test_accuracy": accuracy,
        "train_seconds": seconds,
        "best_epoch": config.epochs,
        "epochs": config.epochs,
        "progress": config.epochs * -(-3_000 // config.batch_size),
    }
    with connect() as (client, _):
        for key, value in metrics.items():
            client.log_metric(run.id, key, value)
    catalogue.set_tags(run.id, {"state": State.FINISHED})
    return catalogue.get(run.id)


def test_recipe_tells_what_it_reached_here() -> None:
    """A recipe has a plain name, and once it has run on this machine, accuracy and time."""
    plain = RECIPES["fast_cnn"].title
    assert plain in opened().selectbox(key="recipe-choice").options
    met("here", RECIPES["fast_cnn"].config, 0.9712, 4.4)
    page = opened()
    assert f"{plain} · 97.12 % in 4.4 s" in page.selectbox(key="recipe-choice").options
    assert "On this machine: 97.12 % of the test images in 4.4 s, one run." in texts(page)


def test_recipe_stays_chosen_when_its_title_changes() -> None:
    """A run that finishes changes the title in the list; what was set stays set."""
    page = opened()
    page.slider(key="setting-epochs").set_value(9).run()
    met("here", RECIPES["fast_cnn"].config, 0.9712, 4.4)
    for _ in range(2):
        page.run()
        assert not page.exception
        assert page.selectbox(key="recipe-choice").value == "fast_cnn"
        assert page.slider(key="setting-epochs").value == 9


def test_expected_time_is_learned_from_finished_runs() -> None:
    """A setting that took 6 s here for 4 epochs is expected to take 12 s for 8."""
    config = RECIPES["fast_cnn"].config
    met("here", config, 0.97, 6.0)
    page = opened()
    assert _expected(page) == "About 6.0 s"
    page.slider(key="setting-epochs").set_value(8).run()
    assert _expected(page) == "About 12 s"


def test_finished_run_says_what_it_means_and_what_to_try() -> None:
    """A run that only guesses gets advice; one click trains with a usable rate, both in sight."""
    run = met("too fast", RECIPES["fast_cnn"].config.changed({"learning_rate": 5.0}), 0.0992, 4)
    page = opened()
    assert "no better than guessing. The learning rate is too high." in texts(page)
    page.button(key="try-next").click().run()
    assert not page.exception
    newest = catalogue.listed()[0]
    assert newest.config == run.config.changed({"learning_rate": 0.005})
    assert page.select_slider(key="setting-learning_rate").value == 0.005
    assert headline(page).endswith(format.plain(newest.name))
    assert "In gray: **too fast**, solid in validation, dotted in training." in texts(page)
    actions.request_stop(OWNER, newest)


def test_run_both_starts_two_that_differ_in_one_setting() -> None:
    """Two runs are asked for, named after what differs, and shown on shared axes."""
    page = opened()
    assert page.button(key="run-both").disabled  # nothing differs yet
    page.select_slider(key="pair-learning_rate").set_value(0.001).run()
    page.button(key="run-both").click().run()
    assert not page.exception
    second, first = catalogue.listed()
    assert (first.name, second.name) == ("learning rate 0.01", "learning rate 0.001")
    assert first.config == RECIPES["fast_cnn"].config
    assert second.config == first.config.changed({"learning_rate": 0.001})
    assert headline(page).endswith(format.plain(first.name))
    assert "Here it will say which of the two is better." in texts(page)  # where it will stand
    for run in (first, second):
        actions.request_stop(OWNER, run)


def test_pair_that_is_over_is_compared() -> None:
    """One sentence has both accuracies, the better first."""
    config = RECIPES["fast_cnn"].config
    one, two = met("one", config, 0.95, 4), met("two", config, 0.97, 4)
    page = opened()
    page.session_state["watched"], page.session_state["pair"] = one.id, (one.id, two.id)
    page.run()
    said = "**two** reads 97.00 % of the validation images, **one** 95.00 %."
    assert format.unbroken(said) in texts(page)


def test_pair_of_which_one_learned_nothing_says_so() -> None:
    """Without an epoch there is no accuracy to compare."""
    config = RECIPES["fast_cnn"].config
    one, two = met("one", config, 0.95, 4), catalogue.create(config, "sample", name="two")
    catalogue.set_tags(two.id, {"state": State.DIVERGED})
    page = opened()
    page.session_state["watched"], page.session_state["pair"] = one.id, (one.id, two.id)
    page.run()
    assert "**two** completed no epoch, so there is nothing to compare." in texts(page)


def test_settings_survive_leaving_the_page() -> None:
    """What was set is still set after a look at another page."""
    page = opened()
    page.slider(key="setting-epochs").set_value(9).run()
    page.switch_page("../pages/data.py").run()
    page.switch_page("../pages/train.py").run()
    assert page.slider(key="setting-epochs").value == 9
    assert page.session_state[keys.CONFIG]["batch_size"] == 256


@pytest.mark.slow
def test_start_trains_what_was_set() -> None:
    """Start makes a run of these settings and this name, and its process finishes it."""
    page = opened()
    page.selectbox(key="recipe-choice").set_value("mlp").run()
    page.slider(key="setting-epochs").set_value(1).run()
    page.text_input(key=keys.NAME).set_value("by hand").run()
    page.button(key="start").click().run()
    assert not page.exception
    [run] = catalogue.listed()
    assert (run.name, run.recipe, run.data) == ("by hand", "mlp", "sample")
    assert run.config == RECIPES["mlp"].config.changed({"epochs": 1})
    deadline = time.monotonic() + 60
    while not catalogue.get(run.id).state.is_over:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert catalogue.get(run.id).state == State.FINISHED
    page.run()
    assert "by hand" in texts(page) and "best epoch 1" in texts(page)


def test_run_in_progress_is_found_by_any_session() -> None:
    """A session that started nothing shows the run in progress, and can stop it."""
    run = run_in("somebody's")
    page = opened()
    assert "somebody's" in texts(page)
    assert "How it formed" in [box.label for box in page.expander]  # from the first epoch on
    assert "As it learns, loss falls and accuracy climbs." in texts(page)
    next(button for button in page.button if button.label == "Stop").click().run()
    assert catalogue.stop_requested(run.id)


@pytest.mark.parametrize(
    ("epochs", "seconds", "pace"), [(0, None, 1), (1, 0.4, 1), (2, 5.8, 2), (1, 7, 5)]
)
def test_long_run_is_looked_at_less_often(epochs: int, seconds: float | None, pace: int) -> None:
    """Of twenty epochs: not known yet, 8 s, a minute less a bit, more than two minutes."""
    config = TrainConfig(epochs=20)
    run = replace(run_in("slow"), config=config, epochs=epochs, train_seconds=seconds)
    assert live.pace([run]) == pace


def test_queue_is_in_sight() -> None:
    """A waiting run is listed with its place, after the run in progress."""
    run_in("first"), run_in("second", State.QUEUED)
    page = opened()
    assert "1. :material/play_circle: first" in texts(page)
    assert "2. :material/hourglass: second" in texts(page)


def test_failed_run_says_why_in_plain_text() -> None:
    """A reason is shown as it is, Markdown in it and all."""
    run = run_in("broken")
    catalogue.set_tags(run.id, {"state": State.FAILED, "reason": "no *space* left"})
    assert r"Failed · no \*space\* left" in texts(opened())


def test_silent_team_store_leaves_the_app_working(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a server, pages that need runs say so, and the others work."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    page = opened("../pages/compare.py")
    assert "does not answer" in only(page.error).value
    page.switch_page("../pages/data.py").run()
    assert not page.exception and not page.error


def test_missing_device_is_reported_before_the_start() -> None:
    """Choosing a GPU on a machine without one is answered at once; the page stays usable."""
    import torch

    if torch.backends.mps.is_available():
        pytest.skip("this machine has Apple's Metal")
    page = opened(settings=True)
    page.selectbox(key="setting-device").set_value("mps").run()
    assert "The device mps is not available" in only(page.error).value
    assert "Press Start" in only(page.info).value


def test_deleted_run_is_no_dead_end() -> None:
    """If the watched run is deleted, the page shows another run, or how to begin."""
    page = opened()
    for name in ("kept", "watched"):
        catalogue.set_tags(run_in(name).id, {"state": State.FINISHED})
    watched = catalogue.find("watched")
    page.session_state["watched"] = watched.id
    assert "watched" in texts(page.run())
    actions.delete(OWNER, watched)
    page.run()
    assert not page.error and "kept" in texts(page)
    actions.delete(OWNER, catalogue.find("kept"))
    assert "Press Start" in only(page.run().info).value


def test_chosen_run_stays_while_another_trains() -> None:
    """A run in progress is listed, but does not displace a finished run that was chosen.

    Evaluate shows the chosen run, too.
    """
    finished, busy = run_in("looked at"), run_in("busy")
    for run in (finished, busy):
        catalogue.log(run.id, [("best_epoch", 1, 1), ("best_validation_accuracy", 0.9, 1)])
    catalogue.set_tags(finished.id, {"state": State.FINISHED})
    page = opened()
    assert headline(page).endswith(" busy")  # nothing was chosen yet
    page.button(key="start").click().run()
    [started] = [run for run in catalogue.listed() if run.id not in (finished.id, busy.id)]
    assert headline(page).endswith(format.plain(started.name))
    page.button(key=f"watch-{busy.id}").click().run()
    assert headline(page).endswith(" busy")
    page.session_state["watched"] = finished.id
    for _ in range(2):
        page.run()
        assert headline(page).endswith(" looked at")
    assert page.session_state["watched"] == finished.id
    assert "1. :material/play_circle: busy" in texts(page)
    actions.request_stop(OWNER, started)
    page.switch_page("../pages/evaluate.py").run()
    assert page.selectbox(key="run-choice").value == finished.id


def headline(page: AppTest) -> str:
    """Return the name of the run whose curves are shown, with its icon."""
    [said] = [text.value for text in page.markdown if text.value.startswith("## ")]
    return said


def test_finished_run_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its history does not change, and is not read again, not even by another session."""
    from core.runs import history

    asked: list[str] = []

    def counted(run: Run) -> history.History:
        asked.append(run.name)
        return history.read_history(run)

    monkeypatch.setattr("ui.cache.read_history", counted)
    catalogue.set_tags(run_in("over").id, {"state": State.FINISHED})
    page = opened()
    for _ in range(3):
        page.run()
    opened()
    assert asked == ["over"]


def test_curves_are_made_once_for_all_who_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second visitor costs no curves; a step later, all are made anew."""
    made = []
    draw = live.training_curves

    def counted(*args: Any) -> Any:
        made.append(args[1])
        return draw(*args)

    monkeypatch.setattr(live, "training_curves", counted)
    run = run_in("watched")
    for _ in range(2):
        opened()
    assert made == ["loss", "accuracy"]
    names = [f"step/{name}" for name in STEP_METRICS]
    catalogue.log(run.id, [("progress", 8.0, 8), *((name, 0.5, 8) for name in names)])
    page = opened()
    assert made == 2 * ["loss", "accuracy"]
    opened().toggle[0].set_value(True).run()
    assert made[4:] == ["loss"]
    assert not page.exception


def test_run_can_be_stopped_again_after_it_went_on() -> None:
    """Stop is off while the run ends, and is there again when it was resumed."""
    run = run_in("twice")
    page = opened()
    page.button(key="stop").click().run()
    assert page.button(key="stop").disabled
    catalogue.set_tags(run.id, {"state": State.STOPPED})
    page.run()
    actions.reopen(OWNER, catalogue.get(run.id))
    catalogue.set_tags(run.id, {"state": State.RUNNING})
    assert not page.run().button(key="stop").disabled


def test_stop_is_heeded_while_the_page_is_about_to_be_redrawn() -> None:
    """A press that arrives in a run of the script that only redraws the page is not lost."""

    def page_that_moves_on() -> None:
        import streamlit as st

        from core.runs import catalogue
        from ui import stop

        if st.session_state.pop("moves on", False):
            st.rerun()
        stop.button(catalogue.find("busy"), st.container(), "stop")

    busy = run_in("busy")
    page = AppTest.from_function(page_that_moves_on).run()
    page.session_state["moves on"] = True
    page.button(key="stop").click().run()
    assert catalogue.stop_requested(busy.id)
    assert page.button(key="stop").disabled


def test_name_survives_leaving_the_page_and_is_taken_by_start() -> None:
    """A name typed for the next run is kept until that run was started, and then is gone."""
    page = opened()
    page.text_input(key="name").set_value("my first").run()
    page.switch_page("../pages/data.py").run()
    page.switch_page("../pages/train.py").run()
    assert page.text_input(key="name").value == "my first"
    page.slider(key="setting-epochs").set_value(1).run()
    page.button(key="start").click().run()
    [run] = catalogue.listed()
    assert run.name == "my first" and page.text_input(key="name").value == ""
    actions.request_stop(OWNER, run)


def test_start_queues_a_run_for_each_seed() -> None:
    """They are named after their seeds, in order, and the first is watched."""
    page = opened()
    page.number_input(key="seeds").set_value(3).run()
    page.text_input(key="name").set_value("mine").run()
    page.button(key="start").click().run()
    assert not page.exception
    runs = {run.name: run for run in catalogue.listed()}
    assert sorted(runs) == ["mine, seed 0", "mine, seed 1", "mine, seed 2"]
    assert [runs[name].config.seed for name in sorted(runs)] == [0, 1, 2]
    assert page.session_state["watched"] == runs["mine, seed 0"].id
    for run in runs.values():
        actions.request_stop(OWNER, run)


def test_run_is_trained_again_with_a_new_seed() -> None:
    """The same settings and recipe, and the next seed that they were not trained with."""
    first = catalogue.create(TrainConfig(epochs=9), "sample", "fast_cnn", "first")
    catalogue.set_tags(first.id, {"state": State.FINISHED})
    page = opened()
    page.button(key="train-again").click().run()
    assert not page.exception
    [again] = [run for run in catalogue.listed() if run.id != first.id]
    assert again.config == first.config.changed({"seed": first.config.seed + 1})
    assert again.recipe == first.recipe and headline(page).endswith(format.plain(again.name))
    assert page.session_state["config"] == first.config.to_dict()
    actions.request_stop(OWNER, again)


def test_taught_run_is_not_offered_again() -> None:
    """Its settings alone would make another network."""
    taught = run_in("taught")
    catalogue.set_tags(taught.id, {"state": State.FINISHED, "taught_from": "parent"})
    assert "train-again" not in [button.key for button in opened().button]


def test_name_in_the_sidebar_is_plain_text() -> None:
    """A run's name cannot bring a picture, and so a request, into everybody's sidebar."""
    run_in("![x](http://elsewhere/)")
    page = opened("../pages/data.py")
    cache.warm_up().wait()
    page.run()
    told = [element.proto.text for element in page.sidebar.get("progress")]
    assert told and "![x]" not in told[0]


def test_expected_time_is_read_from_the_table_of_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Until a row is there the page says that it is being timed; no step is run in the server."""
    from core.jobs import speed
    from core.training import device, estimate

    monkeypatch.setattr(estimate, "step_seconds", lambda *_: pytest.fail("a step was run"))
    page = opened()
    assert "Timing this machine …" in texts(page)
    precision = device.choose().precision
    rows = {
        f"fast_cnn {batch} {precision}": (0.4 * batch / 256, 0.1 * batch / 256)
        for batch in (32, 128)
    }
    monkeypatch.setattr(speed, "table", lambda: rows)
    # 3,000 images to train on and 1,000 to validate, in batches of 256, four times.
    assert _expected(page.run()) == "About 20 s"


def _expected(page: AppTest) -> str:
    """Return what the page says of the time that a run takes."""
    [said] = [text.value for text in page.caption if text.value.startswith("About ")]
    return said.partition(" on this machine")[0]


def test_public_demo_says_its_limits_before_a_visitor_meets_them(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """They stand under Start; two seeds are refused with what to do, and nothing is queued."""
    shown = st.get_option("client.showErrorDetails")
    request.addfinalizer(lambda: st.set_option("client.showErrorDetails", shown))
    assert limits.SUMMARY not in texts(opened())
    monkeypatch.setenv("DIGITLAB_DEMO", "1")
    page = AppTest.from_file(APP, default_timeout=60).switch_page("../pages/train.py")
    page.session_state["person"] = "s" * 43, "visitor"
    page.run()
    assert limits.SUMMARY in texts(page)
    page.number_input(key="seeds").set_value(2)
    page.button(key="start").click().run()
    assert not page.exception
    assert (
        "one run or experiment at a time" in only(page.error).value
        and catalogue.in_progress() == []
    )


def test_a_colleagues_run_is_known_as_theirs_and_not_stopped_by_one_click(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page names owner and machine; Stop asks first; no run waits for another machine's."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/team.db")
    theirs, own = run_in("theirs"), run_in("own", State.QUEUED)
    catalogue.set_tags(theirs.id, {"author": "anna", "host": "lab-3"})
    page = opened()
    assert headline(page).endswith("own")  # one's own comes first
    assert live._waits(catalogue.get(own.id)).startswith("Starting")
    assert f"1. {live._ICONS[State.QUEUED]} own" in texts(page)
    assert r"theirs, by anna on lab\-3" in texts(page)
    asking = [button.key for popover in page.get("popover") for button in popover.get("button")]
    assert f"stop-{theirs.id}" in asking and not {"stop", f"stop-{own.id}"} & set(asking)
    page.button(key=f"watch-{theirs.id}").click().run()
    assert r"seed 0, by anna on lab\-3" in texts(page)


def test_network_from_elsewhere_is_not_shown_as_the_last_training() -> None:
    """An imported run has no curves, so the last run trained here is shown, if there is one."""
    run = catalogue.create(TrainConfig(), "sample", name="from elsewhere")
    catalogue.set_tags(run.id, {"state": State.FINISHED, "imported": "onnx"})
    assert "Press Start" in only(opened().info).value
    met("trained here", TrainConfig(), 0.95, 4)
    newest = catalogue.create(TrainConfig(), "sample", name="from elsewhere too")
    catalogue.set_tags(newest.id, {"state": State.FINISHED, "imported": "weights"})
    assert headline(opened()).endswith("trained here")


def test_reason_of_a_failure_is_one_part_of_the_line() -> None:
    """A reason of whole sentences ends without a dot before the next part."""
    run = run_in("broke", State.FAILED)
    catalogue.set_tags(run.id, {"reason": "It broke. Choose another."})
    said = live._result(catalogue.get(run.id)).replace("\\", "")
    assert said == "Failed · It broke. Choose another · no epoch was completed"


def test_what_is_changed_out_of_sight_is_named() -> None:
    """Closed, All settings says which of its settings are not the recipe's, and no others."""
    page = opened(settings=True)
    page.toggle(key="setting-hardness").set_value(True).run()
    page.slider(key="setting-rotation").set_value(7.0).run()
    page.slider(key="setting-epochs").set_value(9).run()
    assert "Changed there" not in texts(page)
    page.session_state[keys.ALL_SETTINGS] = False
    page.run()
    [said] = [one.value for one in page.caption if one.value.startswith("Changed there")]
    assert said == (
        "Changed there · Turn, in degrees (rotation): **7** · "
        "Record which images are hard (forgetting): **yes**"
    )


def test_hardest_images_are_those_of_the_newest_run_that_can_say() -> None:
    """Before any can, Start is off and it says what to do; then that run is chosen by itself."""
    page = opened(settings=True)
    page.selectbox(key="setting-chosen").set_value("hardest").run()
    assert page.button(key="start").disabled
    assert setting_names.LABELS["hardness"] in only(page.warning).value
    assert page.session_state[keys.CONFIG]["chosen"] == "random"
    page.selectbox(key="pair-setting").set_value("chosen").run()
    page.selectbox(key="pair-chosen").set_value("easiest").run()
    page.button(key="run-both").click().run()
    assert "first train a run with" in only(page.error).value
    run, came_back = (
        catalogue.create(TrainConfig(hardness=True), "sample", name=name)
        for name in ("knows", "came back")
    )
    catalogue.set_tags(came_back.id, {"imported": "run"})  # it left without what it recorded
    for one in (run, came_back):
        catalogue.set_tags(one.id, {"data_checksum": cache.digits("sample").checksum})
        catalogue.log(one.id, [("epochs", 1.0, 1)])
    page.run()
    assert not page.button(key="start").disabled and not page.warning
    assert page.selectbox(key="setting-chosen_by").options == ["knows"]
    config = page.session_state[keys.CONFIG]
    assert (config["chosen"], config["chosen_by"]) == ("hardest", run.id)


def test_code_is_made_only_when_it_is_looked_at() -> None:
    """Closed, nothing is computed; open, the settings are in the code, and changes are listed."""
    page = opened()
    assert not page.get("code")
    page.session_state["code-open"] = True
    page.run()
    assert "BATCH_SIZE = 256\n" in only(page.get("code")).value
    assert "All settings are those of the recipe **Quick start" in texts(page)
    page.slider(key="setting-epochs").set_value(7).run()
    assert "EPOCHS = 7  # recipe: 4\n" in only(page.get("code")).value
    assert "Passes over the images (epochs): **7** (recipe: 4)" in texts(page)
    assert "Download train.py" in [one.proto.label for one in page.get("download_button")]
