"""Finding a minor embedding: shipped, then clique-shaped, then by the general heuristic."""

from typing import Any

import networkx as nx

from annealnn.embeddings._chains import EmbeddedStructure, MinorEmbedding
from annealnn.embeddings._shipped import shipped_clique
from annealnn.embeddings._topology import as_target
from annealnn.exceptions import EmbeddingError
from annealnn.models import Structure

_TRIES = 3


def find_minor_embedding(source: Structure, target: Any, *, seed: int = 0) -> MinorEmbedding:
    """Find a minor embedding of `source` in `target`, verified.

    In turn: a shipped clique embedding, where it fits the working graph; minorminer's busclique, which copes
    with few defects and gives short chains of even length; minorminer's `find_embedding`, a heuristic.

    Parameters
    ----------
    source : Structure
    target : str or networkx.Graph
        A topology such as "zephyr-12", or a working graph whose nodes are qubits.
    seed : int
        For the heuristics; the same seed gives the same embedding.

    Raises
    ------
    EmbeddingError
        If none was found.
    """
    graph, name = as_target(target)
    shipped = shipped_clique(name or _perfect_name(graph), source.num_variables)
    if shipped is not None and _fits(shipped, source, graph):
        return shipped
    clique = _find_clique(source.num_variables, graph, seed)
    if clique is not None and _fits(clique, source, graph):
        return clique
    found = _find_general(source, graph, seed)
    if found is not None and _fits(found, source, graph):
        return found
    msg = (
        f"no minor embedding was found for {source.num_variables} variables and {source.num_edges} edges in a graph "
        f"of {graph.number_of_nodes()} qubits and {graph.number_of_edges()} couplers. "
        "Try another seed, a larger target or a smaller problem"
    )
    raise EmbeddingError(msg)


def embed_structure(source: Structure, target: Any, *, embedding: Any = None, seed: int = 0) -> EmbeddedStructure:
    """Return the physical graph of `source` in `target`, by a given embedding or a found one.

    Parameters
    ----------
    embedding : MinorEmbedding, mapping {variable: qubits}, or None
        Must fit; None finds one.

    Raises
    ------
    EmbeddingError
        If the given embedding does not fit, or none was found.
    """
    graph, _ = as_target(target)
    if embedding is None:
        embedding = find_minor_embedding(source, target, seed=seed)
    elif not isinstance(embedding, MinorEmbedding):
        embedding = MinorEmbedding.from_mapping(embedding, source.num_variables)
    return EmbeddedStructure.build(embedding, source, graph)


def _fits(embedding: MinorEmbedding, source: Structure, graph: nx.Graph) -> bool:
    try:
        embedding.verify(source, graph)
    except EmbeddingError:
        return False
    return True


def _perfect_name(graph: nx.Graph) -> str | None:
    """Return the topology that a working graph was cut from, as dwave-graphs records it."""
    family, rows = graph.graph.get("family"), graph.graph.get("rows")
    return f"{family}-{rows}" if family in ("chimera", "pegasus", "zephyr") and rows else None


def _find_clique(num_variables: int, graph: nx.Graph, seed: int) -> MinorEmbedding | None:
    from minorminer import busclique

    if graph.graph.get("family") not in ("chimera", "pegasus", "zephyr"):
        return None
    found = busclique.find_clique_embedding(num_variables, graph, seed=seed, use_cache=False)
    return MinorEmbedding.from_mapping(found, num_variables) if found else None


def _find_general(source: Structure, graph: nx.Graph, seed: int) -> MinorEmbedding | None:
    import minorminer

    # find_embedding leaves out variables without edges: they take spare qubits
    joined = sorted(set(source.edges.ravel().tolist()))
    for k in range(_TRIES):
        found = minorminer.find_embedding(source.edges.tolist(), list(graph.edges), random_seed=seed + k, threads=1)
        spare = (q for q in sorted(graph) if q not in {q for chain in found.values() for q in chain})
        if found or not joined:
            alone = [v for v in range(source.num_variables) if v not in set(joined)]
            extra = dict(zip(alone, ([q] for q in spare), strict=False))
            if len(extra) == len(alone):
                return MinorEmbedding.from_mapping(found | extra, source.num_variables)
    return None
