"""Every error that a page or the command line shows to a person.

UserError                      something a person can put right; its message says what and how
├── ConfigError                a field of a configuration has an impossible value
├── DeviceError                the device or precision asked for is not on this machine
├── DataError                  the MNIST files are missing, damaged or not MNIST's
├── CheckpointError            a checkpoint is damaged, foreign or cannot be written
├── RunError                   no such run, several such runs, or a run in the wrong state
├── StoreError                 the run store does not answer, is locked, read-only or foreign
└── InkError                   a drawing or a picture from which no digit can be read

Anything else that is raised is a bug, and is meant to surface as one.
"""


class UserError(Exception):
    """What is wrong and what to do next, in one message for the person in front of it."""


class ConfigError(UserError):
    """An impossible value, with the field, the rule and the value it got."""


class DeviceError(UserError):
    """The device or precision asked for does not exist here."""


class DataError(UserError):
    """The data files are missing, truncated, of a wrong kind, or not MNIST's."""


class CheckpointError(UserError):
    """A checkpoint is truncated, foreign, or holds more than weights."""


class RunError(UserError):
    """A run is unknown, ambiguous, or in a state that does not allow what was asked."""


class StoreError(UserError):
    """The run store cannot be read or written."""


class InkError(UserError):
    """No digit can be read from a drawing or a picture."""
