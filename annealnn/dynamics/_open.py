"""What the open-system solvers share: a model as dense matrices, where it begins, and what is seen of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, final

import numpy as np

from annealnn._memory import check_memory
from annealnn.dynamics._davies import Density
from annealnn.models import IsingModel, TransverseIsing
from annealnn.models._exact import basis_energies, basis_numbers, basis_spins
from annealnn.schedules import Drive
from annealnn.schedules._checks import check_rising, real_numbers
from annealnn.typing import Floats

# levels closer than this, relative to the spectrum's width, are one
_SAME = 1e-9
# how far a given state may be from norm 1, from Hermitian, and below 0
_ROUNDING = 1e-8


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpenEvolution:
    """A density matrix over time. Basis order: qubit 0 most significant, basis digit 0 is spin +1."""

    times: Floats  #: (num_times,), in the drive's time unit
    states: Density  #: density matrices, (num_times, 2**num_qubits, 2**num_qubits)
    levels: Floats  #: eigenvalues of H(t), rising, (num_times, 2**num_qubits), 1/time
    populations: Floats  #: of those levels, (num_times, 2**num_qubits); degenerate ones share theirs equally
    energies: Floats  #: mean of H(t), (num_times,), 1/time
    purities: Floats  #: trace of the square, (num_times,)
    num_steps: int  #: of the solver; steps tried and not taken count
    error_estimate: float | None  #: of the trace distance from the exact solution; None if the solver gives none

    @property
    def probabilities(self) -> Floats:
        """Probabilities of the basis states at the last time, (2**num_qubits,)."""
        diagonal = np.maximum(self.states[-1].diagonal().real, 0)
        return np.asarray(diagonal / diagonal.sum())


class DenseModel(NamedTuple):
    """H = problem E - transverse sum_i gamma_i X_i in pieces."""

    energies: Floats  #: E of basis states, (num_states,)
    signs: Floats  #: diagonals of the Z_i, (num_qubits, num_states)
    flips: Floats  #: sum_i gamma_i X_i, (num_states, num_states)

    @classmethod
    def of(cls, problem: IsingModel, gamma: Any) -> "DenseModel":
        """Return the pieces of `problem` under transverse fields `gamma`, a number or (num_qubits,)."""
        gammas = TransverseIsing.of(problem, gamma).gamma
        n = problem.structure.num_variables
        states = np.arange(2**n)
        flips = np.zeros((2**n, 2**n))
        for i in range(n):
            flips[states, states ^ (1 << (n - 1 - i))] = gammas[i]
        signs = basis_spins(n).T.astype(np.float64)
        return cls(basis_energies(problem.structure, problem.parameters), signs, flips)

    def hamiltonian(self, transverse: float, problem: float) -> Floats:
        """Return H, (num_states, num_states)."""
        out = -transverse * self.flips
        out[np.diag_indices_from(out)] += problem * self.energies
        return out


def check_size(problem: IsingModel, limit: int, num_times: int, solver: str, cost: str) -> None:
    """Check that there are no more than `limit` qubits, and memory for the density matrices."""
    n = problem.structure.num_variables
    if n > limit:
        msg = (
            f"{solver} reaches {limit} qubits; got {n}, whose density matrix takes {4**n * 16 / 2**30:,.3g} GiB, and "
            f"{cost}. Fix variables, or use evolve, which has no bath"
        )
        raise ValueError(msg)
    check_memory(
        f"{num_times:,} density matrices of {n} qubits", (num_times + 64) * 16 * 4**n, "Ask for fewer times or qubits"
    )


def checked_times(times: Any, drive: Drive) -> Floats:
    """Return the times to report, (num_times,): rising, from 0 to the drive's duration; the duration if None."""
    if times is None:
        return np.array([drive.duration])
    out = real_numbers("times", times, at_least=1)
    check_rising("times", out)
    drive.at(out)
    return out


def segments(drive: Drive, stops: Floats) -> list[tuple[float, float]]:
    """Return (start, end) of the stretches between knots and times to report (num_times,), up to the last of these.

    The first is (0, 0) where time 0 is to be reported.
    """
    ends = np.union1d(drive.times, stops)
    ends = ends[ends <= stops[-1]].tolist()
    return ([(0.0, 0.0)] if stops[0] == 0 else []) + list(pairwise(ends))


def initial_density(model: DenseModel, drive: Drive, initial_state: Any) -> Density:
    """Return the density matrix (num_states, num_states) that a run begins with.

    Parameters
    ----------
    model : DenseModel
    drive : Drive
    initial_state : None or array
        None is the ground state of H(0), an equal mixture if there are several. Else spins (num_qubits,), a state
        vector (num_states,) or a density matrix (num_states, num_states).

    Raises
    ------
    ValueError
        If it is none of these.
    """
    n, size = model.signs.shape
    if initial_state is None:
        levels, vectors = np.linalg.eigh(model.hamiltonian(float(drive.transverse[0]), float(drive.problem[0])))
        ground = vectors[:, levels - levels[0] <= _SAME * (levels[-1] - levels[0])]
        return (ground @ ground.T / ground.shape[1]).astype(np.complex128)
    try:
        given = np.array(initial_state, dtype=np.complex128)
    except (TypeError, ValueError):
        msg = f"initial_state holds numbers; got {initial_state!r}"
        raise ValueError(msg) from None
    if not np.isfinite(given).all():
        msg = f"initial_state holds finite numbers; got {given[~np.isfinite(given)][0]}"
        raise ValueError(msg)
    if given.shape == (n,):
        return _of_spins(given, size)
    if given.shape == (size,):
        _check_one("the norm of a state vector", float(np.linalg.norm(given)))
        return np.outer(given, given.conj()) / np.vdot(given, given)
    if given.shape != (size, size):
        msg = (
            f"initial_state is spins of shape ({n},), a state vector of shape ({size},) or a density matrix of shape "
            f"({size}, {size}); got shape {given.shape}"
        )
        raise ValueError(msg)
    if np.abs(given - given.conj().T).max() > _ROUNDING:
        msg = f"a density matrix is Hermitian; got one off by {np.abs(given - given.conj().T).max():.2g}"
        raise ValueError(msg)
    _check_one("the trace of a density matrix", float(np.trace(given).real))
    given = (given + given.conj().T) / 2
    if (lowest := float(np.linalg.eigvalsh(given)[0])) < -_ROUNDING:
        msg = f"a density matrix has no negative eigenvalue; got {lowest:.2g}"
        raise ValueError(msg)
    return np.asarray(given / np.trace(given).real)


def observed(
    model: DenseModel,
    drive: Drive,
    times: Floats,
    states: Sequence[Density],
    *,
    num_steps: int,
    error_estimate: float | None,
) -> OpenEvolution:
    """Return the evolution through `states` at `times` (num_times,), with what is seen of them."""
    rows = [_seen(model.hamiltonian(float(a), float(b)), rho) for a, b, rho in zip(*drive.at(times), states, strict=True)]
    levels, populations, energies, purities = (np.array(values) for values in zip(*rows, strict=True))
    return OpenEvolution(
        times=times,
        states=np.array(states),
        levels=levels,
        populations=populations,
        energies=energies,
        purities=purities,
        num_steps=num_steps,
        error_estimate=error_estimate,
    )


def _seen(hamiltonian: Floats, rho: Density) -> tuple[Floats, Floats, float, float]:
    levels, vectors = np.linalg.eigh(hamiltonian)
    populations = ((vectors.T @ rho) * vectors.T).sum(axis=1).real
    first = np.flatnonzero(np.diff(levels, prepend=-np.inf) > _SAME * (levels[-1] - levels[0]))
    sizes = np.diff(first, append=len(levels))
    shared = np.repeat(np.add.reduceat(populations, first) / sizes, sizes)
    return levels, shared, float((hamiltonian * rho.real).sum()), float((np.abs(rho) ** 2).sum())


def _of_spins(given: Density, size: int) -> Density:
    if not (np.abs(given.real) == 1).all() or given.imag.any():
        msg = f"spins of initial_state are -1 or +1; got {given}. For bits, use bits_to_spins"
        raise ValueError(msg)
    out = np.zeros((size, size), dtype=np.complex128)
    number = basis_numbers(given.real[None])[0]
    out[number, number] = 1
    return out


def _check_one(what: str, value: float) -> None:
    if abs(value - 1) > _ROUNDING:
        msg = f"{what} is 1; got {value:.10g}. Divide by it"
        raise ValueError(msg)
