"""Plain dephasing: an anneal whose qubits lose the phase between their two basis states at a given rate."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from annealnn._parallel import Watch
from annealnn._validation import check_number
from annealnn.dynamics._davies import Density
from annealnn.dynamics._open import (
    DenseModel,
    OpenEvolution,
    check_size,
    checked_times,
    initial_density,
    observed,
    segments,
)
from annealnn.exceptions import MissingDependencyError
from annealnn.models import IsingModel
from annealnn.schedules import Drive

MAX_QUBITS = 8


def evolve_dephasing(
    problem: IsingModel,
    drive: Drive,
    dephasing_rate: float,
    *,
    gamma: Any = 1.0,
    initial_state: Any = None,
    times: Any = None,
    tolerance: float = 1e-6,
    watch: Watch | None = None,
) -> OpenEvolution:
    """Integrate Lindblad's equation with jump operators sqrt(dephasing_rate / 2) Z_i, by QuTiP.

    Without H, a coherence between basis states that differ in k qubits decays as exp(-k dephasing_rate t). This is
    noise of infinite temperature: under a transverse field it heats to the equal mixture of all states. For a bath
    with a temperature see `evolve_open`.

    Parameters
    ----------
    problem : IsingModel
        Of at most 8 qubits.
    drive : Drive
    dephasing_rate : float
        Of each qubit, at least 0, 1/time in the drive's unit.
    gamma, initial_state, times
        As in `evolve_open`.
    tolerance : float
        Error of one step in each element of the density matrix, absolute and relative; at least 1e-12.
    watch : callable, optional
        Told how much is done, 0 to 1, after each stretch between knots and times; True ends the run.

    Returns
    -------
    OpenEvolution
        Without `error_estimate`: the solver has none. `num_steps` counts stretches between knots and times.

    Raises
    ------
    ValueError
        If there are too many qubits or an argument breaks its rule.
    MemoryError
        If the density matrices would not fit in memory.
    MissingDependencyError
        If QuTiP is not installed.

    References
    ----------
    Lindblad, Commun. Math. Phys. 48, 119 (1976). Lambert et al., QuTiP 5, Phys. Rep. 1153, 1 (2026).
    """
    check_number("dephasing_rate", dephasing_rate, low=0.0)
    check_number("tolerance", tolerance, low=1e-12)
    n = problem.structure.num_variables
    stops = checked_times(times, drive)
    check_size(
        problem, MAX_QUBITS, len(stops), "the Lindblad equation", f"whose equation has {4.0**n:,.2g} unknowns"
    )
    model = DenseModel.of(problem, gamma)
    rho = initial_density(model, drive, initial_state)
    with threadpool_limits(1, "blas"):
        solve = _solver(_qutip(), model, drive, dephasing_rate, tolerance)
        states, seen, count = [], [], 0
        for start, end in segments(drive, stops):
            if end > start:
                rho, count = solve(rho, start, end), count + 1
            stopped = watch is not None and end > start and watch(end / stops[-1])
            if stopped or end in stops:
                states.append(rho)
                seen.append(end)
            if stopped:
                break
    return observed(model, drive, np.array(seen), states, num_steps=count, error_estimate=None)


def _solver(
    qutip: ModuleType, model: DenseModel, drive: Drive, rate: float, tolerance: float
) -> Callable[[Density, float, float], Density]:
    """Return (state, start, end) -> state, with no knot of the drive between start and end."""
    mixer, problem = -qutip.Qobj(model.flips).to("CSR"), qutip.Qobj(np.diag(model.energies)).to("CSR")
    jumps = [np.sqrt(rate / 2) * qutip.Qobj(np.diag(sign)).to("CSR") for sign in model.signs] if rate else []
    options = {"atol": tolerance, "rtol": tolerance, "nsteps": 1_000_000_000, "progress_bar": ""}

    def solve(rho: Density, start: float, end: float) -> Density:
        (a0, a1), (b0, b1) = drive.at(np.array([start, end]))

        # on the same lines beyond the end too, where the solver may look
        def transverse(t: float) -> float:
            return float(a0 + (a1 - a0) * (t - start) / (end - start))

        def weight(t: float) -> float:
            return float(b0 + (b1 - b0) * (t - start) / (end - start))

        hamiltonian = qutip.QobjEvo([[mixer, transverse], [problem, weight]])
        found = qutip.mesolve(hamiltonian, qutip.Qobj(rho), [start, end], c_ops=jumps, options=options)
        out: Density = found.states[-1].full()
        return (out + out.conj().T) / 2

    return solve


def _qutip() -> ModuleType:
    try:
        import qutip
    except ImportError:
        msg = "dephasing is integrated by QuTiP, which is not installed: pip install annealnn[dynamics]"
        raise MissingDependencyError(msg) from None
    return qutip
