"""The adiabatic master equation: an anneal in contact with a bath, in the eigenbasis of the moment."""

from typing import Any, final

import numpy as np
from threadpoolctl import threadpool_limits

from annealnn._progress import Wanted
from annealnn._validation import check_number
from annealnn.dynamics._bath import OhmicBath
from annealnn.dynamics._davies import DaviesGenerator, Density
from annealnn.dynamics._open import OpenEvolution, OpenSolver
from annealnn.models import IsingModel
from annealnn.samplers._gamma import Gamma
from annealnn.schedules import Drive

# a first step, and the least share of the tolerance that a step may use up, as parts of the duration: where levels
# cross, the generator jumps, and a step over the jump is never as good as its share
_FIRST, _SHARE = 1 / 64, 1e-3
# a step shorter than this part of the duration is taken as it is
_SHORTEST = 1e-9
# by how much a step may exceed the one before it
_GROWTH = 2.0


def evolve_open(
    problem: IsingModel,
    drive: Drive,
    bath: OhmicBath,
    *,
    gamma: Gamma = 1.0,
    initial_state: Any = None,
    times: Any = None,
    tolerance: float = 1e-6,
    progress: Wanted = "auto",
) -> OpenEvolution:
    """Integrate the adiabatic master equation, each qubit's Z coupled to a bath of its own.

    At every instant the generator is Davies' for the Hamiltonian of that instant (see `DaviesGenerator`): populations
    of the levels relax to the Boltzmann distribution of H(t), coherences between them decay. It holds for weak
    coupling and slow drives; levels that are closer than the rates, but not degenerate, are treated as far apart. The
    Lamb shift is left out. A step is two exponentials of such generators, so it is completely positive and trace
    preserving to rounding. Its error is of fourth order where the drive moves H, and of second order where the
    dissipator bends along the drive; its length is set by step doubling.

    Parameters
    ----------
    problem : IsingModel
        Of at most 8 variables.
    drive : Drive
        Such as `AnnealSchedule.drive()` gives.
    bath : OhmicBath
        In the drive's unit of time.
    gamma : float, or mapping from label to float, or array of shape (num_variables,)
        Weight of each X_i, at least 0.
    initial_state : optional
        None for the ground state of H(0), or the equal mixture of several; spins, as a mapping by label or an array
        (num_variables,); amplitudes (2**num_variables,); or a density matrix (2**num_variables, 2**num_variables).
    times : array of shape (num_times,), optional
        Rising, from 0 to the drive's duration. None reports the end only.
    tolerance : float
        Of the last state's trace distance from the exact solution, so of any probability; from 1e-10 to 0.1.
    progress : "auto" or bool

    Returns
    -------
    OpenEvolution
        `error` adds up the estimates of all steps: what a step got wrong does not grow, for a completely positive,
        trace-preserving map brings no two states further apart. It errs on the large side.

    Raises
    ------
    ValueError
        If there are too many variables or an argument breaks its rule.
    TypeError
        If `problem` is no IsingModel, `drive` no Drive, or `bath` no OhmicBath.
    MemoryError
        If the states asked for, or the generator of a very degenerate problem, would not fit in memory.

    References
    ----------
    Albash, Boixo, Lidar & Zanardi, New J. Phys. 14, 123016 (2012). The steps: Blanes & Moan, Appl. Numer. Math. 56,
    1519 (2006), their two exponentials of fourth order.

    Examples
    --------
    At rest under both terms, a qubit takes on the temperature of its bath:

    >>> import numpy as np
    >>> from annealnn import IsingModel
    >>> from annealnn.dynamics import OhmicBath, evolve_open
    >>> from annealnn.schedules import Drive
    >>> rest = Drive.constant(1000.0, transverse=0.5, problem=0.5)
    >>> found = evolve_open(IsingModel([1.0], {}), rest, OhmicBath(beta=2.0, coupling=0.01))
    >>> gap = found.levels[0, 1] - found.levels[0, 0]
    >>> bool(np.isclose(found.populations[0, 1] / found.populations[0, 0], np.exp(-2.0 * gap)))
    True
    """
    solver = MasterEquation(problem, drive, bath, gamma=gamma, tolerance=tolerance)
    with threadpool_limits(1, "blas"):
        return solver.evolution(initial_state, times, progress)


@final
class MasterEquation(OpenSolver):
    """The solver of `evolve_open`, with its arguments."""

    def __init__(self, problem: IsingModel, drive: Drive, bath: OhmicBath, *, gamma: Gamma, tolerance: float) -> None:
        given: object = bath
        if not isinstance(given, OhmicBath):
            msg = f"bath is an OhmicBath; got {type(given).__name__}"
            raise TypeError(msg)
        self._bath, self._tolerance = bath, check_number("tolerance", tolerance, low=1e-10, high=0.1)
        super().__init__(problem, drive, gamma)
        self._length = _FIRST * drive.duration

    @staticmethod
    def no_error() -> float:
        """Return 0."""
        return 0.0

    def advance(self, rho: Density, start: float, end: float) -> tuple[float, Density]:
        """Return the time and the state after one step that was good enough; a constant H takes one step."""
        (a0, a1), (b0, b1) = self.drive.at(np.array([start, end]))
        if (a0, b0) == (a1, b1):
            self.num_steps += 1
            return end, self._generator(start).evolved(rho, end - start)
        duration, whole = self.drive.duration, end - start
        # no short rest
        length = whole if self._length > 0.7 * whole else self._length
        coarse, growth = self._step(rho, start, length), _GROWTH
        while True:
            half = self._step(rho, start, length / 2)
            fine = self._step(half, start + length / 2, length / 2)
            error = float(np.abs(np.linalg.eigvalsh(fine - coarse)).sum()) / 2
            # by doubling a step of second order; one of fourth order has a fifth of it
            error /= 3
            allowed = self._tolerance * max(length / duration, _SHARE)
            if error <= allowed or length <= _SHORTEST * duration:
                break
            length, coarse, growth = length / 2, half, 1.0
        self.error = (self.error or 0.0) + error
        self._length = length * min(growth, 0.9 * (allowed / max(error, 1e-300)) ** (1 / 4))
        # the last step ends on the knot, not a rounding beside it
        return (end if length == whole else start + length), (fine + fine.conj().T) / 2

    def _step(self, rho: Density, start: float, length: float) -> Density:
        """Return the state after two exponentials of half a step each, of the generators at its sixths.

        The commutator-free Magnus integrator of fourth order weighs H at the two Gauss points by 1/4 +- sqrt(3)/6; of
        an H that is linear in time this is half of H at 1/6 and at 5/6 of the step. The dissipator is taken there too.
        """
        self.num_steps += 1
        for part in (1 / 6, 5 / 6):
            rho = self._generator(start + part * length).evolved(rho, length / 2)
        return rho

    def _generator(self, time: float) -> DaviesGenerator:
        transverse, problem = self.drive.at(time)
        return DaviesGenerator.of(self.model.hamiltonian(transverse, problem), self.model.signs, self._bath)
