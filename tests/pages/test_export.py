"""A run leaves from Evaluate and Compare, and a network comes in under Compare."""

import io

import pytest
import torch
from streamlit.testing.v1 import AppTest

from core.config import TrainConfig
from core.runs import builtin, catalogue
from core.training import networks
from tests.pages.elements import only
from ui import keys

pytestmark = pytest.mark.usefixtures("sample_only")


def test_export_is_made_when_it_is_asked_for(whole_app: str) -> None:
    """The button opens a dialog with the files, and a ZIP of them to download."""
    app = AppTest.from_file(whole_app, default_timeout=120)
    app.switch_page("../pages/evaluate.py").run()
    assert not app.exception and not [one for one in app.download_button if "zip" in one.key]
    app.button(key=f"export-{builtin.run().id}").click().run()
    assert not app.exception
    [text] = [one.value for one in app.markdown if "`model.onnx`" in one.value]
    assert all(name in text for name in ("model.safetensors", "predict.py", "README.md"))
    [download] = [one for one in app.download_button if "zip" in one.key]
    assert download.label.startswith("Download (1.")


def test_run_without_a_network_cannot_be_exported(whole_app: str) -> None:
    """On Compare its button is off, and says what to wait for."""
    run = catalogue.create(TrainConfig(), "sample", name="waits")
    app = AppTest.from_file(whole_app, default_timeout=60)
    app.session_state[keys.COMPARED] = [run.id]
    app.switch_page("../pages/compare.py").run()
    button = app.button(key=f"export-{run.id}")
    assert button.disabled and "is queued" in button.help


def test_weights_come_in_and_misfits_are_reported(whole_app: str) -> None:
    """An upload becomes a run of that name; one that does not fit gives a message and no run."""
    model = networks.build(TrainConfig().changed({"network": "lenet5"}))
    app = AppTest.from_file(whole_app, default_timeout=60)
    app.session_state[keys.TAKE_IN_OPEN] = True
    app.switch_page("../pages/compare.py").run()

    def upload(state: dict[str, torch.Tensor], number: int) -> None:
        buffer = io.BytesIO()
        torch.save(state, buffer)
        uploader = app.file_uploader(key=f"{keys.TAKE_IN}-{number}")
        uploader.set_value(("brought.pt", buffer.getvalue(), "application/octet-stream"))
        [button] = [one for one in app.button if one.label == "Import"]
        button.click().run()

    upload({"layer.weight": torch.zeros(2, 3)}, 0)
    assert "fit none of the networks here" in only(app.error).value.replace("\\", "")
    assert catalogue.listed() == []
    upload(model.state_dict(), 0)
    assert not app.exception
    [run] = catalogue.listed()
    assert (run.name, run.imported, run.config.network) == ("brought", "weights", "lenet5")
    assert only(app.success).value.startswith("**brought** is now one of the runs: LeNet")
    app.switch_page("../pages/evaluate.py").run()
    assert app.selectbox(key=keys.RUN_CHOICE).value == run.id
    told = [one.value for one in app.markdown]
    assert [one for one in told if one.startswith("Not calibrated: calibration needs images")]
