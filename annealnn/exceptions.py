"""Errors and warnings that this package raises."""

from collections.abc import Mapping, Sequence

__all__ = [
    "AnnealnnError",
    "BudgetError",
    "CheckpointError",
    "ContestantFactoryError",
    "DataFileError",
    "EmbeddingError",
    "GraphChangedError",
    "JobError",
    "JobInDoubtError",
    "JournalError",
    "MissingDependencyError",
    "NotInJournalError",
    "ProblemRefusedError",
    "QPUAuthenticationError",
    "QPUConfigurationError",
    "QPUError",
    "QPUUnavailableError",
    "ResultsError",
    "SolverNotFoundError",
    "StopTraining",
    "UnknownContestantError",
    "UnknownFamilyError",
    "UnknownSamplerError",
]


class AnnealnnError(Exception):
    """Base of the errors that are this package's own."""


class EmbeddingError(AnnealnnError, ValueError):
    """A minor embedding does not fit its source or target graph, or none was found."""


class CheckpointError(AnnealnnError, ValueError):
    """A checkpoint is damaged, or belongs to another machine, data set or configuration."""


class UnknownSamplerError(AnnealnnError, LookupError):
    """A sampler name that the registry does not know."""


class UnknownFamilyError(AnnealnnError, LookupError):
    """A family of problems that the benchmark does not know."""


class UnknownContestantError(AnnealnnError, LookupError):
    """A contestant that the benchmark does not know."""


class ContestantFactoryError(AnnealnnError, TypeError):
    """A contestant's factory fails, or makes none."""


class ProblemRefusedError(AnnealnnError, ValueError):
    """A contestant does not take such a problem: its graph, its fields, its size."""


class DataFileError(AnnealnnError, OSError):
    """A shipped data file is missing or does not have its recorded checksum."""


class MissingDependencyError(AnnealnnError, ImportError):
    """A library that an extra installs is not there."""


class QPUError(AnnealnnError):
    """Base of what goes wrong on the way to a processor and back. Its text holds no credential."""


class QPUConfigurationError(QPUError, ValueError):
    """D-Wave's configuration is missing or not to be read, or a keyword of opening a solver breaks its rule."""


class QPUAuthenticationError(QPUError):
    """The service does not take the token."""


class SolverNotFoundError(QPUError, LookupError):
    """No solver has the name or the features that were asked for."""


class QPUUnavailableError(QPUError):
    """The service or its solver does not answer, after all retries that are safe."""


class GraphChangedError(QPUError):
    """The working graph is no longer the one that a problem was made for."""


class JobError(QPUError):
    """The service refused a job, or a job failed or was cancelled, for good.

    Parameters
    ----------
    message : str
    keys : sequence of str
        The jobs' keys in the journal.
    """

    def __init__(self, message: str, keys: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.keys = tuple(keys)


class JobInDoubtError(JobError):
    """It cannot be found out whether jobs were accepted; they are not sent again unless that is asked for."""


class BudgetError(QPUError):
    """The next job would break the budget of QPU access time; it was not sent."""


class JournalError(AnnealnnError, ValueError):
    """A journal is damaged, was written by another version, or is in use in a way that does not go together."""


class NotInJournalError(JournalError, LookupError):
    """A replay asks for a job that the journal has no answer of."""


class ResultsError(AnnealnnError, ValueError):
    """A file of a benchmark's results is damaged, was written by another version, or does not go with the others."""


class StopTraining(Exception):  # noqa: N818 - a signal, as StopIteration is
    """Raised by a callback to end training; the machine is fitted with what it has learned.

    Parameters
    ----------
    reason : str
        What the log says.
    row : mapping of float, optional
        What the callback measured.
    """

    def __init__(self, reason: str = "a callback ended it", row: Mapping[str, float] | None = None) -> None:
        super().__init__(reason)
        self.row = dict(row or {})
