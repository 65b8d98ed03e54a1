"""The graph that an embedded machine lives on, as it is today."""

from typing import Any

import networkx as nx

from annealnn.embeddings import Repair, topology_graph
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
    if target is None and hasattr(sampler, "to_networkx_graph"):
        return sampler.to_networkx_graph()
    own = nx.Graph()
    own.add_nodes_from(sampler.nodelist)
    own.add_edges_from(sampler.edgelist)
    if target is None:
        return own
    there = (target if isinstance(target, nx.Graph) else topology_graph(target)).copy()
    there.remove_nodes_from([q for q in there if q not in own])
    there.remove_edges_from([pair for pair in there.edges if not own.has_edge(*pair)])
    return there


def labelled_graph(structure: Structure) -> nx.Graph:
    """Return a structure as a graph of its labels."""
    graph = nx.Graph()
    graph.add_nodes_from(structure.labels)
    graph.add_edges_from((structure.labels[i], structure.labels[j]) for i, j in structure.edges)
    return graph


def described(repair: Repair) -> dict[str, Any]:
    """Return what became of an embedding, as JSON can hold it."""
    return {
        "lost_qubits": list(repair.gone),
        "method": repair.method,
        "trimmed_chains": list(repair.trimmed),
        "moved_chains": list(repair.moved),
    }
