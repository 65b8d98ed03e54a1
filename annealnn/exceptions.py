"""Errors and warnings that this package raises."""

__all__ = ["AnnealnnError", "CheckpointError", "DataFileError", "EmbeddingError", "UnknownSamplerError"]


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
