"""The way to a processor: opening a solver, planning jobs, the journal that loses none of them."""

from typing import TYPE_CHECKING

from annealnn._lazy import attach

if TYPE_CHECKING:  # the same names for type checkers; tests/packaging holds the two lists together
    from annealnn.qpu._achieved_gamma import AchievedGamma, estimate_gamma
    from annealnn.qpu._job import JobAnswer, JobRequest
    from annealnn.qpu._quench import QuenchComposite, QuenchPlan, plan_quench
else:  # hidden from type checkers, for which a module's __getattr__ has every name
    __getattr__, __dir__, _ = attach(
        __name__,
        {
            "AchievedGamma": "annealnn.qpu._achieved_gamma",
            "JobAnswer": "annealnn.qpu._job",
            "JobRequest": "annealnn.qpu._job",
            "QuenchComposite": "annealnn.qpu._quench",
            "QuenchPlan": "annealnn.qpu._quench",
            "estimate_gamma": "annealnn.qpu._achieved_gamma",
            "plan_quench": "annealnn.qpu._quench",
        },
    )

__all__ = [
    "AchievedGamma",
    "JobAnswer",
    "JobRequest",
    "QuenchComposite",
    "QuenchPlan",
    "estimate_gamma",
    "plan_quench",
]
