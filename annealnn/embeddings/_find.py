"""Finding a minor embedding: shipped, then clique-shaped, then by the general heuristic."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import networkx as nx

from annealnn.embeddings._chains import EmbeddedStructure, MinorEmbedding
from annealnn.embeddings._shipped import shipped_clique
from annealnn.embeddings._topology import as_target
from annealnn.exceptions import EmbeddingError
from annealnn.models import Structure

_TRIES = 3

# minorminer 0.2.22's busclique does not return, or takes all memory, for some cliques of up to 8 variables
_LEAST_CLIQUE = 12

# a source with at least this share of all pairs is embedded as a clique
_DENSE = 0.5


def find_minor_embedding(source: Structure, target: Any, *, seed: int = 0, timeout_s: float = 120.0) -> MinorEmbedding:
    """Find a minor embedding of `source` in `target`, verified.

    For a source with at least half of all pairs, in turn: a shipped clique embedding, where it fits the working graph;
    minorminer's busclique, which copes with few defects and gives short chains of even length; minorminer's
    `find_embedding`, a heuristic. A sparser source gets the heuristic first, then a clique embedding.

    Parameters
    ----------
    source : Structure
    target : str or networkx.Graph
        A topology such as "zephyr-12", or a working graph whose nodes are qubits.
    seed : int
        For the heuristics; the same seed gives the same embedding.
    timeout_s : float
        For the heuristic, all its tries together.

    Raises
    ------
    EmbeddingError
        If none was found.
    """
    graph, name = as_target(target)
    n, m = source.num_variables, source.num_edges
    have = f"a graph of {graph.number_of_nodes()} qubits and {graph.number_of_edges()} couplers"
    if n > graph.number_of_nodes() or m > graph.number_of_edges():
        msg = f"a target graph has at least as many qubits and couplers as the source; got {source!r} for {have}"
        raise EmbeddingError(msg)
    searches: list[Callable[[], MinorEmbedding | None]] = [
        lambda: shipped_clique(name or _perfect_name(graph), n),
        lambda: _find_clique(n, graph, seed),
        lambda: _find_general(source, graph, seed, timeout_s),
    ]
    if m < _DENSE * n * (n - 1) / 2:
        searches.insert(0, searches.pop())
    for search in searches:
        found = search()
        if found is not None and _fits(found, source, graph):
            return found
    msg = (
        f"no minor embedding of {source!r} was found in {have}. Try another seed, a larger target or a smaller problem"
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
        if not isinstance(embedding, Mapping):
            msg = f"an embedding is a MinorEmbedding or a mapping {{variable: qubits}}; got {type(embedding).__name__}"
            raise EmbeddingError(msg)
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
    asked = max(num_variables, _LEAST_CLIQUE)
    found = busclique.find_clique_embedding(asked, graph, seed=seed, use_cache=False)
    return MinorEmbedding.from_mapping(found, asked).first(num_variables) if found else None


def _find_general(source: Structure, graph: nx.Graph, seed: int, timeout_s: float) -> MinorEmbedding | None:
    import minorminer

    edges = source.edges.tolist()
    deadline = time.monotonic() + timeout_s
    for k in range(_TRIES):
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        found = minorminer.find_embedding(edges, list(graph.edges), random_seed=seed + k, threads=1, timeout=left)
        if found or not edges:
            return _with_lone_variables(found, source.num_variables, graph)
    return None


def _with_lone_variables(found: dict[int, Any], num_variables: int, graph: nx.Graph) -> MinorEmbedding | None:
    """Give a spare qubit to each variable without edges: the heuristic leaves them out."""
    used = {q for chain in found.values() for q in chain}
    spare = (q for q in graph if q not in used)
    chains = dict(found)
    for v in range(num_variables):
        if v not in chains:
            qubit = next(spare, None)
            if qubit is None:
                return None
            chains[v] = [qubit]
    return MinorEmbedding.from_mapping(chains, num_variables)
