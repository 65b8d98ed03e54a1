"""The graph that an embedded machine lives on, as it is today."""

from typing import Any

import networkx as nx

from annealnn.embeddings import EmbeddedStructure, MinorEmbedding, find_minor_embedding, topology_graph
from annealnn.exceptions import EmbeddingError
from annealnn.models import Structure


def working_graph(sampler: Any, target: Any, default: str) -> Any:
    """Return the graph to embed in: `target` as far as a sampler with a graph of its own has it.

    Parameters
    ----------
    sampler : dimod.Sampler
    target : None, str or networkx.Graph
        None is the sampler's own graph if it has one, else `default`.
    default : str
        A topology.
    """
    if not (hasattr(sampler, "nodelist") and hasattr(sampler, "edgelist")):
        return default if target is None else target
    own = nx.Graph()
    own.add_nodes_from(sampler.nodelist)
    own.add_edges_from(sampler.edgelist)
    if target is None:
        if hasattr(sampler, "to_networkx_graph"):
            own.graph.update(sampler.to_networkx_graph().graph)
        return own
    there = (target if isinstance(target, nx.Graph) else topology_graph(target)).copy()
    there.remove_nodes_from([q for q in there if q not in own])
    there.remove_edges_from([pair for pair in there.edges if not own.has_edge(*pair)])
    return there


def mended(embedding: MinorEmbedding, source: Structure, graph: nx.Graph, *, seed: int) -> MinorEmbedding:
    """Return an embedding that holds on a graph which may have lost qubits: this one, trimmed, or another.

    Raises
    ------
    EmbeddingError
        If none was found.
    """
    left = [tuple(q for q in chain if q in graph) for chain in embedding.chains]
    try:
        trimmed = MinorEmbedding(tuple(left))
        trimmed.verify(source, graph)
    except EmbeddingError:
        return find_minor_embedding(source, graph, seed=seed)
    return trimmed


def labelled_graph(structure: Structure) -> nx.Graph:
    """Return a structure as a graph of its labels."""
    graph = nx.Graph()
    graph.add_nodes_from(structure.labels)
    graph.add_edges_from((structure.labels[i], structure.labels[j]) for i, j in structure.edges)
    return graph


def difference(old: EmbeddedStructure, new: EmbeddedStructure) -> dict[str, Any]:
    """Return what became of chains, as JSON can hold it: qubits that left and came, variables whose chain changed."""
    before, after = set(old.physical.labels), set(new.physical.labels)
    pairs = zip(old.embedding.chains, new.embedding.chains, strict=True)
    return {
        "lost_qubits": sorted(before - after, key=repr),
        "new_qubits": sorted(after - before, key=repr),
        "changed_chains": [v for v, (a, b) in enumerate(pairs) if set(a) != set(b)],
    }
