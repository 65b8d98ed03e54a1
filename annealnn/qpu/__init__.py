"""The way to a processor: opening a solver, planning jobs, the journal that loses none of them."""

from annealnn.qpu._connection import Connection
from annealnn.qpu._definition import SolverDefinition
from annealnn.qpu._dispatcher import Dispatcher
from annealnn.qpu._job import JobAnswer, JobRequest
from annealnn.qpu._journal import Journal, default_journal
from annealnn.qpu._retries import Retries

__all__ = [
    "Connection",
    "Dispatcher",
    "JobAnswer",
    "JobRequest",
    "Journal",
    "Retries",
    "SolverDefinition",
    "default_journal",
]
