"""What the open-system solvers share: a model as dense matrices, where it begins, and what is seen of it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, final

import numpy as np

from annealnn._memory import check_memory
from annealnn._parallel import Watch
from annealnn._progress import Wanted, late_progress_bar
from annealnn.dynamics._davies import Density, runs
from annealnn.dynamics._initial import check_inputs, checked_times, initial_amplitudes
from annealnn.models import IsingModel
from annealnn.models._exact import basis_energies, basis_spins
from annealnn.samplers._gamma import Gamma, gamma_by_variable
from annealnn.schedules import Drive
from annealnn.typing import Floats

MAX_QUBITS = 8
# levels closer than this, relative to the spectrum's width, are one
_SAME = 1e-9
# how far a given density matrix may be from Hermitian, from trace 1, and below 0
_ROUNDING = 1e-6


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpenEvolution:
    """A density matrix over time. Basis order: qubit 0 most significant, basis digit 0 is spin +1."""

    times: Floats  #: (num_times,), in the drive's time unit
    states: Density  #: density matrices, (num_times, 2**num_variables, 2**num_variables)
    levels: Floats  #: eigenvalues of H(t), rising, (num_times, 2**num_variables), 1/time
    populations: Floats  #: of those levels, (num_times, 2**num_variables); degenerate ones share theirs equally
    energy: Floats  #: `<H(t)>`, (num_times,), 1/time
    purity: Floats  #: trace of the square, (num_times,)
    error: float | None  #: of the last state, in trace distance: so of any probability. None if the solver says none
    num_steps: int  #: of the solver; those tried and not taken count

    @property
    def probabilities(self) -> Floats:
        """Probabilities of the basis states at the last time, (2**num_variables,)."""
        diagonal = np.maximum(self.states[-1].diagonal().real, 0)
        return np.asarray(diagonal / diagonal.sum())


class DenseModel(NamedTuple):
    """H = problem E - transverse sum_i gamma_i X_i in pieces."""

    energies: Floats  #: E of basis states, (num_states,)
    signs: Floats  #: diagonals of the Z_i, (num_qubits, num_states)
    flips: Floats  #: sum_i gamma_i X_i, (num_states, num_states)

    @classmethod
    def of(cls, problem: IsingModel, gamma: Gamma) -> "DenseModel":
        """Return the pieces of `problem` under transverse fields."""
        gammas = gamma_by_variable(gamma, problem.structure)
        n = problem.structure.num_variables
        states = np.arange(2**n)
        flips = np.zeros((2**n, 2**n))
        for i in range(n):
            flips[states, states ^ (1 << (n - 1 - i))] = gammas[i]
        return cls(basis_energies(problem.structure, problem.parameters), basis_spins(n).T.astype(np.float64), flips)

    def hamiltonian(self, transverse: float, problem: float) -> Floats:
        """Return H, (num_states, num_states)."""
        out = -transverse * self.flips
        out[np.diag_indices_from(out)] += problem * self.energies
        return out


class OpenSolver(ABC):
    """Abstract: moves a density matrix along a drive, up to 8 qubits.

    Raises
    ------
    ValueError
        If there are more qubits, or `gamma` breaks its rule.
    TypeError
        If `problem` is no IsingModel, or `drive` no Drive.
    """

    def __init__(self, problem: IsingModel, drive: Drive, gamma: Gamma) -> None:
        check_inputs(problem, drive)
        check_open_size(problem.structure.num_variables)
        self.problem, self.drive, self.model = problem, drive, DenseModel.of(problem, gamma)
        self.num_steps, self.error = 0, self.no_error()

    @staticmethod
    @abstractmethod
    def no_error() -> float | None:
        """Return the error before the first step, or None if the solver says none."""

    @abstractmethod
    def advance(self, rho: Density, start: float, end: float) -> tuple[float, Density]:
        """Return the time and the state after a step from `start` towards `end`, no knot of the drive between."""

    def run(self, rho: Density, stops: Floats, watch: Watch) -> tuple[list[float], list[Density], bool]:
        """Return the states at `stops` (num_times,), their times, and whether `watch` ended it: at the last of them."""
        times, states = [], []
        if stops[0] == 0:
            times, states = [0.0], [rho]
        knots = np.union1d(self.drive.times, stops)
        for start, end in pairwise(knots[knots <= stops[-1]].tolist()):
            now, stopped = start, False
            while now < end and not stopped:
                now, rho = self.advance(rho, now, end)
                stopped = watch(now / stops[-1])
            if stopped or end in stops:
                times.append(now)
                states.append(rho)
            if stopped:
                return times, states, True
        return times, states, False

    def evolution(self, initial_state: Any, times: Any, progress: Wanted) -> OpenEvolution:
        """Return what `evolve_open` and `evolve_dephasing` do, from their arguments."""
        stops = checked_times(times, self.drive)
        check_memory(
            f"{len(stops):,} density matrices of {self.problem.structure.num_variables} qubits",
            2 * len(stops) * 16 * 4**self.problem.structure.num_variables,
            "Ask for fewer times",
        )
        rho = self.initial_density(initial_state)
        with late_progress_bar("evolve", wanted=progress) as show:
            _, states, _ = self.run(rho, stops, lambda fraction: bool(show(fraction)))
        coefficients = np.transpose(self.drive.at(stops))
        rows = [_seen(self.model.hamiltonian(a, b), state) for (a, b), state in zip(coefficients, states, strict=True)]
        levels, populations, energy, purity = (np.array(values) for values in zip(*rows, strict=True))
        return OpenEvolution(
            times=stops,
            states=np.array(states),
            levels=levels,
            populations=populations,
            energy=energy,
            purity=purity,
            error=self.error,
            num_steps=self.num_steps,
        )

    def initial_density(self, state: Any) -> Density:
        """Return the density matrix (num_states, num_states) that `initial_state` says.

        None is the ground state of H(0), the equal mixture of several. A matrix is one; all else is as in `evolve`.
        """
        size = len(self.model.energies)
        if state is None:
            levels, vectors = np.linalg.eigh(self.model.hamiltonian(self.drive.transverse[0], self.drive.problem[0]))
            ground = vectors[:, levels - levels[0] <= _SAME * (levels[-1] - levels[0])]
            return np.asarray(ground @ ground.T / ground.shape[1], dtype=np.complex128)
        if np.ndim(state) == 2:
            return _checked_density(np.asarray(state, dtype=np.complex128), size)
        amplitudes = initial_amplitudes(self.problem, state)
        if isinstance(amplitudes, int):
            number, amplitudes = amplitudes, np.zeros(size)
            amplitudes[number] = 1
        vector = np.asarray(amplitudes, dtype=np.complex128)
        return np.outer(vector, vector.conj()) / np.vdot(vector, vector).real


def check_open_size(num_qubits: int) -> None:
    """Check that a density matrix of so many qubits can be evolved.

    Raises
    ------
    ValueError
        If there are more than 8.
    """
    if num_qubits > MAX_QUBITS:
        # measured: a step of the master equation takes 0.02 s at 7 qubits, and eight times as long with one more
        shown = min(num_qubits, 100)
        size, time = 4.0**shown / 2**26, 0.02 * 8.0 ** (shown - 7)
        msg = (
            f"density matrices are evolved up to {MAX_QUBITS} qubits; got {num_qubits}, where one takes {size:,.3g} GiB"
            f" and a step of the master equation {time:,.2g} s, of which an anneal has a thousand. Fix variables, or "
            "use evolve, which has no bath"
        )
        raise ValueError(msg)


def _checked_density(given: Density, size: int) -> Density:
    if given.shape != (size, size) or not np.isfinite(given).all():
        msg = f"a density matrix holds finite numbers, shape ({size}, {size}); got shape {given.shape}"
        raise ValueError(msg)
    lopsided, trace = float(np.abs(given - given.conj().T).max()), complex(np.trace(given))
    if lopsided > _ROUNDING:
        msg = f"a density matrix is Hermitian; got one that differs from its adjoint by {lopsided:.2g}"
        raise ValueError(msg)
    if abs(trace - 1) > _ROUNDING:
        msg = f"a density matrix has trace 1; got {trace.real:.8g}. Divide by it"
        raise ValueError(msg)
    given = (given + given.conj().T) / (2 * trace.real)
    lowest = float(np.linalg.eigvalsh(given)[0])
    if lowest < -_ROUNDING:
        msg = f"a density matrix has no negative eigenvalue; got {lowest:.2g}"
        raise ValueError(msg)
    return given


def _seen(hamiltonian: Floats, rho: Density) -> tuple[Floats, Floats, float, float]:
    """Return levels (num_states,), their populations (num_states,), mean energy and purity."""
    levels, vectors = np.linalg.eigh(hamiltonian)
    populations = ((vectors.T @ rho) * vectors.T).sum(axis=1).real
    first, sizes = runs(levels, _SAME * (levels[-1] - levels[0]))
    shared = np.repeat(np.add.reduceat(populations, first) / sizes, sizes)
    return levels, shared, float((hamiltonian * rho.real).sum()), float((np.abs(rho) ** 2).sum())
