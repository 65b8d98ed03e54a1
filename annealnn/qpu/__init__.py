"""The way to a processor: opening a solver, planning jobs, the journal that loses none of them."""

from typing import TYPE_CHECKING

from annealnn._lazy import attach

if TYPE_CHECKING:  # the same names for type checkers; tests/packaging holds the two lists together
    from annealnn.qpu._achieved_gamma import AchievedGamma, estimate_gamma
    from annealnn.qpu._compiled import CompiledQPU
    from annealnn.qpu._connection import Connection
    from annealnn.qpu._definition import SolverDefinition
    from annealnn.qpu._dispatcher import Dispatcher
    from annealnn.qpu._job import JobAnswer, JobRequest
    from annealnn.qpu._journal import Journal, default_journal
    from annealnn.qpu._opening import open_qpu
    from annealnn.qpu._planner import Part, Plan, plan
    from annealnn.qpu._quench import QuenchComposite, QuenchPlan, plan_quench
    from annealnn.qpu._retries import Retries
    from annealnn.qpu._sampler import QPUSampler
    from annealnn.qpu._timing import JobTime
else:  # hidden from type checkers, for which a module's __getattr__ has every name
    __getattr__, __dir__, _ = attach(
        __name__,
        {
            "AchievedGamma": "annealnn.qpu._achieved_gamma",
            "CompiledQPU": "annealnn.qpu._compiled",
            "Connection": "annealnn.qpu._connection",
            "Dispatcher": "annealnn.qpu._dispatcher",
            "JobAnswer": "annealnn.qpu._job",
            "JobRequest": "annealnn.qpu._job",
            "JobTime": "annealnn.qpu._timing",
            "Journal": "annealnn.qpu._journal",
            "Part": "annealnn.qpu._planner",
            "Plan": "annealnn.qpu._planner",
            "QPUSampler": "annealnn.qpu._sampler",
            "QuenchComposite": "annealnn.qpu._quench",
            "QuenchPlan": "annealnn.qpu._quench",
            "Retries": "annealnn.qpu._retries",
            "SolverDefinition": "annealnn.qpu._definition",
            "default_journal": "annealnn.qpu._journal",
            "estimate_gamma": "annealnn.qpu._achieved_gamma",
            "open_qpu": "annealnn.qpu._opening",
            "plan": "annealnn.qpu._planner",
            "plan_quench": "annealnn.qpu._quench",
        },
    )

__all__ = [
    "AchievedGamma",
    "CompiledQPU",
    "Connection",
    "Dispatcher",
    "JobAnswer",
    "JobRequest",
    "JobTime",
    "Journal",
    "Part",
    "Plan",
    "QPUSampler",
    "QuenchComposite",
    "QuenchPlan",
    "Retries",
    "SolverDefinition",
    "default_journal",
    "estimate_gamma",
    "open_qpu",
    "plan",
    "plan_quench",
]
