"""The errors that a page or the command line shows to the user.

UserError                      something the user can fix; its message says what and how
├── ConfigError                a field of a configuration has an impossible value
├── DeviceError                the chosen device or precision is not available on this machine
├── DataError                  the MNIST files are missing, damaged or not MNIST
├── CheckpointError            a checkpoint is damaged, foreign or cannot be written
├── RunError                   no such run, several such runs, or a run in the wrong state
│   └── ChangedError           somebody else changed the same part of a run in the meantime
├── StoreError                 the run store does not answer, is locked, read-only or foreign
├── ExperimentError            an experiment's file has a mistake, or the experiment cannot go on
├── SweepError                 no such sweep, or one in the wrong state, or its storage fails
└── InkError                   no digit can be read from a drawing or a picture

Any other exception is a bug, and is shown as one.
"""


class UserError(Exception):
    """An error with a message for the user: what is wrong and what to do next."""


class ConfigError(UserError):
    """A setting has an impossible value; the message has the field, the rule and the value."""


class DeviceError(UserError):
    """The chosen device or precision is not available on this machine."""


class DataError(UserError):
    """The data files are missing, truncated, of the wrong kind, or not MNIST."""


class CheckpointError(UserError):
    """A checkpoint is truncated, foreign, or holds more than weights."""


class RunError(UserError):
    """A run is unknown, ambiguous, or in a state that does not allow the request."""


class ChangedError(RunError):
    """Somebody else changed the value first; `now` is the value that they set."""

    def __init__(self, message: str, now: str) -> None:
        super().__init__(message)
        self.now = now


class StoreError(UserError):
    """The run store cannot be read or written."""


class ExperimentError(UserError):
    """The file of an experiment has a mistake, or the experiment took too long."""


class SweepError(UserError):
    """A sweep is unknown or in a state that does not allow the request, or cannot be stored."""


class InkError(UserError):
    """No digit can be read from a drawing or a picture."""
