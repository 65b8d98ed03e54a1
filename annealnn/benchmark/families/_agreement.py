"""Lowest energies that unlike solvers agree on, where nothing proves them."""

from collections.abc import Callable
from typing import NamedTuple

import dimod
import numpy as np

from annealnn.benchmark._instance import Optimum
from annealnn.benchmark.families._windows import Window, descend_by_windows, windows_of
from annealnn.models import IsingModel
from annealnn.samplers import ParallelTemperingSampler
from annealnn.samplers._simulated_annealing import default_beta_range
from annealnn.typing import Spins

_SEEDS = (1, 2, 3)
_ENOUGH = 2
# each round has four times the effort of the one before
_ROUNDS = 3
_RELATIVE = 1e-9
# edges for each variable, above which windows are too small to help: Chimera has 3, Pegasus 7
_SPARSE = 4


class _Problem(NamedTuple):
    model: IsingModel
    bqm: dimod.BinaryQuadraticModel
    windows: list[Window]  #: none of a dense problem


# (problem, round, seed) -> state
_Solver = Callable[[_Problem, int, int], Spins]


def agree(model: IsingModel) -> Optimum | None:
    """Return the lowest energy that at least two unlike solvers find, each from two of three seeds, or None.

    Parallel tempering (annealnn); simulated annealing (dwave-samplers), on sparse graphs with exact optima of windows
    after it; tabu search (dwave-samplers). In up to three rounds of rising effort. Which of them agree is in the
    optimum: it proves nothing.
    """
    sparse = model.structure.num_edges <= _SPARSE * model.structure.num_variables
    problem = _Problem(model, model.to_bqm(), windows_of(model.structure) if sparse else [])
    best_energy, best_state = np.inf, None
    for effort in range(_ROUNDS):
        lowest = {}
        for name, solve in _SOLVERS.items():
            for seed in _SEEDS:
                found = solve(problem, effort, seed)
                energy = float(model.energy(found))
                lowest[name, seed] = energy
                if energy < best_energy:
                    best_energy, best_state = energy, found
        bound = best_energy + _RELATIVE * max(1.0, abs(best_energy))
        agreeing = tuple(name for name in _SOLVERS if sum(lowest[name, seed] <= bound for seed in _SEEDS) >= _ENOUGH)
        if len(agreeing) > 1:
            return Optimum(energy=best_energy, proof="agreement", state=best_state, solvers=agreeing)
    return None


def _descended(problem: _Problem, reads: dimod.SampleSet) -> Spins:
    """Return the local minima (num_reads, num_variables) below reads, lowest first."""
    from dwave.samplers import SteepestDescentSolver

    down = SteepestDescentSolver().sample(problem.bqm, initial_states=reads)
    place = {v: k for k, v in enumerate(down.variables)}
    columns = [place[v] for v in problem.model.labels]
    minima: Spins = down.record.sample[np.argsort(down.record.energy, kind="stable")][:, columns].astype(np.int8)
    return minima


def _tempering(problem: _Problem, effort: int, seed: int) -> Spins:
    cold = default_beta_range(problem.model.structure, problem.model.parameters)[1]
    reads = ParallelTemperingSampler().sample(
        problem.bqm, num_reads=2, num_sweeps=500 * 4**effort, beta=cold, seed=seed, progress=False, num_threads=1
    )
    return np.asarray(_descended(problem, reads)[0])


def _annealing(problem: _Problem, effort: int, seed: int) -> Spins:
    from dwave.samplers import SimulatedAnnealingSampler

    reads = SimulatedAnnealingSampler().sample(problem.bqm, num_reads=32, num_sweeps=1000 * 4**effort, seed=seed)
    minima = _descended(problem, reads)
    if not problem.windows:
        return np.asarray(minima[0])
    starts = minima[: 4 * 2**effort]
    below = [descend_by_windows(problem.model, problem.windows, start, seed + k) for k, start in enumerate(starts)]
    return min(below, key=lambda state: float(problem.model.energy(state)))


def _tabu(problem: _Problem, effort: int, seed: int) -> Spins:
    from dwave.samplers import TabuSampler

    # a limit in seconds would make the answer depend on the machine
    reads = TabuSampler().sample(problem.bqm, num_reads=1, num_restarts=4 * 4**effort, timeout=None, seed=seed)
    return np.asarray(_descended(problem, reads)[0])


_SOLVERS: dict[str, _Solver] = {
    "annealnn ParallelTemperingSampler": _tempering,
    "dwave-samplers SimulatedAnnealingSampler": _annealing,
    "dwave-samplers TabuSampler": _tabu,
}
