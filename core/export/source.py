"""The run and the network that an export's files are made from."""

import json
from dataclasses import asdict, dataclass

from core.errors import RunError
from core.export.terms import why_not
from core.reading.reader import Reader, calibrated_reader
from core.runs.run import Run


@dataclass(frozen=True, eq=False)
class Source:
    """A finished run, and the reader with its best epoch's network and calibration."""

    run: Run
    reader: Reader

    def facts(self) -> str:
        """Return what importing the network as this run again needs, as JSON without people."""
        run = self.run
        facts = {
            "config": self.reader.config.to_dict(),
            "calibration": asdict(self.reader.calibration),
            "name": run.name,
            "recipe": run.recipe,
            "data": run.data,
            "data_checksum": run.data_checksum,
            "seen": list(run.seen),
            "taught_digits": run.taught_digits,
            "epochs": run.epochs,
            "best_epoch": run.best_epoch,
            "validation_accuracy": run.validation_accuracy,
            "test_accuracy": run.test_accuracy,
            "train_seconds": run.train_seconds,
        }
        return json.dumps(facts, sort_keys=True)


def of(run: Run) -> Source:
    """Return the source of a run's export.

    Raises RunError if the run is in progress or has no network, and CheckpointError.
    """
    why = why_not(run)
    if why:
        raise RunError(why)
    return Source(run, calibrated_reader(run))
