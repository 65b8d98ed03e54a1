"""Weak-strong clusters: pairs of Chimera cells with a false minimum each, the strong ones joined into a network."""

from typing import Any, NamedTuple

import numpy as np

from annealnn._validation import check_count, check_number
from annealnn.benchmark._instance import Instance, Optimum
from annealnn.benchmark.families._build import draws, instance_of
from annealnn.benchmark.families._collapse import collapse
from annealnn.benchmark.families._registry import Family
from annealnn.benchmark.families._tree_optimum import tree_optimum, tree_order
from annealnn.models import IsingModel

# qubits of a Chimera cell, and of each of its two sides
_CELL, _SIDE = 8, 4


class Layout(NamedTuple):
    """Where the pairs are, by (row, column) of the grid of cells."""

    weak: list[tuple[int, int]]
    strong: list[tuple[int, int]]
    grid_size: int  #: of the Chimera graph whose qubits are the labels

    def qubits(self, cell: tuple[int, int]) -> range:
        """Return the qubits of a cell, vertical ones first."""
        start = _CELL * (cell[0] * self.grid_size + cell[1])
        return range(start, start + _CELL)


def layout(size: int, columns: int | None = None) -> Layout:
    """Return the places of pairs: `columns` in a row, weak and strong cells in the order W S S W W S ...

    As many columns as make the network square, if None.
    """
    across = check_count("columns", columns) if columns is not None else max(1, round(np.sqrt(size / 2)))
    weak, strong = [], []
    for pair in range(size):
        row, column = divmod(pair, across)
        outer, inner = (2 * column, 2 * column + 1) if column % 2 == 0 else (2 * column + 1, 2 * column)
        weak.append((row, outer))
        strong.append((row, inner))
    return Layout(weak, strong, max(-(-size // across), 2 * min(size, across)))


def weak_strong_clusters(
    size: int, *, seed: int = 0, weak_field: float = -0.44, columns: int | None = None
) -> Instance:
    """Return pairs of a weak and a strong cluster, the strong ones joined by +-1 at random.

    A cluster is a Chimera cell, K4,4 with J = 1; four bonds J = 1 join the two of a pair. The field is 1 on strong
    cells and `weak_field` on weak ones. Strong cells that are neighbours on the grid are joined by their four bonds,
    all 1 or all -1. Labels are qubits of the smallest Chimera graph that holds the network.

    Parameters
    ----------
    size : int
        Number of pairs. 1 is the pair of 16 spins of Boixo et al. (2016): optimum -40.48, all up, and a false minimum
        at -39.52, the weak cell down, which is the lower one early in an anneal.
    seed : int
        Of the signs between strong cells.
    weak_field : float
        Negative; below -0.5 a weak cell that stands alone with its strong one prefers to be down.
    columns : int, optional
        Pairs in a row of the grid; as many as make the network square if None. Two columns have their strong cells
        side by side and make a ladder; ladders have no bonds to each other.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    Boixo et al. (2016), Nat. Commun. 7, 10327, and Denchev et al. (2016), Phys. Rev. X 6, 031015. The network of cells
    is planar and its states few: an optimum takes a tree decomposition with one spin for each cell, once these are
    proven uniform (Mandra, Katzgraber & Thomas 2017, arXiv 1703.00622).
    """
    check_count("size", size)
    check_number("weak_field", weak_field, low=-np.inf, high=0.0)
    places = layout(size, columns)
    rng = draws(size, seed)
    cells = dict.fromkeys(places.weak, "weak") | dict.fromkeys(places.strong, "strong")
    partner = dict(zip(places.weak, places.strong, strict=True))
    signs: dict[tuple[tuple[int, int], tuple[int, int]], float] = {}
    for row, column in sorted(places.strong):
        for other in ((row, column + 1), (row + 1, column)):
            if cells.get(other) == "strong":
                signs[(row, column), other] = float(rng.choice([-1.0, 1.0]))
    for weak, strong in partner.items():
        signs[min(weak, strong), max(weak, strong)] = 1.0
    couplings: dict[Any, float] = {}
    for cell in cells:
        qubits = places.qubits(cell)
        couplings |= {(u, v): 1.0 for u in qubits[:_SIDE] for v in qubits[_SIDE:]}
    for (cell, other), sign in signs.items():
        # vertical qubits join rows, horizontal ones columns
        side = slice(None, _SIDE) if cell[1] == other[1] else slice(_SIDE, None)
        joined = zip(places.qubits(cell)[side], places.qubits(other)[side], strict=True)
        couplings |= dict.fromkeys(joined, sign)
    fields: dict[Any, float] = {}
    for cell, kind in sorted(cells.items()):
        fields |= dict.fromkeys(places.qubits(cell), weak_field if kind == "weak" else 1.0)
    model = IsingModel(fields, couplings)
    return instance_of("weak-strong", size, seed, model, weak_field=float(weak_field), columns=columns)


def by_cells(instance: Instance) -> Optimum | None:
    """Return the optimum by tree decomposition of the graph of cells, or None if cells are not proven uniform."""
    spec, model = instance.spec, instance.model
    places = layout(spec.size, spec.options.get("columns"))
    index = {label: k for k, label in enumerate(model.labels)}
    cells = [[index[q] for q in places.qubits(cell)] for cell in sorted(places.weak + places.strong)]
    collapsed = collapse(model, cells)
    order = None if collapsed is None else tree_order(collapsed.model.structure)
    if collapsed is None or order is None:
        return None
    state = collapsed.expand(tree_optimum(collapsed.model, order))
    return Optimum(energy=float(model.energy(state)), proof="tree decomposition", state=state)


WEAK_STRONG = Family(
    name="weak-strong",
    build=weak_strong_clusters,
    summary="pairs of a weak and a strong Chimera cell, strong ones joined by +-1",
    source="Denchev et al. 2016, Phys. Rev. X 6, 031015",
    certify=by_cells,
)
