"""Contestants of other libraries: dwave-samplers and OpenJij. Each runs on one core."""

from importlib import import_module
from typing import Any

from annealnn.benchmark.contestants._dimod import DimodContestant
from annealnn.benchmark.contestants._release import release
from annealnn.exceptions import MissingDependencyError


def neal(**settings: Any) -> DimodContestant:
    """Return dwave-samplers' simulated annealing. Effort: sweeps of a read."""
    from dwave.samplers import SimulatedAnnealingSampler

    return _dwave(SimulatedAnnealingSampler(), settings)


def path_integral(**settings: Any) -> DimodContestant:
    """Return dwave-samplers' path-integral annealing, in continuous imaginary time. Effort: sweeps of a read."""
    from dwave.samplers import PathIntegralAnnealingSampler

    return _dwave(PathIntegralAnnealingSampler(), settings)


def tabu(**settings: Any) -> DimodContestant:
    """Return dwave-samplers' tabu search. Effort: updates of a read for each variable.

    Its own default is a time, which no seed repeats; so the search is bounded by updates (`coefficient_z_first`),
    without restarts unless `num_restarts` says so. It tells no times: its preparation in Python counts as sampling.
    """
    from dwave.samplers import TabuSampler

    return DimodContestant(
        TabuSampler(),
        version=release("dwave-samplers"),
        effort_name="updates_per_variable",
        effort_keyword="coefficient_z_first",
        keywords={"timeout": None, "num_restarts": 0, "lower_bound_z": 1, **settings},
    )


def tree() -> DimodContestant:
    """Return dwave-samplers' tree decomposition: one optimum. There is no effort; each read solves the problem anew."""
    from dwave.samplers import TreeDecompositionSolver

    return DimodContestant(TreeDecompositionSolver(), version=release("dwave-samplers"), reads_at_once=False)


def planar() -> DimodContestant:
    """Return dwave-samplers' solver of planar problems without fields: one optimum.

    There is no effort; each read solves the problem anew.
    """
    from dwave.samplers import PlanarGraphSolver

    return DimodContestant(PlanarGraphSolver(), version=release("dwave-samplers"), reads_at_once=False)


def openjij_sa(**settings: Any) -> DimodContestant:
    """Return OpenJij's simulated annealing. Effort: sweeps of a read."""
    return _openjij("SASampler", settings)


def openjij_sqa(**settings: Any) -> DimodContestant:
    """Return OpenJij's simulated quantum annealing. Effort: sweeps of a read, each over all of its `trotter` slices.

    A read gives the slice of least energy, unlike our quantum annealing, which gives the first.
    """
    return _openjij("SQASampler", settings)


def _dwave(sampler: Any, settings: dict[str, Any]) -> DimodContestant:
    return DimodContestant(sampler, version=release("dwave-samplers"), effort_name="num_sweeps", keywords=settings)


def _openjij(name: str, settings: dict[str, Any]) -> DimodContestant:
    try:
        openjij = import_module("openjij")
    except ImportError:
        msg = "contestants of OpenJij need the package openjij, which is not installed: pip install openjij"
        raise MissingDependencyError(msg) from None
    return DimodContestant(
        getattr(openjij, name)(),
        version=release("openjij"),
        effort_name="num_sweeps",
        keywords=settings,
        # with a seed all reads of a call begin and go on alike (OpenJij 0.12), and are one read
        reads_at_once=False,
    )
