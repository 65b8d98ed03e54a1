"""Minor embeddings: shipped ones, finding, verification, and reading data through chains."""

from annealnn.embeddings._chains import EmbeddedStructure, MinorEmbedding
from annealnn.embeddings._copies import parallel_embeddings
from annealnn.embeddings._find import embed_structure, find_minor_embedding
from annealnn.embeddings._shipped import load_embedding, shipped_embeddings
from annealnn.embeddings._topology import topology_graph, with_dead_qubits

__all__ = [
    "EmbeddedStructure",
    "MinorEmbedding",
    "embed_structure",
    "find_minor_embedding",
    "load_embedding",
    "parallel_embeddings",
    "shipped_embeddings",
    "topology_graph",
    "with_dead_qubits",
]
