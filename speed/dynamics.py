"""Coherent anneals, ours and QuTiP's side by side: 12 qubits, at equal error; then what a step of ours costs.

As in `samplers.py`: in turn, seconds of processor time on one thread each, and what counts is the median of the ratios
of neighbours; its spread, from the lowest quarter to the highest, is in the note. Each solver has the tolerance at
which the norm of its last state's error is just below 1e-6; the errors are in the table.

python speed/dynamics.py [--quick] [--only NAME ...]
"""

import argparse
import os
import tracemalloc
from pathlib import Path

# before numpy: one thread for whoever would take more
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
import qutip
from scipy.sparse import diags_array

from annealnn import IsingModel
from annealnn.dynamics import evolve
from annealnn.dynamics._propagation import Propagator
from annealnn.models._exact import basis_energies
from annealnn.schedules import AnnealSchedule

from compare import Evidence, in_turn, keep, row, table, timed

HERE = Path(__file__).parent
PACKAGES = ("annealnn", "qutip", "numba", "numpy", "scipy")
NUM_QUBITS, TIME, ERROR = 12, 20.0, 1e-6


def glass():
    """Return 12 variables, of whose pairs two in five have J = +-1, with fields."""
    rng = np.random.default_rng(3)
    every = [(i, j) for i in range(NUM_QUBITS) for j in range(i + 1, NUM_QUBITS)]
    chosen = [pair for pair in every if rng.random() < 0.4]
    return IsingModel(
        rng.normal(0, 0.3, NUM_QUBITS), dict(zip(chosen, rng.choice([-1.0, 1.0], len(chosen)), strict=True))
    )


PROBLEM, DRIVE = glass(), AnnealSchedule.linear(TIME).drive()
EXACT = evolve(PROBLEM, DRIVE, tolerance=1e-12).state


def ours(tolerance):
    return evolve(PROBLEM, DRIVE, tolerance=tolerance, num_threads=1, progress=False).state


def qutip_hamiltonian():
    """Return H(t) as QuTiP users write it, with sparse matrices."""
    each = [
        qutip.tensor([qutip.sigmax() if k == i else qutip.qeye(2) for k in range(NUM_QUBITS)])
        for i in range(NUM_QUBITS)
    ]
    transverse = -sum(each[1:], each[0]).to("CSR")
    energies = basis_energies(PROBLEM.structure, PROBLEM.parameters)
    diagonal = qutip.Qobj(diags_array(energies).tocsr(), dims=transverse.dims)
    return qutip.QobjEvo([[transverse, lambda t: 1 - t / TIME], [diagonal, lambda t: t / TIME]])


def qutip_solver(method):
    """Return a call that takes a tolerance; it is of each step, and the relative one a hundred times that."""
    hamiltonian = qutip_hamiltonian()
    start = qutip.Qobj(np.full((2**NUM_QUBITS, 1), 2 ** (-NUM_QUBITS / 2)), dims=[[2] * NUM_QUBITS, [1] * NUM_QUBITS])

    def solve(tolerance):
        options = {
            "method": method,
            "atol": tolerance / 100,
            "rtol": tolerance,
            "nsteps": 1_000_000,
            "progress_bar": "",
            "normalize_output": False,
        }
        return qutip.sesolve(hamiltonian, start, [0, TIME], options=options).states[-1].full().ravel()

    return solve


def error_of(state):
    return float(np.linalg.norm(state - EXACT))


def coarsest(solve):
    """Return the largest tolerance whose error is not above what is asked, by bisection, and that error."""
    low, high, found = 1e-12, 1e-3, None
    for _ in range(12):
        middle = (low * high) ** 0.5
        error = error_of(solve(middle))
        if error <= ERROR:
            low, found = middle, (middle, error)
        else:
            high = middle
    if found is None:
        msg = f"no tolerance gave an error of {ERROR}"
        raise RuntimeError(msg)
    return found


def against(method, target, pairs):
    """Compare with one of QuTiP's integrators."""
    solve = qutip_solver(method)
    (mine, my_error), (its, its_error) = coarsest(ours), coarsest(solve)
    seconds, _ = in_turn(lambda: timed(lambda: ours(mine)), lambda: timed(lambda: solve(its)), pairs)
    low, high = np.quantile(seconds[:, 1] / seconds[:, 0], [0.25, 0.75])
    work = f"an anneal of {NUM_QUBITS} qubits, time {TIME:g}, error below {ERROR:g}"
    note = f"{low:.1f} to {high:.1f}; errors {my_error:.0e} and {its_error:.0e}"
    evidence = Evidence("error of the state, 1e-6", my_error * 1e6, its_error * 1e6, 0.0)
    return row(work, f"QuTiP's sesolve, {method}", seconds, 1e-3, target, unit="ms", note=note, evidence=evidence)


ROWS = {
    # QuTiP's default
    "adams": lambda pairs: against("adams", 20.0, pairs),
    "vern7": lambda pairs: against("vern7", 20.0, pairs),
    "vern9": lambda pairs: against("vern9", 20.0, pairs),
    "dop853": lambda pairs: against("dop853", 20.0, pairs),
}


def stage_cost(n):
    """Return (n, us a stage, ns for each of 2^n n, peak memory in state vectors)."""
    problem = IsingModel(np.linspace(-1, 1, n), {(i, (i + 1) % n): 1.0 for i in range(n)})
    propagator = Propagator(problem, np.ones(n), AnnealSchedule.linear(1.0).drive(), tolerance=1e-6, num_threads=1)
    propagator.begin(None)
    num_stages = max(2, 2**22 // 2**n)
    each = np.full((num_stages, n), 0.1)
    stages = (propagator.parts, each[:, 0].copy(), np.cos(each), np.sin(each))
    seconds = min(timed(lambda: propagator._stages(*stages))[0] for _ in range(5)) / num_stages
    tracemalloc.start()
    evolve(problem, AnnealSchedule.linear(0.05).drive(), tolerance=1e-2, num_threads=1, progress=False)
    peak = tracemalloc.get_traced_memory()[1] / (16 * 2**n)
    tracemalloc.stop()
    return n, 1e6 * seconds, 1e9 * seconds / (2**n * n), peak


def main():
    parser = argparse.ArgumentParser(description="Time our coherent anneals and QuTiP's in turn.")
    parser.add_argument("--quick", action="store_true", help="few pairs; nothing is stored")
    parser.add_argument("--only", action="append", choices=ROWS, metavar="NAME", help=f"of {', '.join(ROWS)}")
    arguments = parser.parse_args()
    pairs = 3 if arguments.quick else 11
    rows = {}
    for name in ROWS:
        if not arguments.only or name in arguments.only:
            print(f"{name} ...", flush=True)
            rows[name] = ROWS[name](pairs)
    print("\n".join(["", *table(rows.values())]))
    found = [stage_cost(n) for n in range(12, 17 if arguments.quick else 21, 2)]
    print("\n| qubits | us a stage | ns / (2^n n) | peak memory, state vectors |\n| --- | --- | --- | --- |")
    for n, stage, share, peak in found:
        print(f"| {n} | {stage:.3g} | {share:.2f} | {peak:.2f} |")
    # no exit status: on a shared machine a miss is a reason to look, not a failure
    if missed := [name for name, r in rows.items() if r.missed]:
        print(f"\nmissed: {', '.join(missed)}")
    if not (arguments.quick or arguments.only):
        named = [
            dict(zip(("qubits", "stage_us", "ns_per_qubit_amplitude", "peak_states"), r, strict=True)) for r in found
        ]
        keep(HERE / "dynamics.json", rows, PACKAGES, {"pairs": pairs, "stages": named})


if __name__ == "__main__":
    main()
