"""Plain dephasing: an anneal whose qubits lose the phase between their two basis states at a given rate."""

from typing import Any, final

import numpy as np
from threadpoolctl import threadpool_limits

from annealnn._progress import Wanted
from annealnn._validation import check_number
from annealnn.dynamics._davies import Density
from annealnn.dynamics._open import OpenEvolution, OpenSolver
from annealnn.exceptions import MissingDependencyError
from annealnn.models import IsingModel
from annealnn.samplers._gamma import Gamma
from annealnn.schedules import Drive


def evolve_dephasing(
    problem: IsingModel,
    drive: Drive,
    dephasing_rate: float,
    *,
    gamma: Gamma = 1.0,
    initial_state: Any = None,
    times: Any = None,
    tolerance: float = 1e-8,
    progress: Wanted = "auto",
) -> OpenEvolution:
    """Integrate Lindblad's equation with the jump operators sqrt(dephasing_rate / 2) Z_i, by QuTiP.

    Without H, a coherence between basis states that differ in k qubits decays as exp(-k dephasing_rate t). This is
    noise of infinite temperature: under a transverse field it heats to the equal mixture of all states. For a bath
    with a temperature see `evolve_open`.

    Parameters
    ----------
    problem : IsingModel
        Of at most 8 variables.
    drive : Drive
        Such as `AnnealSchedule.drive()` gives.
    dephasing_rate : float
        Of each qubit, at least 0, 1/time in the drive's unit.
    gamma, initial_state, times, progress
        As in `evolve_open`.
    tolerance : float
        Of each step in each element of the density matrix, absolute and relative; from 1e-12 to 0.1.

    Returns
    -------
    OpenEvolution
        Its `error` is None. `num_steps` counts stretches between knots and times.

    Raises
    ------
    ValueError
        If there are too many variables or an argument breaks its rule.
    TypeError
        If `problem` is no IsingModel, or `drive` no Drive.
    MemoryError
        If the states asked for would not fit in memory.
    MissingDependencyError
        If QuTiP is not installed.

    References
    ----------
    Lindblad, Commun. Math. Phys. 48, 119 (1976). QuTiP: Johansson, Nation & Nori, Comput. Phys. Commun. 184, 1234
    (2013).
    """
    solver = Dephasing(problem, drive, dephasing_rate, gamma=gamma, tolerance=tolerance)
    with threadpool_limits(1, "blas"):
        return solver.evolution(initial_state, times, progress)


@final
class Dephasing(OpenSolver):
    """The solver of `evolve_dephasing`, with its arguments."""

    def __init__(
        self, problem: IsingModel, drive: Drive, dephasing_rate: float, *, gamma: Gamma, tolerance: float
    ) -> None:
        rate = check_number("dephasing_rate", dephasing_rate, low=0.0)
        check_number("tolerance", tolerance, low=1e-12, high=0.1)
        super().__init__(problem, drive, gamma)
        self._qutip = _load_qutip()
        self._flips, self._energies = self._operator(-self.model.flips), self._operator(np.diag(self.model.energies))
        self._jumps = [np.sqrt(rate / 2) * self._operator(np.diag(sign)) for sign in self.model.signs if rate]
        # no limit to the number of steps between two times
        self._options = {"atol": tolerance, "rtol": tolerance, "nsteps": 10**9, "progress_bar": ""}

    @staticmethod
    def no_error() -> None:
        """Return None."""

    def advance(self, rho: Density, start: float, end: float) -> tuple[float, Density]:
        """Return `end` and the state there."""
        self.num_steps += 1
        (a0, a1), (b0, b1) = self.drive.at(np.array([start, end]))

        # straight on beyond the end too, where the solver may look
        def transverse(t: float) -> float:
            return float(a0 + (a1 - a0) * (t - start) / (end - start))

        def problem(t: float) -> float:
            return float(b0 + (b1 - b0) * (t - start) / (end - start))

        hamiltonian = self._qutip.QobjEvo([[self._flips, transverse], [self._energies, problem]])
        found = self._qutip.mesolve(
            hamiltonian, self._qutip.Qobj(rho), [start, end], c_ops=self._jumps, options=self._options
        )
        out: Density = found.states[-1].full()
        return end, (out + out.conj().T) / 2

    def _operator(self, matrix: Any) -> Any:
        return self._qutip.Qobj(matrix).to("CSR")


def _load_qutip() -> Any:
    try:
        import qutip
    except ImportError:
        msg = "dephasing is integrated by QuTiP, which is not installed: pip install annealnn[dynamics]"
        raise MissingDependencyError(msg) from None
    return qutip
