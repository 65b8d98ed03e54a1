"""Exact sums over the states of a sparse graph, one variable at a time.

Variable elimination along one order of the variables (Dechter 1999): a forward pass sums each variable out and gives
ln Z, a backward pass gives moments or independent reads. The cost is set by the width of the order, not by the number
of variables.
"""

import heapq
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, final

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import reverse_cuthill_mckee
from scipy.special import expit

from annealnn.models import Moments, Parameters, Structure
from annealnn.models._exact import MAX_ENUMERATED, check_exponents, first_moments
from annealnn.samplers._streams import uniforms
from annealnn.typing import Floats, Spins, Words

MAX_WIDTH = 24
# numbers in the tables that the backward pass reads: 512 MiB
MAX_ENTRIES = 2**26

# of basis digits 0 and 1
_SIGNS = np.array([1.0, -1.0])
# uniforms held at a time, in numbers
_MOST_UNIFORMS = 2**22


class Bag(NamedTuple):
    """A variable, and the later variables that its elimination joins."""

    variable: int
    others: tuple[int, ...]  #: in the order of their elimination
    edges: tuple[tuple[int, int], ...]  #: (axis of the other variable, number of the edge), last axis first
    children: tuple[int, ...]  #: numbers of the bags whose first other variable is this bag's


@final
class TreeDecomposition:
    """An elimination order of a graph, and the bags that it leaves.

    One graph has one order, found once: a seed replays, and learners do not pay for the order at every step, as they
    would with dwave-samplers' `TreeDecompositionSampler`.

    Raises
    ------
    ValueError
        If the width, or the memory that its tables take, is beyond what is practical, or the width beyond `max_width`.
    """

    name = "tree decomposition"

    def __init__(self, structure: Structure, max_width: int = MAX_WIDTH) -> None:
        found = _best_order(structure, max_width)
        self.structure, self.num_entries, self.width = structure, found.num_entries, found.width
        self.bags = bags_of(structure, found)

    def solve(self, parameters: Parameters, beta: float) -> "TreeDistribution":
        """Return the Boltzmann distribution at `parameters`."""
        return TreeDistribution(self, parameters, beta)

    def log_partitions(self, fields: Floats, couplings: Floats) -> Floats:
        """Return ln Z at beta = 1 of rows of fields (num_rows, num_variables) that share couplings, (num_rows,)."""
        # as TreeDistribution's forward pass, with rows for a first axis
        total = np.zeros(len(fields))
        messages: dict[int, Floats] = {}
        for k, bag in enumerate(self.bags):
            axes = len(bag.others)
            pull = fields[:, bag.variable].reshape(-1, *(1,) * axes)
            for axis, edge in bag.edges:
                pull = pull + couplings[edge] * _SIGNS.reshape(along(axes, axis))
            up, down = pull, -pull
            for child in bag.children:
                shape = shape_within(self.bags[child], bag)
                message = messages.pop(child)
                up, down = up + message[:, 0].reshape(-1, *shape), down + message[:, 1].reshape(-1, *shape)
            summed = np.logaddexp(up, down)
            if bag.others:
                messages[k] = summed
            else:
                total += summed
        return total


@final
class TreeDistribution:
    """A Boltzmann distribution, as the conditional of each variable given the later ones.

    Axes of a table are the later variables of a bag in their order; index 0 is spin +1.
    """

    def __init__(self, decomposition: TreeDecomposition, parameters: Parameters, beta: float) -> None:
        check_exponents(parameters, beta)
        self._decomposition = decomposition
        fields = (beta * np.asarray(parameters.fields)).tolist()
        couplings = (beta * np.asarray(parameters.couplings)).tolist()
        self.log_z = 0.0
        self._logits: list[Floats] = []  # ln P(+1 | later) / P(-1 | later)
        messages: dict[int, Floats] = {}
        for k, bag in enumerate(decomposition.bags):
            pull = np.full((1,) * len(bag.others), fields[bag.variable])
            for axis, edge in bag.edges:
                pull = pull + couplings[edge] * _SIGNS.reshape(along(len(bag.others), axis))
            up, down = pull, -pull
            for child in bag.children:
                shape = shape_within(decomposition.bags[child], bag)
                message = messages.pop(child)
                up, down = up + message[0].reshape(shape), down + message[1].reshape(shape)
            logits = up - down
            # ln(e^up + e^down), kept small: what is taken off goes to ln Z
            message = np.maximum(up, down)
            del up, down
            message += np.log1p(np.exp(-np.abs(logits)))
            top = float(message.max())
            self.log_z += top
            self._logits.append(logits)
            if bag.others:
                message -= top
                messages[k] = message

    def moments(self) -> Moments:
        """Return the exact moments."""
        bags, structure = self._decomposition.bags, self._decomposition.structure
        spins, pairs = np.zeros(structure.num_variables), np.zeros(structure.num_edges)
        later: dict[int, Floats] = {}
        for k in range(len(bags) - 1, -1, -1):
            bag, logits = bags[k], self._logits[k]
            p = later.pop(k, np.ones(()))
            up = p * expit(logits)
            down = p - up
            del p
            signed = (up - down).reshape(-1)
            spins[bag.variable] = signed.sum()
            if bag.edges:
                products = first_moments(signed)
                for axis, edge in bag.edges:
                    pairs[edge] = products[axis]
            for child in bag.children:
                shape = shape_within(bags[child], bag)
                gone = tuple(axis for axis, size in enumerate(shape) if size == 1)
                joint = np.empty((2,) * len(bags[child].others))
                np.sum(up, axis=gone, out=joint[0, ...])
                np.sum(down, axis=gone, out=joint[1, ...])
                later[child] = joint
        return Moments(spins, pairs)

    def draw(self, streams: Words) -> Spins:
        """Return one independent read for each stream (num_reads, 4), and move the streams on in place."""
        n = self._decomposition.structure.num_variables
        digits = np.empty((n, len(streams)), dtype=np.int8)
        size = max(1, _MOST_UNIFORMS // max(1, n))
        for start in range(0, len(streams), size):
            block = slice(start, start + size)
            draws = uniforms(streams[block], n).T
            for bag, logits in zip(reversed(self._decomposition.bags), reversed(self._logits), strict=True):
                state = np.zeros(draws.shape[1], dtype=np.intp)
                for u in bag.others:
                    state += state
                    state += digits[u, block]
                digits[bag.variable, block] = draws[bag.variable] >= expit(logits.reshape(-1)[state])
        return np.ascontiguousarray(1 - 2 * digits.T)


def bags_of(structure: Structure, elimination: "Elimination") -> tuple[Bag, ...]:
    """Return the bags that an order leaves, in the order."""
    order, others = elimination.order, elimination.others
    position = {v: k for k, v in enumerate(order)}
    edge_of = {(u, v): e for e, pair in enumerate(structure.edges.tolist()) for u, v in (pair, pair[::-1])}
    children: list[list[int]] = [[] for _ in order]
    for k, later in enumerate(others):
        if later:
            children[position[later[0]]].append(k)
    return tuple(
        Bag(
            v,
            later,
            tuple((axis, edge_of[v, u]) for axis, u in reversed([*enumerate(later)]) if (v, u) in edge_of),
            tuple(children[k]),
        )
        for k, (v, later) in enumerate(zip(order, others, strict=True))
    )


def along(num_axes: int, axis: int) -> tuple[int, ...]:
    return (1,) * axis + (2,) + (1,) * (num_axes - axis - 1)


def shape_within(child: Bag, bag: Bag) -> tuple[int, ...]:
    """Return the shape of a child's table, its first axis taken off, that broadcasts over the bag's."""
    kept = set(child.others)
    return tuple(2 if u in kept else 1 for u in bag.others)


class Elimination(NamedTuple):
    """What an order of elimination comes to."""

    order: list[int]
    others: list[tuple[int, ...]]  #: for each variable in the order, the later ones that it joins, in the order
    num_entries: float  #: numbers in the tables; infinity if a variable joined too many
    width: int  #: the most later variables; at least so many if there were too many


def cheapest(structure: Structure, max_width: int, ranks: Sequence[Sequence[int]] = ()) -> Elimination:
    """Return the cheapest of some orders: min-fill; reverse Cuthill-McKee, which is better on grids; by given ranks.

    Parameters
    ----------
    structure : Structure
    max_width : int
    ranks : sequence of sequences (num_variables,) of int
        Each the place of every variable in an order.
    """
    n = structure.num_variables
    tried = [eliminate(structure, fill, max_width)]
    if n:
        heads, tails = (ends.astype(np.int32) for ends in structure.ends)
        adjacency = csr_array((np.ones(len(heads)), (heads, tails)), (n, n))
        cuthill = np.argsort(reverse_cuthill_mckee(csr_array(adjacency + adjacency.T), symmetric_mode=True)).tolist()
        tried += [eliminate(structure, _by(rank), max_width) for rank in (cuthill, *ranks)]
    return min(tried, key=lambda found: (found.num_entries, found.width))


def _by(rank: Sequence[int]) -> Callable[[list[set[int]], int], float]:
    return lambda _, v: rank[v]


def _best_order(structure: Structure, max_width: int) -> Elimination:
    """Return the cheaper of min-fill and reverse Cuthill-McKee.

    Raises
    ------
    ValueError
        If neither fits.
    """
    n = structure.num_variables
    best = cheapest(structure, max_width)
    if best.num_entries <= MAX_ENTRIES:
        return best
    if math.isinf(best.num_entries):
        found = f"a width of at least {best.width}"
    else:
        found = f"a width of {best.width}, with tables of {best.num_entries / 2**27:.3g} GiB"
    msg = (
        f"exact sums reach {MAX_ENUMERATED} variables by enumeration, and beyond a width of {max_width} and tables of "
        f"{MAX_ENTRIES / 2**27:.3g} GiB by tree decomposition; got {n} variables and {found}. Sample instead, with "
        "GibbsSampler"
    )
    raise ValueError(msg)


def eliminate(
    structure: Structure, cost: Callable[[list[set[int]], int], float], max_width: int = MAX_WIDTH
) -> Elimination:
    """Eliminate the variable of least `cost(near, variable)` again and again, `near` being the neighbours left.

    A variable with more than `max_width` neighbours waits.
    """
    near: list[set[int]] = [set() for _ in range(structure.num_variables)]
    for u, v in structure.edges.tolist():
        near[u].add(v)
        near[v].add(u)

    def price(v: int) -> float:
        return math.inf if len(near[v]) > max_width else cost(near, v)

    costs = [price(v) for v in range(len(near))]
    heap = [(priced, v) for v, priced in enumerate(costs)]
    heapq.heapify(heap)
    position: dict[int, int] = {}
    joined: list[set[int]] = []
    while heap:
        priced, v = heapq.heappop(heap)
        if v in position or priced != costs[v]:
            continue
        if math.isinf(priced):
            left = (len(near[u]) for u in range(len(near)) if u not in position)
            return Elimination([], [], math.inf, min(left))
        position[v] = len(position)
        around = near[v]
        joined.append(around)
        changed = set(around)
        filled: list[tuple[int, int]] = []
        for u in around:
            near[u].discard(v)
            added = around - near[u] - {u}
            near[u] |= added
            filled += ((u, w) for w in added)
        # elsewhere a price changes where an edge between two neighbours is new
        for u, w in filled:
            changed |= near[u] & near[w]
        for u in changed:
            if (priced := price(u)) != costs[u]:
                costs[u] = priced
                heapq.heappush(heap, (priced, u))
    others = [tuple(sorted(around, key=position.__getitem__)) for around in joined]
    sizes = [len(later) for later in others]
    return Elimination(list(position), others, sum(2.0**k for k in sizes), max(sizes, default=0))


def fill(near: list[set[int]], v: int) -> float:
    """Return how many edges the elimination of `v` adds."""
    return sum(len(near[v] - near[u]) - 1 for u in near[v]) // 2
