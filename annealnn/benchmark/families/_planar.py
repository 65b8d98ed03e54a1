"""Ground states of planar problems without fields, by perfect matching (dwave-samplers' `PlanarGraphSolver`)."""

import dimod
import networkx as nx
import numpy as np

from annealnn.benchmark.families._whole import whole
from annealnn.models import IsingModel
from annealnn.typing import AnyArray, Spins

# the matching, in Python, takes 20 s at 600 variables and grows with their third power; above 900 the solver recurses
# deeper than Python lets it
MAX_PLANAR = 600
# couplings are rounded to this share of the largest: sums of them stay exact in the matching's floats
_GRAIN = 2.0**-40


def planar_optimum(model: IsingModel) -> Spins | None:
    """Return a ground state (num_variables,) of a planar problem, or None if the method does not take it.

    It takes no fields, planar graphs only, and 600 variables at most in a biconnected part. Couplings that are no whole
    numbers of a unit are rounded to 2**-40 of the largest.
    """
    structure = model.structure
    if model.h.any():
        return None
    graph = nx.Graph()
    graph.add_nodes_from(range(structure.num_variables))
    for (u, v), coupling in zip(structure.edges.tolist(), _whole_couplings(model), strict=True):
        if coupling:
            graph.add_edge(u, v, quadratic=-float(coupling))
    # the solver fails on graphs in pieces and on some with cut vertices, and leaves out variables without couplings;
    # blocks are solved one by one, and each is turned to fit where it meets the last
    blocks = [sorted(block) for block in nx.biconnected_components(graph)]
    if max(map(len, blocks), default=0) > MAX_PLANAR or not nx.check_planarity(graph)[0]:
        return None
    blocks_at: dict[int, list[int]] = {v: [] for v in graph}
    for number, block in enumerate(blocks):
        for v in block:
            blocks_at[v].append(number)
    spins = np.zeros(structure.num_variables, dtype=np.int8)
    solved: set[int] = set()
    for start in graph:
        if not spins[start]:
            spins[start] = 1
            waiting = [start]
            while waiting:
                meeting = waiting.pop()
                for number in set(blocks_at[meeting]) - solved:
                    solved.add(number)
                    found = _solve(graph.subgraph(blocks[number]))
                    turn = spins[meeting] * found[meeting]
                    for v in blocks[number]:
                        spins[v] = turn * found[v]
                    waiting += blocks[number]
    return spins


def _whole_couplings(model: IsingModel) -> AnyArray:
    found = whole(model.parameters)
    if found is not None:
        return found.couplings
    couplings = model.parameters.couplings
    grains: AnyArray = np.rint(couplings / (np.abs(couplings).max() * _GRAIN))
    return grains


def _solve(block: nx.Graph) -> dict[int, int]:
    from dwave.samplers import PlanarGraphSolver

    if len(block) == 2:
        ((u, v, coefficient),) = block.edges(data="quadratic")
        return {u: 1, v: -int(np.sign(coefficient))}
    quadratic = {(u, v): value for u, v, value in block.edges(data="quadratic")}
    found: dict[int, int] = PlanarGraphSolver().sample(dimod.BQM({}, quadratic, 0.0, "SPIN")).first.sample
    return found
