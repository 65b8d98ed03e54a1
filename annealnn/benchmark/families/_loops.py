"""Frustrated loops on a processor's graph, and on clusters of its variables."""

from contextlib import suppress

import dimod
import networkx as nx
import numpy as np

from annealnn._validation import check_count, check_number
from annealnn.benchmark._instance import Instance, InstanceSpec
from annealnn.benchmark.families._build import draws
from annealnn.benchmark.families._graphs import working_graph
from annealnn.benchmark.families._planting import model_of_bonds, plant
from annealnn.benchmark.families._registry import Family
from annealnn.typing import Floats, Indices

# Walks that may fail to close a loop that fits, for each loop asked for: with room one in 2 to 5 succeeds. On a small
# graph a few loops in bad places leave no room: there are new starts, fewer where loops are many.
_WALKS, _STARTS = 10, 60
_MOST = 100.0  # loops for each variable
_SHORE = 4


def frustrated_loops(
    size: int,
    *,
    seed: int = 0,
    graph: str = "chimera",
    alpha: float = 0.25,
    R: int | None = 3,
    min_length: int = 6,
    gauge: bool = True,
    num_dead: int = 0,
    graph_sha256: str | None = None,
) -> Instance:
    """Return a sum of frustrated loops on a processor's graph.

    Each loop is where a random walk first meets itself. It adds J = 1 to its bonds, but -1 to one of them, drawn at
    random. Bonds that have reached `R` in absolute value take part in no further loop.

    Proof: a loop of length l cannot satisfy all its bonds, so its energy is at least -(l - 2), which it has at all
    up. The energy is the sum of the loops', and E0 = - sum (l - 2) over loops = - sum of all J.

    Parameters
    ----------
    size : int
        The L of a topology; the number of qubits in a file.
    seed : int
    graph : "chimera", "pegasus", "zephyr", or path of a JSON file
        A file holds a working graph, its qubits and couplers.
    alpha : float
        Number of loops over number of variables, rounded to a whole number of at least one loop. Median time to
        solution at 99 % of dwave-samplers' simulated annealing on Chimera L = 4, in sweeps, 15 problems, best of 8, 32,
        128, 512 and 2048 sweeps: 96, 2.5e2, 6.6e2, 9.8e2, 1.2e3, 6.1e2 at R = 3 for alpha = 0.1, 0.15, 0.2, 0.25, 0.4,
        0.6.
    R : int or None
        Largest absolute coupling, the "range". None: no limit. At R = 1 there is no room for alpha = 0.25, and the
        median above is 3.3e2 at 0.2; at R = 2 it is 6e2 to 8e2 from 0.2 to 0.4.
    min_length : int
        Shorter loops are dropped; 6 keeps those out that stay in a Chimera cell's squares.
    gauge : bool
        Flip variables at random, so that the planted state is not all up.
    num_dead : int
        Qubits of a topology taken out at random; the same ones for all instances of a size.
    graph_sha256 : str, optional
        SHA-256 that a graph's file must have.

    Raises
    ------
    ValueError
        If an option is out of range, the graph is none, or there is no room for so many loops.

    References
    ----------
    I. Hen, J. Job, T. Albash, T. F. Ronnow, M. Troyer, D. A. Lidar, "Probing for quantum speedup in spin-glass
    problems with planted solutions", Phys. Rev. A 92, 042325 (2015).
    A. D. King, T. Lanting, R. Harris, "Performance of a quantum annealer on range-limited constraint
    satisfaction problems", arXiv 1502.02098 (2015).
    """
    structure, where = working_graph(graph, size, num_dead=num_dead, graph_sha256=graph_sha256)
    options = {**where, "alpha": alpha, "R": R, "min_length": min_length, "gauge": gauge}
    spec = InstanceSpec(family="frustrated-loops", size=size, seed=seed, options=options)
    rng = draws(size, spec.seed)
    bonds, couplings = _sum_of_loops(structure.num_variables, structure.edges, alpha, R, min_length, rng)
    model = model_of_bonds(structure.num_variables, bonds, couplings, labels=structure.labels)
    return plant(spec, model, -couplings.sum(), rng=rng, gauge=gauge)


def frustrated_cluster_loops(
    size: int,
    *,
    seed: int = 0,
    alpha: float = 0.4,
    R: int = 2,
    cluster_coupling: float | None = None,
    min_length: int = 4,
    gauge: bool = True,
) -> Instance:
    """Return frustrated loops on the square lattice of a Chimera graph's cells.

    Loops as in `frustrated_loops`, on the lattice whose sites are the cells; their couplings are those of all four
    bonds between two cells. The 16 bonds inside a cell are ferromagnetic.

    Proof: let D be some variables of a cell, e_i the sum of absolute couplings of variable i to other cells, and
    cut(D) the number of bonds in the cell between D and the rest. If for every D

        cluster_coupling cut(D) >= the lesser of sum e_i over D and over the rest,

    flipping that lesser part makes a mixed cell uniform at no cost, so some ground state has uniform cells, and these
    have the energies of the loops on cells, lowest at all up. So E0 = - sum of all J. With `cluster_coupling` >= R
    this always holds (cut(D) >= 2 abs(D) up to half a cell, and e_i <= 2R). Otherwise each cell is checked, and
    where one fails the instance has no planted optimum.

    The lattice of cells is planar and without fields, so it is solved exactly in polynomial time: a speed-up over
    annealers on this family is none over the best classical solver (Mandra et al. 2017).

    Parameters
    ----------
    size : int
        The m of Chimera: m x m cells of 8 variables, at least 2.
    seed : int
    alpha : float
        Number of loops over number of cells, rounded to a whole number of at least one loop.
    R : int
        Largest absolute coupling between cells. Median time to solution at 99 % of dwave-samplers' simulated annealing
        at L = 6, in sweeps, 15 problems, best of 8, 32, 128, 512 and 2048 sweeps: 4.9e2 at R = 1 and alpha = 0.2, 1e4
        at R = 2 and 3e4 to 6e4 at R = 3, whatever alpha from 0.2 to 0.4. There is no room for 0.3 at R = 1, nor for
        0.65 at R = 2.
    cluster_coupling : float, optional
        J inside cells; R if None. Below R cells give way: the deceptive cluster loops of Mandra and Katzgraber, whose
        lambda is 1 / `cluster_coupling` at R = 1.
    min_length : int
        Shorter loops, in cells, are dropped.
    gauge : bool
        Flip variables at random, so that the planted state is not all up.

    Raises
    ------
    ValueError
        If an option is out of range, or there is no room for so many loops.

    References
    ----------
    J. King et al., "Quantum annealing amid local ruggedness and global frustration", arXiv 1701.04579 (2017).
    S. Mandra, H. G. Katzgraber, C. Thomas, "The pitfalls of planar spin-glass benchmarks", Quantum Sci.
    Technol. 2, 038501 (2017).
    S. Mandra, H. G. Katzgraber, "A deceptive step towards quantum speedup detection", Quantum Sci. Technol. 3,
    04LT01 (2018).
    """
    length = check_count("size", size, minimum=2)
    inside = check_number("cluster_coupling", R if cluster_coupling is None else cluster_coupling, low=0, open_low=True)
    options = {"alpha": alpha, "R": R, "cluster_coupling": inside, "min_length": min_length, "gauge": gauge}
    spec = InstanceSpec(family="frustrated-cluster-loops", size=length, seed=seed, options=options)
    rng = draws(length, spec.seed)

    cells = nx.grid_2d_graph(length, length)
    steps = np.array([[a * length + b, c * length + d] for (a, b), (c, d) in cells.edges])
    bonds, couplings = _sum_of_loops(length**2, steps, alpha, R, min_length, rng)
    # couplings to the next cell across, and to the next along, of every cell
    low, high = bonds.min(axis=1), bonds.max(axis=1)
    links = np.zeros((2, length**2))
    links[np.where(high - low == 1, 0, 1), low] = couplings

    structure, _ = working_graph("chimera", length)
    cell, other = structure.edges.T // (2 * _SHORE)
    values = np.where(cell == other, inside, links[np.where(other - cell == 1, 0, 1), cell])
    model = model_of_bonds(structure.num_variables, structure.edges, values)
    proven = _cells_stay_uniform(links.reshape(2, length, length), inside)
    return plant(spec, model, -values.sum() if proven else None, rng=rng, gauge=gauge)


def _sum_of_loops(
    num_sites: int, edges: Indices, alpha: float, R: int | None, min_length: int, rng: np.random.Generator
) -> tuple[Indices, Floats]:
    """Return the bonds (num_bonds, 2) of a sum of loops, and their couplings (num_bonds,) in Eq. (1)'s sign."""
    asked = max(1, round(check_number("alpha", alpha, low=0.0, high=_MOST, open_low=True) * num_sites))
    limit = float("inf") if R is None else check_count("R", R)
    shortest = check_count("min_length", min_length, minimum=3)
    for start in rng.integers(1 << 32, size=3 + _STARTS // asked):
        with suppress(RuntimeError):
            bqm = dimod.generators.frustrated_loop(
                (list(range(num_sites)), [(u, v) for u, v in edges.tolist()]),
                asked,
                R=limit,
                cycle_predicates=(lambda loop: len(loop) >= shortest,),
                max_failed_cycles=_WALKS * (asked + _WALKS),
                seed=int(start),
            )
            break
    else:
        msg = (
            f"loops take bonds whose couplings are below R, and {asked} loops (alpha={alpha}) of at least {min_length} "
            f"sites found no room on {num_sites} sites with R={R}. Lower alpha or min_length, or raise R"
        )
        raise ValueError(msg)
    pairs, biases = zip(*bqm.quadratic.items(), strict=True)
    return np.array(pairs, np.intp), -np.array(biases, np.float64)


def _cells_stay_uniform(links: Floats, inside: float) -> bool:
    """Return whether couplings inside cells outweigh those to the next cells, (2, length, length), in every cell."""
    next_across, next_along = np.abs(links)
    across = next_across + np.roll(next_across, 1, axis=1)  # the lattice is open: nothing comes round its edge
    along = next_along + np.roll(next_along, 1, axis=0)
    # D has x variables of one shore, each coupled along, and y of the other, each coupled across
    x, y = np.indices((_SHORE + 1, _SHORE + 1))
    cut = x * (_SHORE - y) + y * (_SHORE - x)
    outside = along[..., None, None] * x + across[..., None, None] * y
    lesser = np.minimum(outside, outside[..., ::-1, ::-1])
    return bool((inside * cut >= lesser).all())


LOOPS = Family(
    name="frustrated-loops",
    build=frustrated_loops,
    summary="random loops, each with one bond against the rest, on a processor's graph",
    source="Hen et al., Phys. Rev. A 92, 042325 (2015); King et al., arXiv 1502.02098 (2015)",
)

CLUSTER_LOOPS = Family(
    name="frustrated-cluster-loops",
    build=frustrated_cluster_loops,
    summary="frustrated loops on the lattice of a Chimera graph's ferromagnetic cells",
    source="King et al., arXiv 1701.04579 (2017); Mandra, Katzgraber, Quantum Sci. Technol. 3, 04LT01 (2018)",
)
