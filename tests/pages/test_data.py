"""The Data page, with the sample, with the full set, and with a damaged one."""

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from core.config import TrainConfig
from core.data import maps, mnist
from core.errors import StoreError
from core.figures.maps import digit_map
from core.jobs import labels, process, request, worker
from core.jobs import maps as arranging
from core.jobs.labels import Judgment, Work
from core.my_digits import collection
from core.recipes import RECIPES
from core.runs import hardness, label_notes
from core.runs.person import Person
from tests.pages.elements import only
from ui import cache, format, people
from ui.data import plane, suspects
from ui.data.hardness import scaled
from ui.setting_names import LABELS

ROOT = Path(__file__).parents[2]
FULL = os.environ.get("DIGITLAB_DATA", "")


@pytest.fixture(autouse=True)
def no_digits_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test loads its own digits and judgments, as the machine's owner."""
    cache.digits.clear()
    suspects._suspects.clear()
    plane._places.clear()
    monkeypatch.setattr(people, "_is_at_this_machine", lambda: True)


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DIGITLAB_DATA without MNIST."""
    monkeypatch.setenv("DIGITLAB_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def page(**state: object) -> AppTest:
    """The page after one run, with session state as given."""
    app = AppTest.from_file(str(ROOT / "pages" / "data.py"), default_timeout=60)
    for key, value in state.items():
        app.session_state[key] = value
    return app.run()


def texts(app: AppTest) -> str:
    """What the page says."""
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


def test_the_sample_is_named_and_the_download_offered(sample: Path) -> None:
    """Without MNIST the page says that it shows the sample, and offers the full set."""
    app = page()
    assert not app.exception
    assert "**The sample is in use**: 5,000 real MNIST digits" in texts(app)
    assert app.button(key="download-start").label == "Download"
    assert not app.warning
    assert app.number_input(key="data-page-sample").label == "Page of 67"


def test_the_facts_are_the_samples(sample: Path) -> None:
    """The table has the counts and the mean of the data in use."""
    table = only(page().table).value.set_index("Fact")
    assert table.loc["Images"].tolist() == ["4,000", "1,000"]
    assert table.loc["Size"].tolist() == ["28 × 28 pixels"] * 2
    mean = mnist.load("sample").train_images.mean() / 255
    assert table.loc["Mean, black 0 and white 1", "Training"] == f"{mean:.4f}"


def test_filters_narrow_the_gallery_and_go_back_to_page_one(sample: Path) -> None:
    """400 threes of the training images make 7 pages; page 60 of before is left."""
    app = page()
    app.number_input(key="data-page-sample").set_value(60).run()
    assert not app.exception
    app.button_group(key="data-digits").select(3).run()
    assert not app.exception
    assert app.number_input(key="data-page-sample").label == "Page of 7"
    assert app.number_input(key="data-page-sample").value == 1
    app.button_group(key="data-part").set_value("all").run()
    assert app.number_input(key="data-page-sample").label == "Page of 9"


def test_the_chosen_image_is_shown_large(sample: Path) -> None:
    """A number leads to its split, index and label; one of other data is not looked up here."""
    digits = mnist.load("sample")
    chosen = {"data-chosen": ("sample", 4_007)}
    assert f"Label **{digits.test_labels[7]}** · test image 7" in texts(page(**chosen))
    stale = {"data-chosen": ("mnist", 69_999)}
    assert f"Label **{digits.train_labels[0]}** · training image 0" in texts(page(**stale))


def test_augmentation_has_the_train_pages_limits(sample: Path) -> None:
    """The sliders have the configuration's bounds and help; Shuffle draws anew."""
    from core.config import config_fields

    app = page(**{"data-look": "Augmentation"})
    assert not app.exception
    for name in ("rotation", "shift", "scale", "shear"):
        slider, metadata = app.slider(key=f"data-{name}"), config_fields()[name].metadata
        assert (slider.min, slider.max) == (metadata["low"], metadata["high"])
        assert slider.help == metadata["help"]
    before = [picture.proto.body for picture in app.get("html")]
    app.run()
    assert [picture.proto.body for picture in app.get("html")] == before
    app.button(key="data-shuffle").click().run()
    assert not app.exception
    assert [picture.proto.body for picture in app.get("html")] != before


def test_augmentation_is_that_of_train(sample: Path) -> None:
    """The sliders begin as Train is set, follow it when it changes, and can be moved."""
    assert page(**{"data-look": "Augmentation"}).slider(key="data-shift").value == 2  # a recipe's
    config = RECIPES["ink_cnn"].config.to_dict()
    app = page(**{"data-look": "Augmentation", "config": config, "recipe": "ink_cnn"})
    assert not app.exception
    for name in ("rotation", "shear", "aspect", "elastic", "thickness"):
        assert app.slider(key=f"data-{name}").value == config[name]
    assert f"recipe: {RECIPES['ink_cnn'].title}" in texts(app)
    app.slider(key="data-shear").set_value(30.0).run()
    assert app.slider(key="data-shear").value == 30
    app.session_state["config"] = {**config, "rotation": 25.0}
    app.run()
    assert app.slider(key="data-rotation").value == 25
    assert app.slider(key="data-shear").value == config["shear"]


@pytest.mark.usefixtures("whole_app")
def test_open_tabs_survive_leaving_the_page(sample: Path) -> None:
    """The map and augmentation are still open after a visit to another page."""
    app = AppTest.from_file(str(ROOT / "ui" / "app.py"), default_timeout=60)
    app.switch_page("../pages/data.py").run()
    app.session_state["data-view"], app.session_state["data-look"] = "Map", "Augmentation"
    app.run()
    app.switch_page("../pages/experiments.py").run()
    app.switch_page("../pages/data.py").run()
    assert not app.exception
    assert app.button_group(key="data-map") and app.button(key="data-shuffle")


def test_the_map_is_there_at_once(sample: Path) -> None:
    """PCA needs no asking, and says how much of the variance it keeps."""
    app = page(**{"data-view": "Map"})
    assert not app.exception
    assert app.button_group(key="data-map").value == "pca"


def test_tsne_is_made_on_request_in_the_background(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a process is at work the page says so; then the map takes its place, and stays."""
    started = []
    monkeypatch.setattr(process, "launch", lambda *what, **_: started.append(what))
    digits, numbers = mnist.load("sample"), maps.sample(mnist.load("sample"))
    app = page(**{"data-view": "Map", "data-map": "tsne"})
    app.run()
    assert started == [("core.jobs.maps", "sample", "train")]
    assert "It continues when you leave this page" in texts(app)
    points = np.random.default_rng(0).normal(size=(len(numbers), 2))
    arranging.job(digits, "train").keep({"numbers": numbers, "points": points})
    app.run()
    assert not app.exception
    assert "It continues when you leave this page" not in texts(app)


def test_dead_arranging_says_so_and_can_be_tried_again(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is shown, and the process does not start again by itself."""
    started = []
    monkeypatch.setattr(process, "launch", lambda *what, **_: started.append(what))
    arranging.job(mnist.load("sample"), "test").tell("The disk is full.")
    app = page(**{"data-view": "Map", "data-map": "tsne", "data-map-split": "test"})
    assert "disk is full" in only(app.warning).value and not started
    app.button(key="map-again").click().run()
    assert len(started) == 1 and not app.exception


def test_map_can_be_colored_by_answers_hardness_and_source(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The built-in network's answers, a hint where no run recorded hardness, and my own digits."""
    told = []

    def drawn(points: pd.DataFrame, title: str, color: str, **more: object) -> go.Figure:
        told.append((color, points))
        return digit_map(points, title, color, lasso=True)

    digits = mnist.load("sample")
    monkeypatch.setattr("core.figures.maps.digit_map", drawn)
    app = page(**{"data-view": "Map", "data-map-split": "test"})
    app.button_group(key="data-map-colors").set_value("answer").run()
    assert (told[-1][1]["answer"] == told[-1][1]["digit"]).mean() > 0.98
    app.button_group(key="data-map-split").set_value("train").run()
    assert not app.exception and "could not learn" not in texts(app)  # in the chart
    assert (told[-1][1]["answer"] == told[-1][1]["digit"]).mean() > 0.98
    app.button_group(key="data-map-colors").set_value("hardness").run()
    assert "No run has recorded it yet" in texts(app) and told[-1][0] == "digit"
    assert f"“{LABELS['hardness']}” on" in texts(app)  # the control's name
    collection.keep(digits.test_images[3].astype(np.float32) / 255, int(digits.test_labels[3]))
    app.button_group(key="data-map-colors").set_value("source").run()
    assert not app.exception
    points = told[-1][1]
    assert points["source"].value_counts().to_dict() == {"MNIST": 4_000, "my digits": 1}
    assert points["digit"].iloc[-1] == digits.test_labels[3]


def test_region_of_the_map_shows_its_images(sample: Path) -> None:
    """How many there are, by label and read wrong; the misread come first."""

    def script() -> None:
        import numpy as np
        import pandas as pd

        from core.data import mnist
        from ui.data import plane

        points = pd.DataFrame(
            {"digit": [4, 9, 4], "answer": [4, 4, 4], "number": [0, 1, 2], "name": list("abc")}
        )
        plane._region(mnist.load("sample"), points, np.zeros((3, 28, 28), np.uint8), [0, 1, 2])

    app = AppTest.from_function(script, default_timeout=60).run()
    assert not app.exception
    assert (
        texts(app) == "3 images in the region, 1 of them read wrong. By label: **4**: 2 · **9**: 1."
    )


def test_region_begins_with_any_of_its_images(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chart gives all of a digit before the next; the gallery is in the sample's order."""
    shown: list[list[str]] = []
    monkeypatch.setattr(plane, "gallery", lambda _, captions, *__, **___: shown.append(captions))

    def script() -> None:
        import numpy as np
        import pandas as pd

        from core.data import mnist
        from ui.data import plane

        points = pd.DataFrame({"digit": [4, 9, 4, 9], "number": range(4), "name": list("abcd")})
        plane._region(mnist.load("sample"), points, np.zeros((4, 28, 28), np.uint8), [0, 2, 1])

    assert not AppTest.from_function(script, default_timeout=60).run().exception
    assert shown == [["4", "9", "4"]]


def test_every_control_has_a_help_line(sample: Path) -> None:
    """Everything that the page shows, in any view, is explained."""
    for view, look in (("Gallery", "Pixels"), ("Map", "Augmentation")):
        app = page(**{"data-view": view, "data-look": look})
        controls = [*app.button, *app.button_group, *app.number_input, *app.slider]
        assert len(controls) >= 4
        assert [control.key for control in controls if not control.help] == []


def test_a_damaged_set_is_reported_and_the_sample_stays_in_use(sample: Path) -> None:
    """A truncated file shows the DataError's message; the page works with the sample."""
    raw = sample / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").write_bytes(bytes([0, 0, 8, 3]) + bytes(12))
    app = page()
    assert not app.exception
    (warning,) = app.warning
    said = "train-images-idx3-ubyte has the wrong size: 16 bytes"
    assert format.message(said) in warning.value
    assert "**The sample is in use**" in texts(app)
    assert app.number_input(key="data-page-sample").label == "Page of 67"


@pytest.mark.slow
def test_a_download_that_fails_says_why(
    sample: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """While it runs there is Cancel; when it ends badly, its last line and Download again."""
    from ui.data import download

    download._shared.clear()
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    script = f"import sys; open({str(gate)!r}).read(); print('bars'); sys.exit('No network here.')"
    monkeypatch.setattr(download, "_COMMAND", [sys.executable, "-c", script])
    app = page()
    app.button(key="download-start").click().run()
    assert app.button(key="download-cancel").label == "Cancel"
    gate.write_text("go")
    download._shared().wait()
    app.run()
    assert not app.exception
    assert [warning.value for warning in app.warning] == [format.message("No network here.")]
    assert app.button(key="download-start")


@pytest.mark.slow
def test_the_download_finds_the_program(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process can import the command line; here it only says which data there are."""
    from ui.data import download

    monkeypatch.setattr(download, "_COMMAND", [sys.executable, "-m", "core", "data"])
    process = download.Download()
    process.start()
    process.wait()
    assert not process.is_going() and process.problem == ""


@pytest.mark.slow
def test_cancel_ends_the_download_for_every_session(
    sample: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two sessions see one download; one cancels it, and neither shows a failure."""
    from ui.data import download

    download._shared.clear()
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    script = f"open({str(gate)!r}).read()"
    monkeypatch.setattr(download, "_COMMAND", [sys.executable, "-c", script])
    one = page()
    one.button(key="download-start").click().run()
    other = page()
    other.button(key="download-cancel").click().run()
    download._shared().wait()
    for app in (one.run(), other.run()):
        assert not app.exception
        assert not app.warning
        assert app.button(key="download-start")


def test_labels_are_judged_at_a_click(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tab says how long it takes; the click starts it, once, and its progress is shown."""
    digits, started = mnist.load("sample"), []
    monkeypatch.setattr(process, "launch", lambda *given, **_: started.append(given))
    app = page(**{"data-view": "Labels"})
    assert "5,000 images take" in texts(app)
    app.button(key="judge-labels").click().run()
    assert not app.exception
    assert started == [("core.jobs.judge", "sample")]
    assert not [button for button in app.button if button.key == "judge-labels"]
    labels.tell(digits.checksum, Work(problem="It *broke*."))
    app.run()
    assert [warning.value for warning in app.warning] == [format.message("It *broke*.")]
    assert app.button(key="judge-labels")


def test_most_suspicious_labels_come_first(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was judged is shown without a button, the lowest quality first."""
    digits = mnist.load("sample")
    truth = np.concatenate([digits.train_labels, digits.test_labels])
    probabilities = np.eye(10, dtype=np.float32)[truth]
    quality = np.ones(5_000)
    probabilities[4_007], quality[4_007] = np.eye(10)[(truth[4_007] + 1) % 10], 0
    labels.keep(digits.checksum, Judgment(probabilities, quality, 1.0))
    shown: list[str] = []
    monkeypatch.setattr(
        "ui.data.suspects.gallery", lambda images, captions, *_, **__: shown.extend(captions)
    )
    app = page(**{"data-view": "Labels"})
    assert not app.exception
    assert not [button for button in app.button if button.key == "judge-labels"]
    assert shown[0] == f"{truth[4_007]} → {(truth[4_007] + 1) % 10}"


def test_notes_are_kept_and_lead_to_a_training_without(
    whole_app: str, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One says that the label is wrong; it is kept, and Train begins without that image."""
    digits = mnist.load("sample")
    count = len(digits.train_labels) + len(digits.test_labels)
    probabilities = np.full((count, 10), 0.1, np.float32)
    quality = np.arange(count) / count
    labels.keep(digits.checksum, Judgment(probabilities, quality, 1.0))
    monkeypatch.setattr("ui.data.suspects.gallery", lambda *_, **__: 2)
    app = AppTest.from_file(whole_app, default_timeout=60)
    app.session_state["data-view"] = "Labels"
    app.run()
    app.switch_page("../pages/data.py").run()
    app.button_group(key="label-sample-train-2").set_value("wrong").run()
    assert not app.exception
    assert label_notes.load(digits.checksum) == {("train", 2): "wrong"}

    def full(*_: object) -> None:
        raise StoreError("The notes cannot be written: the disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(label_notes, "note", full)
        app.button_group(key="label-sample-train-2").set_value("right").run()
    assert not app.exception and "the disk is full" in app.error[0].value
    app.session_state["all-settings-open"] = True
    app.button(key="train-without").click().run()
    assert not app.exception
    checksum = app.session_state["config"]["notes"]
    assert label_notes.left_out(checksum, digits).tolist() == [2]
    assert app.selectbox(key="setting-notes").value == checksum


def test_the_easiest_and_the_hardest_have_the_ends_of_the_scale() -> None:
    """Many are equally easy after a short run: all of them are at 0, and the hardest at 1."""
    hard = np.array([2.0, 0.0, np.nan, 0.0, 1.0, 2.0, 0.0])
    np.testing.assert_allclose(scaled(hard), [1, 0, np.nan, 0, 0.75, 1, 0])
    assert scaled(np.array([3.0, 3.0])).tolist() == [0, 0]


@pytest.mark.slow
def test_gallery_is_ordered_by_what_a_run_found_hard(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hardest image of a run that recorded it comes first; without such a run none is asked."""
    cache.warm_up().wait()
    assert not [box for box in page().selectbox if box.key == "data-order"]
    config = TrainConfig(network="mlp", epochs=2, batch_size=64, device="cpu", hardness=True)
    run = worker.work(request.enqueue(config, "sample"))
    shown: list[np.ndarray] = []
    monkeypatch.setattr("ui.data.browse.gallery", lambda images, *_, **__: shown.append(images))
    app = page(**{"data-order": run.id})
    assert not app.exception
    digits = mnist.load("sample")
    hardest = int(np.nanargmax(hardness.of(run, digits)))
    assert (shown[-1][0] == digits.train_images[hardest]).all()
    alive = iter([True])  # on a fresh server, the first page is drawn before all is loaded
    monkeypatch.setattr(cache.WarmUp, "is_alive", lambda _: next(alive, False))
    assert [box for box in page().selectbox if box.key == "data-order"]


def test_demo_offers_no_judging(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A visitor of the public demo reads why, and has no button."""
    monkeypatch.setenv("DIGITLAB_DEMO", "1")
    monkeypatch.setattr(people, "me", lambda: Person("Ada", "a" * 32))
    app = page(**{"data-view": "Labels"})
    assert "This is not available in the public demo" in texts(app)
    assert not [button for button in app.button if button.key == "judge-labels"]


@pytest.mark.skipif(
    not (Path(FULL) / "MNIST" / "raw" / "train-images-idx3-ubyte").exists(),
    reason="DIGITLAB_DATA has no MNIST",
)
def test_the_full_set_pages_through_all_70000() -> None:
    """With MNIST there is nothing to download, and the last page holds the last test images."""
    app = page(**{"data-part": "all"})
    assert not app.exception
    assert not [button for button in app.button if button.key == "download-start"]
    assert app.number_input(key="data-page-mnist").label == "Page of 1,167"
    app.number_input(key="data-page-mnist").set_value(1_167).run()
    assert not app.exception
    assert only(app.table).value.set_index("Fact").loc["Images"].tolist() == ["60,000", "10,000"]


@pytest.mark.usefixtures("whole_app")
def test_near_duplicates_are_searched_shown_and_weighed(sample: Path) -> None:
    """Before the search there is a button; after it, pairs and how much they raise an accuracy."""
    from core.data import mnist as data
    from core.jobs import duplicates as job
    from ui.data import duplicates

    duplicates._kept.clear()
    app = AppTest.from_file(str(ROOT / "ui" / "app.py"), default_timeout=60)
    app.session_state["data-view"] = "Near-duplicates"
    app.switch_page("../pages/data.py").run()
    assert app.button(key="search-duplicates").help
    job.search(data.load("sample"))
    app.run()
    assert not app.exception
    assert "pairs**" in texts(app) or "**No pair**" in texts(app)
    app.slider(key="data-duplicates-most").set_value(20).run()
    assert "pairs**" in texts(app)
    assert "points** lower" in texts(app) or "Nothing: no test digit" in texts(app)
    app.button_group(key="data-duplicates-place").set_value("train").run()
    assert not app.exception
