"""Errors and warnings that this package raises."""

from collections.abc import Mapping

__all__ = [
    "AnnealnnError",
    "CheckpointError",
    "DataFileError",
    "EmbeddingError",
    "MissingDependencyError",
    "StopTraining",
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


class DataFileError(AnnealnnError, OSError):
    """A shipped data file is missing or does not have its recorded checksum."""


class MissingDependencyError(AnnealnnError, ImportError):
    """A library that an extra installs is not there."""


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
