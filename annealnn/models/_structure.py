"""What samplers and learners pass to each other: a graph, its parameters, its moments."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple, final

import numpy as np
from scipy.sparse import csr_array

from annealnn.typing import Bools, Floats, Indices, Spins

# edges for each pair of variables, above which a matrix product is the faster way to moments; products held at once
_SPARSE, _BLOCK = 16, 1 << 22


class Parameters(NamedTuple):
    """Fields and couplings in Eq. (1)'s sign, not scaled by beta."""

    fields: Floats  #: (num_variables,)
    couplings: Floats  #: (num_edges,)


class Moments(NamedTuple):
    """Means of spins and of products of spins along edges."""

    spins: Floats  #: (num_variables,)
    pairs: Floats  #: (num_edges,)


class Clamp(NamedTuple):
    """Variables held fixed, with one row of values for each read.

    Where `known` is False, the read leaves that variable free: its value in `spins` is ignored, and the read goes on
    from the spin in the sampler's state, or from a random one where a sampler starts afresh.
    """

    variables: Indices  #: (num_clamped,)
    spins: Spins  #: (num_reads, num_clamped)
    known: Bools | None = None  #: (num_reads, num_clamped); None if every read holds all of `variables`


@final
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Structure:
    """A graph over variables 0..n-1, each edge once, with i < j, in the order of the couplings.

    Parameters
    ----------
    num_variables : int
    edges : (num_edges, 2) array of int
    labels : tuple of hashable, optional
        Names of the variables in the outside world; 0..n-1 if not given.

    Raises
    ------
    ValueError
        If an edge is a loop, is given twice, or leaves the variables; or if labels are not distinct.
    """

    num_variables: int
    edges: Indices
    labels: tuple[Hashable, ...] = field(default=())

    def __post_init__(self) -> None:
        given = np.asarray(self.edges)
        if given.size and (given.ndim != 2 or given.shape[1] != 2 or given.dtype.kind not in "iu"):
            msg = f"edges are pairs of variable numbers, shape (num_edges, 2); got {given.dtype} of shape {given.shape}"
            raise ValueError(msg)
        ends = given.astype(np.intp).reshape(-1, 2)
        edges = np.column_stack([ends.min(axis=1), ends.max(axis=1)])
        if edges.size and (edges[:, 0].min() < 0 or edges[:, 1].max() >= self.num_variables):
            bad = edges[(edges[:, 0] < 0) | (edges[:, 1] >= self.num_variables)][0]
            msg = f"edges join variables 0..{self.num_variables - 1}; got {tuple(map(int, bad))}"
            raise ValueError(msg)
        if (loops := edges[:, 0] == edges[:, 1]).any():
            msg = f"an edge joins two variables; got the loop {tuple(map(int, edges[loops][0]))}"
            raise ValueError(msg)
        keys = np.sort(edges[:, 0] * self.num_variables + edges[:, 1])
        if (twice := keys[1:] == keys[:-1]).any():
            edge = tuple(map(int, divmod(keys[1:][twice][0], self.num_variables)))
            msg = f"each pair counts once; got the edge {edge} more than once"
            raise ValueError(msg)
        labels = tuple(self.labels) or tuple(range(self.num_variables))
        if len(labels) != self.num_variables or len(set(labels)) != len(labels):
            msg = (
                f"labels are distinct, one for each of {self.num_variables} variables; "
                f"got {len(labels)}, {len(set(labels))} of them distinct"
            )
            raise ValueError(msg)
        edges.setflags(write=False)
        object.__setattr__(self, "edges", edges)
        object.__setattr__(self, "labels", labels)

    def __repr__(self) -> str:
        return f"Structure({self.num_variables} variables, {self.num_edges} edges)"

    @classmethod
    def complete(cls, num_variables: int) -> "Structure":
        """Return the complete graph."""
        return cls(num_variables, np.column_stack(np.triu_indices(num_variables, 1)))

    @classmethod
    def layered(cls, *sizes: int) -> "Structure":
        """Return layers of so many variables each, every one joined to all of the next layer.

        Two layers are a restricted machine's graph, a biclique; more are a deep machine's.
        """
        ends = np.cumsum([0, *sizes])
        layers = [np.arange(a, b) for a, b in pairwise(ends)]
        pairs = [np.stack(np.meshgrid(a, b, indexing="ij"), axis=-1).reshape(-1, 2) for a, b in pairwise(layers)]
        return cls(int(ends[-1]), np.concatenate([np.empty((0, 2), dtype=np.intp), *pairs]))

    @classmethod
    def from_edges(cls, nodes: Iterable[Hashable], edges: Iterable[tuple[Hashable, Hashable]]) -> "Structure":
        """Return the structure of a labelled graph, variables in the order of `nodes`."""
        labels = tuple(nodes)
        index = {label: k for k, label in enumerate(labels)}
        pairs = [(index[u], index[v]) for u, v in edges]
        return cls(len(labels), np.array(pairs, dtype=np.intp).reshape(-1, 2), labels)

    @property
    def num_edges(self) -> int:
        """Number of edges."""
        return len(self.edges)

    @property
    def ends(self) -> tuple[Indices, Indices]:
        """The lower and the higher variable of every edge, (num_edges,) each, contiguous."""
        heads, tails = (np.ascontiguousarray(column) for column in self.edges.T)
        return heads, tails

    def dense(self, values: Floats) -> Floats:
        """Return values along edges (num_edges,) as a symmetric matrix (num_variables, num_variables)."""
        matrix = np.zeros((self.num_variables, self.num_variables))
        matrix[self.edges[:, 0], self.edges[:, 1]] = values
        matrix[self.edges[:, 1], self.edges[:, 0]] = values
        return matrix

    def zeros(self) -> Parameters:
        """Return parameters that are all zero."""
        return Parameters(np.zeros(self.num_variables), np.zeros(self.num_edges))

    def moments_of(self, spins: Spins) -> Moments:
        """Return the moments of rows of spins (num_rows, num_variables)."""
        given = np.asarray(spins)
        if given.dtype == np.int8 and _SPARSE * self.num_edges < self.num_variables**2:
            return self._moments_by_edge(given)
        s = np.asarray(given, dtype=np.float64)
        products = s.T @ s / len(s)
        return Moments(s.mean(axis=0), products[self.edges[:, 0], self.edges[:, 1]])

    def _moments_by_edge(self, spins: Spins) -> Moments:
        """Return the moments of int8 spins edge by edge; sums are whole numbers, and so the same to the last bit."""
        columns, (heads, tails) = np.ascontiguousarray(spins.T), self.ends
        pairs = np.empty(self.num_edges)
        size = max(1, _BLOCK // max(1, len(spins)))
        for start in range(0, self.num_edges, size):
            some = slice(start, start + size)
            pairs[some] = (columns[heads[some]] * columns[tails[some]]).sum(axis=1, dtype=np.int64)
        return Moments(columns.sum(axis=1, dtype=np.int64) / len(spins), pairs / len(spins))

    def energies(self, parameters: Parameters, spins: Spins) -> Floats:
        """Return Eq. (1)'s diagonal energy of every row of spins (num_rows, num_variables): (num_rows,)."""
        s = np.asarray(spins, dtype=np.float64)
        couplings = csr_array((parameters.couplings, self.ends), (self.num_variables, self.num_variables))
        pulled = np.asarray(couplings @ s.T)
        return np.asarray(-(s @ parameters.fields) - (s.T * pulled).sum(axis=0))


def dimod_terms(parameters: Parameters) -> tuple[Floats, Floats]:
    """Return (linear, quadratic) in dimod's sign for parameters in Eq. (1)'s."""
    return -np.asarray(parameters.fields, dtype=np.float64), -np.asarray(parameters.couplings, dtype=np.float64)
