"""Chains: which qubits stand for which variable, and how data and reads pass through them."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import networkx as nx
import numpy as np

from annealnn.exceptions import EmbeddingError
from annealnn.models import Clamp, Moments, Parameters, Structure
from annealnn.typing import AnyArray, Floats, Indices, Spins


@final
@dataclass(frozen=True, slots=True)
class MinorEmbedding:
    """One chain of qubits for each of variables 0..n-1.

    Raises
    ------
    EmbeddingError
        If a chain is empty, or a qubit is in two chains.
    """

    chains: tuple[tuple[Hashable, ...], ...]

    def __post_init__(self) -> None:
        chains = tuple(tuple(chain) for chain in self.chains)
        object.__setattr__(self, "chains", chains)
        if empty := [v for v, chain in enumerate(chains) if not chain]:
            msg = f"every variable has a chain of at least one qubit; variable {empty[0]} has none"
            raise EmbeddingError(msg)
        owner: dict[Hashable, int] = {}
        for v, chain in enumerate(chains):
            for q in chain:
                if q in owner:
                    msg = f"a qubit is in one chain only, once; qubit {q!r} is in those of variables {owner[q]} and {v}"
                    raise EmbeddingError(msg)
                owner[q] = v

    @classmethod
    def from_mapping(cls, chains: Mapping[Any, Iterable[Hashable]], num_variables: int) -> "MinorEmbedding":
        """Return the embedding of a mapping {variable: qubits} over variables 0..n-1, as dwave-system spells it."""
        if missing := [v for v in range(num_variables) if v not in chains]:
            msg = f"an embedding has a chain for each of variables 0..{num_variables - 1}; {missing[0]} has none"
            raise EmbeddingError(msg)
        if extra := [v for v in chains if v not in range(num_variables)]:
            msg = f"an embedding has chains for variables 0..{num_variables - 1} only; got one for {extra[0]!r}"
            raise EmbeddingError(msg)
        if flat := [v for v in chains if isinstance(chains[v], str) or not isinstance(chains[v], Iterable)]:
            msg = f"a chain is a sequence of qubits; that of variable {flat[0]} is {chains[flat[0]]!r}"
            raise EmbeddingError(msg)
        return cls(tuple(tuple(chains[v]) for v in range(num_variables)))

    @property
    def num_variables(self) -> int:
        """Number of chains."""
        return len(self.chains)

    @property
    def num_qubits(self) -> int:
        """Qubits in all chains."""
        return sum(map(len, self.chains))

    @property
    def longest_chain(self) -> int:
        """Length of the longest chain."""
        return max(map(len, self.chains), default=0)

    def first(self, num_variables: int) -> "MinorEmbedding":
        """Return the chains of variables 0..num_variables-1."""
        return MinorEmbedding(self.chains[:num_variables])

    def to_mapping(self) -> dict[int, tuple[Hashable, ...]]:
        """Return {variable: qubits}."""
        return dict(enumerate(self.chains))

    def verify(self, source: Structure, target: nx.Graph) -> None:
        """Check that chains are connected in `target` and that every edge of `source` has a coupler.

        Raises
        ------
        EmbeddingError
            Naming the first rule that is broken, and where.
        """
        if self.num_variables != source.num_variables:
            msg = (
                f"an embedding has one chain per variable; "
                f"got {self.num_variables} chains for {source.num_variables} variables"
            )
            raise EmbeddingError(msg)
        for v, chain in enumerate(self.chains):
            if gone := [q for q in chain if q not in target]:
                msg = (
                    f"chains use qubits of the target graph; qubit {gone[0]!r} of variable {v} is not in it. "
                    "Find another embedding"
                )
                raise EmbeddingError(msg)
            if not nx.is_connected(target.subgraph(chain)):
                msg = f"a chain is connected in the target graph; that of variable {v} is not: {chain!r}"
                raise EmbeddingError(msg)
        joined = {frozenset(pair) for pair in EmbeddedStructure.joined_variables(self, target)}
        for i, j in source.edges.tolist():
            if frozenset((i, j)) not in joined:
                msg = f"every edge of the source has a coupler between its chains; edge ({i}, {j}) has none"
                raise EmbeddingError(msg)


class Decoded(NamedTuple):
    """Reads of qubits as reads of variables."""

    spins: Spins  #: (num_reads, num_variables)
    broken: AnyArray  #: (num_reads, num_variables) bool, True where the chain's qubits disagree


@final
@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedStructure:
    """The physical graph of an embedding: its qubits, and every coupler among them that the learner may use."""

    embedding: MinorEmbedding
    source: Structure
    physical: Structure  #: labels are the target graph's qubits, chain after chain
    chain_of: Indices  #: (num_qubits,) the variable of each qubit
    starts: Indices  #: (num_variables,) where each chain begins
    source_edge: Indices  #: (num_couplers,) the source edge of each coupler; -1 inside a chain

    @classmethod
    def build(cls, embedding: MinorEmbedding, source: Structure, target: nx.Graph) -> "EmbeddedStructure":
        """Return the physical graph of a verified embedding.

        It holds every coupler inside a chain and every coupler between two chains whose variables share an edge.
        """
        embedding.verify(source, target)
        qubits = [q for chain in embedding.chains for q in chain]
        lengths = [len(chain) for chain in embedding.chains]
        chain_of = np.repeat(np.arange(len(lengths)), lengths)
        edge_index = {(int(i), int(j)): k for k, (i, j) in enumerate(source.edges)}
        position = {q: k for k, q in enumerate(qubits)}
        couplers, source_edge = [], []
        for u, v in target.subgraph(qubits).edges:
            a, b = sorted((position[u], position[v]))
            i, j = int(chain_of[a]), int(chain_of[b])
            edge = -1 if i == j else edge_index.get((i, j))
            if edge is not None:
                couplers.append((a, b))
                source_edge.append(edge)
        order = np.lexsort(np.array(couplers, dtype=np.intp).reshape(-1, 2).T[::-1])
        return cls(
            embedding=embedding,
            source=source,
            physical=Structure(len(qubits), np.array(couplers, dtype=np.intp).reshape(-1, 2)[order], tuple(qubits)),
            chain_of=chain_of,
            starts=np.cumsum([0, *lengths])[:-1].astype(np.intp),
            source_edge=np.array(source_edge, dtype=np.intp)[order],
        )

    @staticmethod
    def joined_variables(embedding: MinorEmbedding, target: nx.Graph) -> set[tuple[int, int]]:
        """Return the pairs of variables whose chains share a coupler."""
        owner = {q: v for v, chain in enumerate(embedding.chains) for q in chain}
        pairs = ((owner[u], owner[v]) for u, v in target.subgraph(owner).edges)
        return {(min(p), max(p)) for p in pairs if p[0] != p[1]}

    @property
    def in_chain(self) -> AnyArray:
        """(num_couplers,) bool, True inside a chain."""
        return self.source_edge < 0

    def encode(self, spins: Spins) -> Spins:
        """Copy each variable's spin to the qubits of its chain: (rows, num_variables) -> (rows, num_qubits)."""
        return np.asarray(spins)[:, self.chain_of]

    def encode_clamp(self, clamp: Clamp) -> Clamp:
        """Return the clamp of the qubits whose chains a clamp of variables holds."""
        qubits = np.flatnonzero(np.isin(self.chain_of, clamp.variables))
        column = np.empty(self.source.num_variables, dtype=np.intp)
        column[clamp.variables] = np.arange(len(clamp.variables))
        columns = column[self.chain_of[qubits]]
        known = None if clamp.known is None else clamp.known[:, columns]
        return Clamp(qubits, clamp.spins[:, columns], known)

    def encode_moments(self, moments: Moments) -> Moments:
        """Return the moments that encoded data have on qubits and couplers: 1 inside a chain."""
        pairs = np.ones(self.physical.num_edges)
        between = ~self.in_chain
        pairs[between] = moments.pairs[self.source_edge[between]]
        return Moments(moments.spins[self.chain_of], pairs)

    def decode(self, reads: Spins) -> Decoded:
        """Read each variable by majority vote of its chain: (num_reads, num_qubits) -> spins and breaks.

        A tie goes to the chain's first qubit: no coin is needed, neither spin value is preferred, and flipping
        every qubit of a read flips the decoded read.
        """
        wide = np.asarray(reads, dtype=np.int32)
        if not len(self.starts):
            nothing = np.empty((len(wide), 0), np.int8)
            return Decoded(nothing, nothing.astype(np.bool_))
        sums = np.add.reduceat(wide, self.starts, axis=1)
        lengths = np.diff(np.append(self.starts, wide.shape[1]))
        spins = np.sign(sums).astype(np.int8)
        first = np.asarray(reads, dtype=np.int8)[:, self.starts]
        return Decoded(np.where(spins == 0, first, spins), np.abs(sums) != lengths)

    def collapse(self, parameters: Parameters) -> Parameters:
        """Return the parameters over variables that intact chains feel: sums over qubits and couplers."""
        between = ~self.in_chain
        couplings = np.bincount(
            self.source_edge[between], parameters.couplings[between], minlength=self.source.num_edges
        )
        given = np.asarray(parameters.fields, dtype=np.float64)
        fields = np.add.reduceat(given, self.starts) if len(self.starts) else given
        return Parameters(fields, couplings.astype(np.float64))

    def spread(self, parameters: Parameters, *, chain_coupling: float) -> Parameters:
        """Return physical parameters that collapse to `parameters`: shared evenly, one coupling inside chains."""
        lengths: Floats = np.bincount(self.chain_of, minlength=self.source.num_variables).astype(np.float64)
        between = ~self.in_chain
        copies = np.bincount(self.source_edge[between], minlength=self.source.num_edges)
        couplings = np.full(self.physical.num_edges, chain_coupling)
        couplings[between] = (parameters.couplings / copies)[self.source_edge[between]]
        return Parameters((parameters.fields / lengths)[self.chain_of], couplings)
