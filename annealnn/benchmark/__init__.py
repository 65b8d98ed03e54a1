"""Who solves which problems how fast: families of problems, contestants, a runner, and the statistics of the field.

`annealnn.benchmark.families` builds and certifies problems, `annealnn.benchmark.contestants` opens who takes part,
`annealnn.benchmark.statistics` has the estimators. Public names load on first use.
"""

from typing import TYPE_CHECKING

from annealnn._lazy import attach

if TYPE_CHECKING:  # the same names for type checkers; tests/packaging holds the two lists together
    from annealnn.benchmark._analyse import analyse
    from annealnn.benchmark._analysis import Analysis
    from annealnn.benchmark._contestant import Contestant, ContestantSpec, Hardware, Run, TimeSplit
    from annealnn.benchmark._instance import Instance, InstanceSpec, Optimum
    from annealnn.benchmark._measures import measure_names
    from annealnn.benchmark._plan import Entrant, plan_tasks
    from annealnn.benchmark._pool import WorkerPool
    from annealnn.benchmark._results import ResultsFile, merge_results
    from annealnn.benchmark._runner import Executor, run_tasks
    from annealnn.benchmark._task import Record, Task
    from annealnn.benchmark._training import plan_trainings
    from annealnn.benchmark._verdict import GroupVerdict, Verdict, verdict
    from annealnn.benchmark._worker import execute
else:  # hidden from type checkers, for which a module's __getattr__ has every name
    __getattr__, __dir__, _ = attach(
        __name__,
        {
            "Analysis": "annealnn.benchmark._analysis",
            "Contestant": "annealnn.benchmark._contestant",
            "ContestantSpec": "annealnn.benchmark._contestant",
            "Entrant": "annealnn.benchmark._plan",
            "Executor": "annealnn.benchmark._runner",
            "GroupVerdict": "annealnn.benchmark._verdict",
            "Hardware": "annealnn.benchmark._contestant",
            "Instance": "annealnn.benchmark._instance",
            "InstanceSpec": "annealnn.benchmark._instance",
            "Optimum": "annealnn.benchmark._instance",
            "Record": "annealnn.benchmark._task",
            "ResultsFile": "annealnn.benchmark._results",
            "Run": "annealnn.benchmark._contestant",
            "Task": "annealnn.benchmark._task",
            "TimeSplit": "annealnn.benchmark._contestant",
            "Verdict": "annealnn.benchmark._verdict",
            "WorkerPool": "annealnn.benchmark._pool",
            "analyse": "annealnn.benchmark._analyse",
            "execute": "annealnn.benchmark._worker",
            "measure_names": "annealnn.benchmark._measures",
            "merge_results": "annealnn.benchmark._results",
            "plan_tasks": "annealnn.benchmark._plan",
            "plan_trainings": "annealnn.benchmark._training",
            "run_tasks": "annealnn.benchmark._runner",
            "verdict": "annealnn.benchmark._verdict",
        },
    )

__all__ = [
    "Analysis",
    "Contestant",
    "ContestantSpec",
    "Entrant",
    "Executor",
    "GroupVerdict",
    "Hardware",
    "Instance",
    "InstanceSpec",
    "Optimum",
    "Record",
    "ResultsFile",
    "Run",
    "Task",
    "TimeSplit",
    "Verdict",
    "WorkerPool",
    "analyse",
    "execute",
    "measure_names",
    "merge_results",
    "plan_tasks",
    "plan_trainings",
    "run_tasks",
    "verdict",
]
