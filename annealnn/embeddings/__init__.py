"""Minor embeddings: shipped ones, finding, verification, repair, and reading data through chains."""

from annealnn.embeddings._chain_strength import (
    ChainStrength,
    FixedStrength,
    ScaledStrength,
    UniformTorqueCompensation,
)
from annealnn.embeddings._chains import Decoded, EmbeddedStructure, MinorEmbedding
from annealnn.embeddings._copies import parallel_embeddings
from annealnn.embeddings._find import embed_structure, find_minor_embedding
from annealnn.embeddings._repair import Repair, repair_embedding
from annealnn.embeddings._shipped import load_embedding, shipped_embeddings
from annealnn.embeddings._statistics import (
    ChainBreaks,
    EmbeddingStatistics,
    chain_break_statistics,
    embedding_statistics,
)
from annealnn.embeddings._topology import topology_graph, with_dead_qubits
from annealnn.embeddings._unembed import Unembedded, unembed

__all__ = [
    "ChainBreaks",
    "ChainStrength",
    "Decoded",
    "EmbeddedStructure",
    "EmbeddingStatistics",
    "FixedStrength",
    "MinorEmbedding",
    "Repair",
    "ScaledStrength",
    "Unembedded",
    "UniformTorqueCompensation",
    "chain_break_statistics",
    "embed_structure",
    "embedding_statistics",
    "find_minor_embedding",
    "load_embedding",
    "parallel_embeddings",
    "repair_embedding",
    "shipped_embeddings",
    "topology_graph",
    "unembed",
    "with_dead_qubits",
]
