"""The way to a processor: opening a solver, planning jobs, the journal that loses none of them."""

from annealnn.qpu._compiled import CompiledQPU
from annealnn.qpu._definition import SolverDefinition
from annealnn.qpu._job import JobAnswer, JobRequest
from annealnn.qpu._journal import Journal, default_journal
from annealnn.qpu._planner import Part, Plan, plan
from annealnn.qpu._sampler import QPUSampler
from annealnn.qpu._timing import JobTime

__all__ = [
    "CompiledQPU",
    "JobAnswer",
    "JobRequest",
    "JobTime",
    "Journal",
    "Part",
    "Plan",
    "QPUSampler",
    "SolverDefinition",
    "default_journal",
    "plan",
]
