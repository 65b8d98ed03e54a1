"""3-regular 3-XORSAT, each parity clause made of couplings to an ancilla of its own."""

import numpy as np

from annealnn._validation import check_count
from annealnn.benchmark._instance import Instance, InstanceSpec
from annealnn.benchmark.families._build import draws
from annealnn.benchmark.families._planting import model_of_bonds, plant
from annealnn.benchmark.families._registry import Family
from annealnn.typing import Indices


def xorsat(size: int, *, seed: int = 0, gauge: bool = True) -> Instance:
    """Return n random parity clauses of three variables, each variable in three, that one state satisfies.

    The energy is - sum over clauses s_i s_j s_k, each product replaced by fields and couplings of its variables and
    an ancilla a::

        3 + (s_i s_j + s_j s_k + s_i s_k) - (s_i + s_j + s_k) + 2 a (s_i + s_j + s_k) - 2 a

    whose minimum over a is - s_i s_j s_k: -1 where the clause holds, at one a only, and +1 where it does not, at
    either a if one spin is down. So the lowest energies and how many states have them are the clauses' own.

    Proof: all up satisfies every clause, and no clause goes below -1. So E0 = -n. A gauge then makes the
    clauses' parities random. Gaussian elimination modulo 2 solves the clauses in polynomial time; what is hard is the
    way there by flips of spins: median time to solution at 99 % of dwave-samplers' simulated annealing is 1.2e3, 4.8e3,
    7e3, 2.9e4, 9e4 sweeps at n = 8, 12, 16, 20, 24 (15 problems each, best of 8, 32, 128, 512 and 2048 sweeps).

    Parameters
    ----------
    size : int
        Number of clauses n and of their variables, at least 3; 2n variables with the ancillas, which come last.
    seed : int
    gauge : bool
        Flip variables, ancillas among them, at random.

    Raises
    ------
    ValueError
        If n is below 3.

    References
    ----------
    I. Hen, "Equation planting: A tool for benchmarking Ising machines", Phys. Rev. Applied 12, 011003 (2019).
    M. Kowalsky, T. Albash, I. Hen, D. A. Lidar, "3-regular three-XORSAT planted solutions benchmark of
    classical and quantum heuristic optimizers", Quantum Sci. Technol. 7, 025008 (2022).
    """
    n = check_count("size", size, minimum=3)
    spec = InstanceSpec(family="xorsat", size=n, seed=seed, options={"gauge": gauge})
    rng = draws(n, spec.seed)
    i, j, k = _draw_clauses(n, rng).T
    ancilla = np.arange(n, 2 * n)
    pairs = [(i, j), (j, k), (i, k), (i, ancilla), (j, ancilla), (k, ancilla)]
    bonds = np.concatenate([np.column_stack(ends) for ends in pairs])
    couplings = np.repeat([-1.0, -2.0], 3 * n)
    fields = np.repeat([3.0, 2.0], n)  # 1 from each of a variable's three clauses
    model = model_of_bonds(2 * n, bonds, couplings, fields=fields, offset=3.0 * n)
    state = np.repeat(np.array([1, -1], np.int8), n)
    return plant(spec, model, -n, state=state, rng=rng, gauge=gauge)


def _draw_clauses(n: int, rng: np.random.Generator) -> Indices:
    """Return n clauses (n, 3) of distinct variables, each variable in three of them."""
    places = np.repeat(np.arange(n), 3)
    while True:  # one draw in about e^2 has no variable twice in a clause
        clauses = rng.permutation(places).reshape(n, 3)
        i, j, k = clauses.T
        if ((i != j) & (j != k) & (i != k)).all():
            return clauses


FAMILY = Family(
    name="xorsat",
    build=xorsat,
    summary="3-regular 3-XORSAT with planted solution, an ancilla for each clause",
    source="Hen, Phys. Rev. Applied 12, 011003 (2019)",
)
