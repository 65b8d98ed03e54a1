"""The adiabatic master equation: an anneal in contact with a bath, in the eigenbasis of the moment."""

from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from annealnn._parallel import Watch
from annealnn._validation import check_number
from annealnn.dynamics._bath import OhmicBath
from annealnn.dynamics._davies import DaviesGenerator, Density
from annealnn.dynamics._open import (
    DenseModel,
    OpenEvolution,
    check_size,
    checked_times,
    initial_density,
    observed,
    segments,
)
from annealnn.models import IsingModel
from annealnn.schedules import Drive

MAX_QUBITS = 8
# a first step, and the least share of the tolerance that a step may use up, as parts of the duration: where levels
# cross, the generator jumps, and a step over the jump is never as good as its share
_FIRST, _SHARE = 1 / 64, 1e-3
# a step shorter than this part of the duration is taken as it is
_SHORTEST = 1e-9
# of a step's error, by what the next may be longer
_GROWTH = 2.0


def evolve_open(
    problem: IsingModel,
    drive: Drive,
    bath: OhmicBath,
    *,
    gamma: Any = 1.0,
    initial_state: Any = None,
    times: Any = None,
    tolerance: float = 1e-6,
    watch: Watch | None = None,
) -> OpenEvolution:
    """Integrate the adiabatic master equation, each qubit's Z coupled to a bath of its own.

    At every instant the generator is Davies' for the Hamiltonian of that instant (see `DaviesGenerator`): populations
    of the levels relax to the Boltzmann distribution of H(t), coherences between them decay. It holds for weak
    coupling and slow drives; levels that are closer than the rates, but not degenerate, are treated as far apart. The
    Lamb shift is left out. Each step is two exponentials of such generators, so that the map is completely positive
    and trace preserving to rounding. It is of fourth order in the step in the unitary part and of second order in the
    dissipator's change along the drive; its length is set by step doubling.

    Parameters
    ----------
    problem : IsingModel
        Of at most 8 qubits.
    drive : Drive
    bath : OhmicBath
        In the drive's unit of time.
    gamma : float or array of shape (num_qubits,)
        Transverse fields of the qubits, at least 0, as multiples of the drive's `transverse`.
    initial_state : array, optional
        Spins (num_qubits,), a state vector (2**num_qubits,) or a density matrix (2**num_qubits, 2**num_qubits). None is
        the ground state of H(0), or the equal mixture of several.
    times : array of shape (num_times,), optional
        When to report the state, rising, from 0 to the drive's duration; the end alone if None.
    tolerance : float
        Of the trace distance from the exact solution, so of any probability; at least 1e-10.
    watch : callable, optional
        Told how much is done, 0 to 1, after each step; True ends the run: the last time is then that of the stop.

    Returns
    -------
    OpenEvolution
        `error_estimate` adds up the estimates of all steps; what a step got wrong does not grow, for a completely
        positive, trace-preserving map brings no two states further apart.

    Raises
    ------
    ValueError
        If there are too many qubits or an argument breaks its rule.
    MemoryError
        If the density matrices, or the generator of a very degenerate problem, would not fit in memory.

    References
    ----------
    Albash, Boixo, Lidar & Zanardi, New J. Phys. 14, 123016 (2012), Eq. (57), without its Lamb shift.
    """
    check_number("tolerance", tolerance, low=1e-10)
    n = problem.structure.num_variables
    stops = checked_times(times, drive)
    check_size(
        problem, MAX_QUBITS, len(stops), "the master equation", f"of whose steps each takes about {8.0**n / 2e7:,.2g} s"
    )
    model = DenseModel.of(problem, gamma)
    rho = initial_density(model, drive, initial_state)
    if not isinstance(bath, OhmicBath):
        msg = f"bath is an OhmicBath; got {type(bath).__name__}"
        raise TypeError(msg)
    with threadpool_limits(1, "blas"):
        return _Run(model, drive, bath, tolerance).through(stops, rho, watch)


class _Tried(NamedTuple):
    coarse: Density
    half: Density
    fine: Density
    error: float


class _Run:
    """One evolution under way."""

    def __init__(self, model: DenseModel, drive: Drive, bath: OhmicBath, tolerance: float) -> None:
        self._model, self._drive, self._bath, self._tolerance = model, drive, bath, tolerance
        self._length = _FIRST * drive.duration
        self._num_steps, self._error = 0, 0.0

    def through(self, stops: Any, rho: Density, watch: Watch | None) -> OpenEvolution:
        """Return the evolution of `rho`, reported at `stops` (num_times,)."""
        states, seen = [], []
        for start, end in segments(self._drive, stops):
            at, stopped = start, False
            while at < end and not stopped:
                at, rho = self._advanced(rho, at, end)
                stopped = watch is not None and watch(at / stops[-1])
            if stopped or end in stops:
                states.append(rho)
                seen.append(at)
            if stopped:
                break
        return observed(
            self._model, self._drive, np.array(seen), states, num_steps=self._num_steps, error_estimate=self._error
        )

    def _advanced(self, rho: Density, start: float, end: float) -> tuple[float, Density]:
        """Return the time and the state after one accepted step towards `end`, no knot of the drive between."""
        (a0, a1), (b0, b1) = self._drive.at(np.array([start, end]))
        if (a0, b0) == (a1, b1):
            self._num_steps += 1
            return end, self._generator(start).evolved(rho, end - start)
        duration, whole = self._drive.duration, end - start
        length = whole if self._length > 0.7 * whole else self._length
        coarse = self._step(rho, start, length)
        while True:
            half = self._step(rho, start, length / 2)
            fine = self._step(half, start + length / 2, length / 2)
            error = float(np.abs(np.linalg.eigvalsh(fine - coarse)).sum()) / 6
            allowed = self._tolerance * max(length / duration, _SHARE)
            if error <= allowed or length <= _SHORTEST * duration:
                break
            length, coarse = length / 2, half
        self._error += error
        self._length = length * min(_GROWTH, 0.9 * (allowed / max(error, 1e-300)) ** (1 / 3))
        # the last step ends on the knot, not a rounding beside it
        return (end if length == whole else start + length), (fine + fine.conj().T) / 2

    def _step(self, rho: Density, start: float, length: float) -> Density:
        """Return the state after two exponentials, of half the step each, of the generators at its sixths.

        The commutator-free Magnus integrator of fourth order weighs H at two Gauss points by 1/4 +- sqrt(3)/6; for an H
        that is linear in time these are H at 1/6 and 5/6 of the step. Here the dissipator is taken there too.
        """
        self._num_steps += 1
        for part in (1 / 6, 5 / 6):
            rho = self._generator(start + part * length).evolved(rho, length / 2)
        return rho

    def _generator(self, time: float) -> DaviesGenerator:
        transverse, problem = self._drive.at(time)
        return DaviesGenerator.of(self._model.hamiltonian(float(transverse), float(problem)), self._model.signs, self._bath)
