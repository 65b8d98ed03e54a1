"""Measure what the solvers of annealing itself get right, and print it beside its targets.

Run with `python -m annealnn.experiments.dynamics [--quick] [--out FOLDER]`; the figure of the weak-strong pair goes
into the folder. QuTiP, the extra `dynamics`, is compared with. hbar = 1, energies and times in the model's own unit.
"""

import argparse
import sys
import time
import tracemalloc
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import qutip

from annealnn.dynamics import FreeFermionRing, OhmicBath, evolve, evolve_open
from annealnn.dynamics._davies import DaviesGenerator
from annealnn.dynamics._open import DenseModel
from annealnn.experiments._weak_strong import WeakStrongResult, measure_weak_strong
from annealnn.models import IsingModel, TransverseIsing
from annealnn.reports import write_figure
from annealnn.reports._dynamics import weak_strong_figure
from annealnn.schedules import AnnealSchedule, Drive
from annealnn.typing import Floats

Pairs: TypeAlias = dict[tuple[Hashable, Hashable], float]

# the pair's smallest gap, and where: an independent computation
GAP, GAP_S = 0.0961, 0.327


def ring(num_spins: int) -> IsingModel:
    """Return the ferromagnetic ring, J = 1, without fields."""
    return IsingModel(np.zeros(num_spins), _bonds(num_spins))


def _bonds(num_spins: int) -> Pairs:
    return {(i, (i + 1) % num_spins): 1.0 for i in range(num_spins)}


def measure_landau_zener(num_rates: int = 13) -> float:
    """Return the largest error of the probability of a sweep of one qubit, at rates from 0.1 to 100 gap^2.

    H = -(1/2) X - (rate t / 2) Z runs from one end so far out that what is left of the interaction is below 1e-5, and
    from instantaneous ground state to instantaneous ground state. The formula is exp(-pi / (2 rate)).
    """
    worst = 0.0
    for rate in np.geomspace(0.1, 100, num_rates):
        half = (25 if rate < 1 else 60 * rate**0.5) / rate
        ends = np.array([-1, 1]) * rate * half / 2
        drive = Drive(times=np.array([0, 2 * half]), transverse=np.array([0.5, 0.5]), problem=ends)
        first, last = (np.linalg.eigh(-np.array([[z, 0.5], [0.5, -z]]))[1][:, 0] for z in ends)
        state = evolve(IsingModel([1.0], {}), drive, initial_state=first, tolerance=1e-7).state
        worst = max(worst, abs(1 - abs(last @ state) ** 2 - np.exp(-np.pi / (2 * rate))))
    return worst


def measure_against_qutip(num_qubits: int) -> float:
    """Return the largest norm of the difference to QuTiP's state, at five times of an anneal of a ring with fields.

    One qubit alone is a two-level system.
    """
    bonds = _bonds(num_qubits) if num_qubits > 1 else {}
    problem = IsingModel(np.linspace(0.3, -0.4, num_qubits), bonds)
    drive = AnnealSchedule.linear(10.0).drive()
    times = np.linspace(0, drive.duration, 6)

    def pauli(which: Any, *where: Any) -> Any:
        return qutip.tensor([which if k in where else qutip.qeye(2) for k in range(num_qubits)])

    transverse = -sum(pauli(qutip.sigmax(), i) for i in range(num_qubits))
    diagonal = -sum(h * pauli(qutip.sigmaz(), i) for i, h in enumerate(problem.h))
    diagonal -= sum(J * pauli(qutip.sigmaz(), i, j) for (i, j), J in bonds.items())
    hamiltonian = qutip.QobjEvo([[transverse, lambda t: 1 - t / 10], [diagonal, lambda t: t / 10]])
    start = qutip.tensor([(qutip.basis(2, 0) + qutip.basis(2, 1)).unit()] * num_qubits)
    options = {"method": "vern9", "atol": 1e-12, "rtol": 1e-10, "nsteps": 10**6, "progress_bar": ""}
    theirs = qutip.sesolve(hamiltonian, start, times, options=options).states[1:]
    ours = evolve(problem, drive, times=times[1:], observe=lambda _, state: state, tolerance=1e-8).observed
    return max(float(np.linalg.norm(a - b.full().ravel())) for a, b in zip(ours, theirs, strict=True))


def measure_against_fermions(num_spins: int) -> float:
    """Return the largest difference to free fermions, of energy, defects and `<X>` at 20 times of two drives."""
    worst = 0.0
    for drive in (AnnealSchedule.linear(10.0).drive(), Drive.constant(8.0, transverse=0.4, problem=1.0)):
        times = np.linspace(0, drive.duration, 21)[1:]
        found = evolve(ring(num_spins), drive, times=times, tolerance=1e-9, progress=False)
        exact = FreeFermionRing(num_spins).evolve(drive, times=times, initial=(1.0, 0.0))
        pairs: list[tuple[Floats, Floats]] = [
            (found.energy, exact.energy),
            ((1 - found.moments.pairs.mean(axis=1)) / 2, exact.defect_density),
            (found.transverse_moments.mean(axis=1), exact.transverse_moment),
        ]
        worst = max(worst, *(float(np.abs(a - b).max()) for a, b in pairs))
    return worst


def measure_kibble_zurek(num_spins: int, times: Floats) -> tuple[float, float, Floats]:
    """Return the exponent of the density of defects against annealing time, its standard error, and the densities."""
    fermions = FreeFermionRing(num_spins)
    density = np.array([fermions.evolve(AnnealSchedule.linear(t).drive()).defect_density[-1] for t in times.tolist()])
    fit, covariance = np.polyfit(np.log(times), np.log(density), 1, cov=True)
    return float(fit[0]), float(np.sqrt(covariance[0, 0])), density


def measure_peak_memory(num_qubits: int) -> float:
    """Return the peak of allocated memory during a coherent evolution, in state vectors."""
    problem, drive = ring(num_qubits), AnnealSchedule.linear(0.05).drive()
    # compiles what is not on disk, which takes memory too
    evolve(ring(4), drive, tolerance=1e-2, progress=False)
    tracemalloc.start()
    evolve(problem, drive, tolerance=1e-2, progress=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return float(peak / (16 * 2**num_qubits))


def measure_relaxation(num_variables: int, beta: float) -> tuple[float, float]:
    """Return how far populations end from Gibbs' at rest at s = 0.5, and how far rates are from detailed balance."""
    rng = np.random.default_rng(num_variables)
    pairs: dict[tuple[Hashable, Hashable], float] = {
        (i, j): float(rng.normal()) for j in range(num_variables) for i in range(j)
    }
    problem, bath = IsingModel(rng.normal(0, 0.5, num_variables), pairs), OhmicBath(beta=beta, coupling=0.01)
    drive = Drive.constant(2000.0, transverse=0.5, problem=0.5)
    states = evolve_open(problem, drive, bath, initial_state=np.ones(num_variables), progress=False).states
    halved = TransverseIsing(0.5 * problem.h, 0.5 * problem.J, 0.5)
    levels, vectors = np.linalg.eigh(halved.hamiltonian())
    gibbs = np.exp(-beta * (levels - levels[0]))
    gibbs /= gibbs.sum()
    apart = float(np.abs(np.einsum("al,ab,bl->l", vectors, states[-1], vectors).real - gibbs).max())
    generator = DaviesGenerator.of(halved.hamiltonian(), DenseModel.of(problem, 1.0).signs, bath)
    # column b: where the population of level b goes
    rates = np.array(
        [
            np.einsum("al,ab,bl->l", vectors, generator.dissipated(np.outer(level, level) + 0j), vectors).real
            for level in vectors.T
        ]
    ).T
    flow = rates * gibbs
    return apart, float(np.abs(flow - flow.T).max() / np.abs(flow).max())


def main() -> None:
    """Print every figure beside its target."""
    parser = argparse.ArgumentParser(description="Measure the solvers of annealing itself.")
    parser.add_argument("--quick", action="store_true", help="smaller rings and shorter anneals")
    parser.add_argument("--out", type=Path, default=Path("dynamics-report"), help="folder of the figure")
    arguments = parser.parse_args()
    _timed("Landau-Zener, rates 0.1 to 100 gap^2", _print_landau_zener)
    _timed("QuTiP, norm of the difference of states", _print_qutip)
    _timed("Free fermions, largest difference at 20 times", lambda: _print_fermions(12 if arguments.quick else 16))
    _timed("Kibble-Zurek, density of defects of free fermions", _print_kibble_zurek)
    _timed("Memory and time of a coherent evolution", _print_memory)
    _timed("Master equation at rest, s = 0.5, from all spins up", _print_relaxation)
    times = [1.0, 3, 10, 30, 100] if arguments.quick else [1.0, 3, 10, 30, 60, 100, 200, 400, 800]
    _timed("The weak-strong pair, 16 qubits", lambda: _print_weak_strong(times, arguments.out))


def _print_landau_zener() -> None:
    worst = measure_landau_zener()
    _line(f"  largest error {worst:.1e} (1e-4); {_verdict(worst < 1e-4)}")


def _print_qutip() -> None:
    for n, name in ((1, "one qubit"), (10, "ring of 10")):
        apart = measure_against_qutip(n)
        _line(f"  {name}: {apart:.1e} (1e-6); {_verdict(apart < 1e-6)}")


def _print_fermions(largest: int) -> None:
    for n in range(12, largest + 1, 2):
        apart = measure_against_fermions(n)
        _line(f"  ring of {n}: {apart:.1e} (1e-8); {_verdict(apart < 1e-8)}")


def _print_kibble_zurek() -> None:
    times = np.geomspace(30, 1000, 8)
    exponent, error, _ = measure_kibble_zurek(1024, times)
    _line(f"  ring of 1024, annealing times 30 to 1000: exponent {exponent:.4f} +- {error:.4f} (-0.5 +- 0.05)")
    _line(f"  {_verdict(abs(exponent + 0.5) < 0.05)}")
    times = np.geomspace(3, 20, 6)
    exponent, error, density = measure_kibble_zurek(16, times)
    vector = [
        float((1 - evolve(ring(16), AnnealSchedule.linear(t).drive(), tolerance=1e-6).moments.pairs.mean()) / 2)
        for t in times[[0, -1]].tolist()
    ]
    apart = float(np.abs(density[[0, -1]] - vector).max())
    _line(f"  ring of 16, annealing times 3 to 20: exponent {exponent:.4f} +- {error:.4f}; state vector to {apart:.1e}")


def _print_memory() -> None:
    for n in (16, 20):
        peak = measure_peak_memory(n)
        _line(f"  {n} qubits: {peak:.2f} state vectors (below 4); {_verdict(peak < 4)}")
    started, problem = time.monotonic(), ring(20)
    found = evolve(problem, AnnealSchedule.linear(10.0).drive(), tolerance=1e-6, progress=False)
    exact = FreeFermionRing(20).evolve(AnnealSchedule.linear(10.0).drive(), initial=(1.0, 0.0)).energy[-1]
    _line(
        f"  20 qubits, an anneal of time 10: {time.monotonic() - started:.0f} s, {found.num_steps} steps, error said "
        f"{found.error:.0e}; energy to {abs(found.energy[-1] - exact):.0e} of free fermions'"
    )


def _print_relaxation() -> None:
    for n, beta in ((1, 1.0), (2, 0.5), (3, 2.0), (4, 1.0)):
        apart, unbalanced = measure_relaxation(n, beta)
        good = apart < 1e-3 and unbalanced < 1e-10
        _line(
            f"  {n} qubits, beta {beta:g}: populations to {apart:.1e} of Gibbs' (1e-3), detailed balance to "
            f"{unbalanced:.1e}; {_verdict(good)}"
        )


def _print_weak_strong(times: list[float], out: Path) -> None:
    sweeps = [16, 64, 256, 1024, 4096]
    found: WeakStrongResult = measure_weak_strong(annealing_times=times, nums_sweeps=sweeps, num_reads=2000, say=_line)
    good = abs(found.min_gap.gap - GAP) < 1e-4 and abs(found.min_gap.s - GAP_S) < 2e-3
    _line(f"  gap {found.min_gap.gap:.4f} ({GAP}) at s = {found.min_gap.s:.3f} ({GAP_S}); {_verdict(good)}")
    _line(f"  figure: {write_figure(out / 'weak-strong.png', weak_strong_figure(found))}")


def _timed(title: str, show: Callable[[], None]) -> None:
    started = time.monotonic()
    _line(title)
    show()
    _line(f"  {time.monotonic() - started:.1f} s")


def _verdict(good: bool) -> str:
    return "meets" if good else "misses"


def _line(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
