"""The way to a processor: opening a solver, planning jobs, the journal that loses none of them."""

from annealnn.qpu._job import JobAnswer, JobRequest

__all__ = ["JobAnswer", "JobRequest"]
