"""The exceptions of Probatum.

::

    ProbatumError                       anything a person can mend; shown without a traceback
    ├── UsageError (ValueError)         the call is wrong                                exit 2
    │   ├── ParameterError              a parameter: unknown, missing, or out of bounds
    │   ├── UnknownNameError (KeyError) a study, run or metric that does not exist
    │   └── MissingExtraError (ImportError)  an optional package is not installed
    ├── RecordError (ValueError)        a file of a run is missing, torn, or edited      exit 1
    ├── ComparisonError (ValueError)    two runs cannot be compared                      exit 1
    ├── TrackingError (RuntimeError)    a tracking store is down or refuses a run        exit 1
    └── RunFailedError (RuntimeError)   the training itself failed                       exit 3
        └── RunInterruptedError         stopped by a person or the system; can be resumed
"""

from __future__ import annotations


class ProbatumError(Exception):
    """Anything that a person can mend; the command line shows it without a traceback."""

    exit_code = 1


class UsageError(ProbatumError, ValueError):
    """The call is wrong: nothing was run."""

    exit_code = 2


class ParameterError(UsageError):
    """One or more parameters are unknown, missing or out of bounds."""


class UnknownNameError(UsageError, KeyError):
    """A study, run, metric or file that does not exist."""

    def __str__(self) -> str:
        """Return the message itself: `KeyError` would show it quoted."""
        return str(self.args[0]) if self.args else ""


class MissingExtraError(UsageError, ImportError):
    """An optional package is not installed; the message holds the pip line."""


class RecordError(ProbatumError, ValueError):
    """A file of a run is missing, torn, or was edited."""

    exit_code = 1


class ComparisonError(ProbatumError, ValueError):
    """Two runs cannot be compared; the message names the field that differs."""

    exit_code = 1


class TrackingError(ProbatumError, RuntimeError):
    """A tracking store cannot be reached or refuses a run; the run itself is whole."""

    exit_code = 1


class RunFailedError(ProbatumError, RuntimeError):
    """The training itself failed; the run folder says why."""

    exit_code = 3


class RunInterruptedError(RunFailedError):
    """The run was stopped before its end; `probatum resume` continues it."""
