"""A run's network as an MLflow model, for `load_model` and `models serve`.

It is a folder `model` among the run's files: the network as ONNX, its signature and its
requirements. It maps 28 × 28 pixels in [0, 1] to ten probabilities. Nothing is pickled.

python -m core.export.mlflow_model RUN
"""

import sys
import tempfile
from pathlib import Path

from core.export import onnx, source
from core.jobs import process
from core.runs import catalogue
from core.runs.run import Run
from core.runs.store import connect

FOLDER = "model"
_NEEDS = ("mlflow", "onnx", "onnxruntime", "numpy", "pandas")


def publish(run: Run) -> None:
    """Put the model beside the run's files in the store.

    Raises RunError if the run has no network, or if its ONNX file gives other answers;
    CheckpointError, StoreError.
    """
    network = onnx.file(source.of(run))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / FOLDER
        folder.mkdir()
        (folder / network.name).write_bytes(network.content)
        (folder / "requirements.txt").write_text("".join(f"{name}\n" for name in _NEEDS))
        _describe(run, folder, network.name)
        with connect() as (client, _):
            client.log_artifacts(run.id, str(folder), FOLDER)


def _describe(run: Run, folder: Path, network: str) -> None:
    """Write the file MLmodel, as MLflow's own `mlflow.onnx.save_model` would."""
    import numpy as np
    from mlflow.models import Model, ModelSignature
    from mlflow.types import Schema, TensorSpec

    signature = ModelSignature(
        Schema([TensorSpec(np.dtype(np.float32), (-1, 28, 28), onnx.INPUT)]),
        Schema([TensorSpec(np.dtype(np.float32), (-1, 10), onnx.OUTPUT)]),
    )
    model = Model(artifact_path=FOLDER, run_id=run.id, signature=signature)
    model.add_flavor("onnx", data=network, providers=["CPUExecutionProvider"])
    model.add_flavor(
        "python_function",
        loader_module="mlflow.onnx",
        data=network,
        env={"virtualenv": "python_env.yaml"},
    )
    python = "python: '3.11'\nbuild_dependencies:\n- pip\ndependencies:\n- -r requirements.txt\n"
    (folder / "python_env.yaml").write_text(python)
    model.save(str(folder / "MLmodel"))


if __name__ == "__main__":
    sys.exit(process.status_of(lambda: publish(catalogue.get(sys.argv[1]))))
