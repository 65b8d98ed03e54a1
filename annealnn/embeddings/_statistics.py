"""Figures of an embedding, and of how its chains hold."""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, final

import numpy as np

from annealnn.embeddings._chains import EmbeddedStructure
from annealnn.typing import AnyArray, Floats


class Spread(NamedTuple):
    """The least, the mean and the largest of some counts."""

    least: int
    mean: float
    most: int

    @classmethod
    def of(cls, counts: AnyArray) -> "Spread":
        """Return the spread of counts, (num_counts,); zeros if there are none."""
        return cls(int(counts.min()), float(counts.mean()), int(counts.max())) if len(counts) else cls(0, 0.0, 0)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingStatistics:
    """Figures of an embedding."""

    num_variables: int
    num_edges: int  #: of the source
    num_qubits: int
    couplers_in_chains: int
    couplers_between: int  #: that join chains of variables that share an edge
    chain_length: Spread
    lengths: tuple[tuple[int, int], ...]  #: (length, number of chains of that length), shortest first
    variable_degree: Spread  #: edges of a variable
    qubit_degree: Spread  #: couplers of a qubit that are used, inside and between chains
    couplers_per_edge: Spread  #: over which an edge's coupling is shared

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them."""
        return {
            name: value._asdict() if isinstance(value, Spread) else value
            for name, value in asdict(self).items()
            if name != "lengths"
        } | {"lengths": dict(self.lengths)}


def embedding_statistics(embedded: EmbeddedStructure) -> EmbeddingStatistics:
    """Return the figures of an embedding in its target graph."""
    source, physical = embedded.source, embedded.physical
    lengths = np.array([len(chain) for chain in embedded.embedding.chains], dtype=np.intp)
    between = embedded.source_edge[~embedded.in_chain]
    values, counts = np.unique(lengths, return_counts=True)
    return EmbeddingStatistics(
        num_variables=source.num_variables,
        num_edges=source.num_edges,
        num_qubits=physical.num_variables,
        couplers_in_chains=int(embedded.in_chain.sum()),
        couplers_between=len(between),
        chain_length=Spread.of(lengths),
        lengths=tuple(zip(values.tolist(), counts.tolist(), strict=True)),
        variable_degree=Spread.of(np.bincount(source.edges.reshape(-1), minlength=source.num_variables)),
        qubit_degree=Spread.of(np.bincount(physical.edges.reshape(-1), minlength=physical.num_variables)),
        couplers_per_edge=Spread.of(np.bincount(between, minlength=source.num_edges)),
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChainBreaks:
    """How often chains break. Reads are independent; so errors are those of a mean over reads."""

    num_reads: int
    fraction: float  #: of (read, chain) pairs that are broken
    fraction_error: float  #: standard error
    intact_reads: float  #: fraction of reads without a broken chain
    intact_reads_error: float  #: binomial standard error
    by_variable: Floats  #: (num_variables,) fraction of reads in which the chain is broken
    by_length: tuple[tuple[int, float], ...]  #: (length, fraction broken of chains of that length)


def chain_break_statistics(embedded: EmbeddedStructure, reads: AnyArray) -> ChainBreaks:
    """Return how often the chains break in reads of the qubits, (num_reads, num_qubits) spins.

    Raises
    ------
    ValueError
        If there are no reads.
    """
    if len(reads) == 0:
        msg = "chain breaks are counted in at least one read; got none"
        raise ValueError(msg)
    broken = embedded.decode(reads).broken
    num_reads, num_variables = broken.shape
    per_read = broken.mean(axis=1) if num_variables else np.zeros(num_reads)
    intact = float((~broken.any(axis=1)).mean())
    by_variable: Floats = broken.mean(axis=0)
    lengths = np.array([len(chain) for chain in embedded.embedding.chains], dtype=np.intp)
    return ChainBreaks(
        num_reads=num_reads,
        fraction=float(per_read.mean()),
        fraction_error=float(per_read.std(ddof=1) / np.sqrt(num_reads)) if num_reads > 1 else float("inf"),
        intact_reads=intact,
        intact_reads_error=float(np.sqrt(intact * (1 - intact) / num_reads)),
        by_variable=by_variable,
        by_length=tuple((int(n), float(by_variable[lengths == n].mean())) for n in np.unique(lengths)),
    )
