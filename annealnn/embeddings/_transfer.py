"""What was learned on some qubits, carried to others: a working graph loses qubits, and the machine goes on."""

from typing import final

import numpy as np

from annealnn.embeddings._chains import EmbeddedStructure
from annealnn.exceptions import EmbeddingError
from annealnn.models import Parameters
from annealnn.typing import Floats, Indices, Spins


@final
class Transfer:
    """Values on one embedding's qubits and couplers as values on another's, both of the same source.

    A qubit keeps what it had if it stands for the same variable as before, and so does a coupler between two such
    qubits. What others had is shared out evenly over the qubits of their chain, and over the couplers of their edge:
    the parameters over the variables (`EmbeddedStructure.collapse`) stay as they were. A coupler that is new inside a
    chain begins at the mean of that chain's.

    Parameters
    ----------
    old, new : EmbeddedStructure

    Raises
    ------
    EmbeddingError
        If they are not of the same source graph.
    """

    def __init__(self, old: EmbeddedStructure, new: EmbeddedStructure) -> None:
        if old.source.num_variables != new.source.num_variables or not np.array_equal(
            old.source.edges, new.source.edges
        ):
            msg = (
                f"what was learned of one source graph is not of another; got {old.source!r} and {new.source!r}. "
                "Start again"
            )
            raise EmbeddingError(msg)
        self.old, self.new = old, new
        place = {(label, int(v)): k for k, (label, v) in enumerate(zip(old.physical.labels, old.chain_of, strict=True))}
        mine = zip(new.physical.labels, new.chain_of, strict=True)
        #: (num_qubits,), where each qubit was, -1 if it is new
        self.qubits: Indices = np.array([place.get((label, int(v)), -1) for label, v in mine], dtype=np.intp)
        numbers = {frozenset(pair): k for k, pair in enumerate(old.physical.edges.tolist())}
        pairs = self.qubits[new.physical.edges].tolist()
        #: (num_couplers,), where each coupler was, -1 if it is new
        self.couplers: Indices = np.array([numbers.get(frozenset(pair), -1) for pair in pairs], dtype=np.intp)

    @property
    def is_identity(self) -> bool:
        """Whether all qubits and couplers stay where they were."""
        old = self.old.physical
        return np.array_equal(self.qubits, np.arange(old.num_variables)) and np.array_equal(
            self.couplers, np.arange(old.num_edges)
        )

    def values(self, of: Parameters) -> Parameters:
        """Return what qubits and couplers had, 0 for new ones."""
        return Parameters(_taken(of.fields, self.qubits), _taken(of.couplings, self.couplers))

    def parameters(self, of: Parameters) -> Parameters:
        """Return parameters that collapse to the same as `of`."""
        kept, n, m = self.values(of), self.old.source.num_variables, self.old.source.num_edges
        fields = kept.fields + _shared(self.old.chain_of, of.fields, self.qubits, self.new.chain_of, n)
        couplings, inside = kept.couplings.copy(), self.new.in_chain
        between, were_between = ~inside, ~self.old.in_chain
        number = np.full(len(of.couplings), -1)
        number[were_between] = np.arange(int(were_between.sum()))
        moved = self.couplers[between]
        couplings[between] += _shared(
            self.old.source_edge[were_between],
            of.couplings[were_between],
            np.where(moved < 0, -1, number[moved]),
            self.new.source_edge[between],
            m,
        )
        fresh = inside & (self.couplers < 0)
        couplings[fresh] = self._chain_means(of)[self.new.chain_of[self.new.physical.edges[fresh, 0]]]
        return Parameters(fields, couplings)

    def spins(self, of: Spins) -> Spins:
        """Return reads, (num_reads, num_qubits): new qubits have the spin that their chain had by majority."""
        reads = self.new.encode(self.old.decode(of).spins)
        known = self.qubits >= 0
        reads[:, known] = np.asarray(of)[:, self.qubits[known]]
        return np.ascontiguousarray(reads, dtype=np.int8)

    def _chain_means(self, of: Parameters) -> Floats:
        """Return the mean coupling inside each chain, (num_variables,); over all chains where one had none."""
        inside = self.old.in_chain
        chain, values = self.old.chain_of[self.old.physical.edges[inside, 0]], of.couplings[inside]
        n = self.old.source.num_variables
        counts = np.bincount(chain, minlength=n)
        overall = float(values.mean()) if len(values) else 0.0
        return np.where(counts > 0, np.bincount(chain, values, n) / np.maximum(counts, 1), overall)


def _taken(values: Floats, where: Indices) -> Floats:
    return np.where(where < 0, 0.0, values[where]) if len(values) else np.zeros(len(where))


def _shared(owner: Indices, values: Floats, kept: Indices, new_owner: Indices, num_owners: int) -> Floats:
    """Return what each new item gains where its owner lost items: their values, shared out evenly."""
    lost = np.ones(len(values), bool)
    lost[kept[kept >= 0]] = False
    shares = np.maximum(np.bincount(new_owner, minlength=num_owners), 1)
    return np.asarray((np.bincount(owner[lost], values[lost], num_owners) / shares)[new_owner])
