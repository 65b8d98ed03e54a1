"""Coherent evolution: the state vector under Eq. (1), and what is measured on its way."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from threadpoolctl import threadpool_limits

from annealnn._progress import Wanted, late_progress_bar
from annealnn._validation import check_count
from annealnn.dynamics._initial import check_inputs, checked_times, initial_amplitudes
from annealnn.dynamics._levels import Low, Sector, check_levels
from annealnn.dynamics._propagation import Propagator, check_qubits
from annealnn.models import IsingModel, Moments
from annealnn.models._exact import basis_moments
from annealnn.samplers._gamma import Gamma, gamma_by_variable
from annealnn.schedules import Drive
from annealnn.typing import AnyArray, Floats


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evolution:
    """What a coherent evolution measured at each time. Basis order: qubit 0 most significant, 0 is spin +1."""

    times: Floats  #: (num_times,)
    energy: Floats  #: `<H(t)>`, (num_times,)
    problem_energy: Floats  #: `<E(Z)>`, without the drive's factor and the problem's offset, (num_times,)
    moments: Moments  #: `<Z_i>` (num_times, num_variables), and `<Z_i Z_j>` along the edges (num_times, num_edges)
    transverse_moments: Floats  #: `<X_i>`, (num_times, num_variables)
    levels: Floats  #: lowest eigenvalues of H(t), rising, (num_times, num_levels)
    populations: Floats  #: of these levels, (num_times, num_levels)
    observed: list[Any]  #: what `observe` returned at each time
    state: AnyArray  #: amplitudes at the last time, (2**num_variables,) complex
    error: float  #: estimate of the norm of the state's error, on the large side; rounding apart
    num_steps: int


def evolve(
    problem: IsingModel,
    drive: Drive,
    *,
    gamma: Gamma = 1.0,
    initial_state: Any = None,
    times: Any = None,
    num_levels: int = 0,
    observe: Callable[[float, AnyArray], Any] | None = None,
    tolerance: float = 1e-8,
    progress: Wanted = "auto",
    num_threads: int | None = None,
) -> Evolution:
    """Integrate i dpsi/dt = H(t) psi, H(t) = -transverse(t) sum_i gamma_i X_i + problem(t) E(Z), hbar = 1.

    H is never built: a step costs about 2^n n operations, and memory is that of less than four state vectors. 20 qubits
    take 64 MiB, and 6 s for an anneal of time 10. To go on from a kept state, evolve it under `drive.between`.

    Parameters
    ----------
    problem : IsingModel
        E(Z) = -sum J_ij Z_i Z_j - sum h_i Z_i.
    drive : Drive
        Such as `AnnealSchedule.drive()` gives.
    gamma : float, or mapping from label to float, or array of shape (num_variables,)
        Weight of each X_i, at least 0.
    initial_state : optional
        None for all qubits along +X, the ground state of the transverse term; spins, as a mapping by label or an array
        (num_variables,); or amplitudes (2**num_variables,).
    times : array of shape (num_times,), optional
        Rising, from 0 to the drive's duration. None measures at the end only.
    num_levels : int
        Lowest levels of H(t) whose populations are reported. They are diagonalised at each time, which takes as long as
        in `spectrum`, and memory of twenty state vectors or more. Of degenerate levels only the sum of populations has
        a meaning.
    observe : callable, optional
        Called as `observe(time, amplitudes)` at each time, with a copy of the state (one more state vector of memory).
    tolerance : float
        Of the norm of the state's error at the drive's end, from 1e-12 to 0.1: probabilities err by less than twice as
        much. Steps are chosen by it. Rounding comes on top, about 1e-12 for a thousand steps.
    progress : "auto" or bool
    num_threads : int, optional
        All processors if None, from 16 qubits on. The result does not depend on it.

    Raises
    ------
    ValueError
        If an argument breaks its rule.
    TypeError
        If `problem` is no IsingModel, or `drive` no Drive.
    MemoryError
        If the state does not fit in memory; before it is allocated.

    Examples
    --------
    >>> from annealnn import IsingModel
    >>> from annealnn.dynamics import evolve
    >>> from annealnn.schedules import AnnealSchedule
    >>> slow = AnnealSchedule.linear(100.0).drive()
    >>> round(float(evolve(IsingModel([1.0], {}), slow).moments.spins[0, 0]), 3)
    1.0
    """
    check_inputs(problem, drive)
    structure = problem.structure
    check_qubits(structure.num_variables)
    field = gamma_by_variable(gamma, structure)
    moments_at = checked_times(times, drive)
    start = initial_amplitudes(problem, initial_state)
    propagator = Propagator(problem, field, drive, tolerance=tolerance, num_threads=num_threads)
    propagator.begin(start)
    rows: list[tuple[float, Floats, Floats, Floats]] = []
    levels = _Levels(propagator, field, check_count("num_levels", num_levels, minimum=0), drive)
    observed: list[Any] = []
    with late_progress_bar("evolve", wanted=progress) as show:

        def watch(time: float) -> bool:
            show(time / moments_at[-1])
            return False

        for time in moments_at:
            propagator.advance(float(time), watch if moments_at[-1] else None)
            rows.append(_measure(propagator, problem))
            levels.measure(float(time))
            if observe is not None:
                observed.append(observe(float(time), propagator.amplitudes))
    energies, spins, pairs, transverse = (np.array(column) for column in zip(*rows, strict=True))
    along, with_problem = drive.at(moments_at)
    propagator.finish()
    return Evolution(
        times=moments_at,
        energy=with_problem * energies - along * (transverse @ field),
        problem_energy=energies,
        moments=Moments(spins, pairs),
        transverse_moments=transverse,
        levels=np.array(levels.levels),
        populations=np.array(levels.populations),
        observed=observed,
        state=propagator.amplitudes,
        error=propagator.error,
        num_steps=propagator.num_steps,
    )


def _measure(propagator: Propagator, problem: IsingModel) -> tuple[float, Floats, Floats, Floats]:
    """Return `<E>`, `<Z_i>`, `<Z_i Z_j>` along the edges and `<X_i>`."""
    transverse = propagator.transverse_moments()
    probabilities = propagator.probabilities()
    spins, pairs = basis_moments(problem.structure, probabilities)
    return float(probabilities @ propagator.energies), spins, pairs, transverse


@final
class _Levels:
    """The lowest levels of H(t), and the state's populations of them, gathered time by time."""

    def __init__(self, propagator: Propagator, gamma: Floats, count: int, drive: Drive) -> None:
        self._propagator, self._count, self._drive = propagator, count, drive
        if count:
            check_levels(count, propagator.num_qubits)
            self._sector = Sector(propagator.energies, gamma)
        self._last: Low | None = None
        self._rng = np.random.default_rng(0)
        self.levels: list[Floats] = []
        self.populations: list[Floats] = []

    def measure(self, time: float) -> None:
        """Add the levels and populations at `time`, at which the state is."""
        if not self._count:
            self.levels.append(np.empty(0))
            self.populations.append(np.empty(0))
            return
        transverse, problem = self._drive.at(time)
        with threadpool_limits(1, "blas"):
            low = self._sector.lowest(float(transverse), float(problem), self._count, self._rng, self._last)
            overlaps = self._propagator.parts @ low.states
        self._last = low
        self.levels.append(low.levels)
        self.populations.append((overlaps**2).sum(axis=0))
