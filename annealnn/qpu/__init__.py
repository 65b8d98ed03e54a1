"""The way to a processor: opening a solver, planning jobs, the journal that loses none of them."""

from annealnn.qpu._definition import SolverDefinition
from annealnn.qpu._job import JobAnswer, JobRequest
from annealnn.qpu._journal import Journal, default_journal

__all__ = ["JobAnswer", "JobRequest", "Journal", "SolverDefinition", "default_journal"]
