"""Finding a minor embedding: shipped, then along the topology's lines, then by the general heuristic."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import networkx as nx

from annealnn.embeddings._chains import EmbeddedStructure, MinorEmbedding
from annealnn.embeddings._cliques import LEAST_CLIQUE, find_biclique, find_clique, is_dense, two_sides
from annealnn.embeddings._shipped import shipped_biclique, shipped_clique
from annealnn.embeddings._topology import as_target, perfect_name
from annealnn.exceptions import EmbeddingError
from annealnn.models import Structure

_TRIES = 3


def find_minor_embedding(source: Structure, target: Any, *, seed: int = 0, timeout_s: float = 120.0) -> MinorEmbedding:
    """Find a minor embedding of `source` in `target`, verified.

    A source with at least half of the pairs between two sides, such as the layers of a restricted or deep machine, is
    embedded as a biclique, and one with at least half of all pairs as a clique. In turn: a shipped embedding, where it
    fits the working graph; minorminer's busclique, which copes with few defects and gives short chains of even length;
    minorminer's `find_embedding`, a heuristic. A sparser source gets the heuristic first, then a clique embedding.
    Of up to 12 variables, all are tried, and the one with the fewest qubits is taken.

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
    name = name or perfect_name(graph)
    n, m = source.num_variables, source.num_edges
    have = f"a graph of {graph.number_of_nodes()} qubits and {graph.number_of_edges()} couplers"
    if n > graph.number_of_nodes() or m > graph.number_of_edges():
        msg = f"a target graph has at least as many qubits and couplers as the source; got {source!r} for {have}"
        raise EmbeddingError(msg)
    found = search(source, graph, seed, name=name, timeout_s=timeout_s)
    if found is None:
        msg = (
            f"no minor embedding of {source!r} was found in {have}. "
            "Try another seed, a larger target or a smaller problem"
        )
        raise EmbeddingError(msg)
    return found


def search(
    source: Structure, graph: nx.Graph, seed: int, *, name: str | None = None, timeout_s: float, quick: bool = False
) -> MinorEmbedding | None:
    """Return a verified embedding or None; a quick search of a dense source does without the heuristic."""
    n, sides = source.num_variables, two_sides(source)
    searches: list[Callable[[], MinorEmbedding | None]] = [
        lambda: shipped_clique(name, n),
        lambda: find_clique(n, graph, seed),
        lambda: find_general(source, graph, seed, timeout_s),
    ]
    if sides and is_dense(source, len(sides.left) * len(sides.right)):
        searches[:0] = [
            lambda: shipped_biclique(name, source, sides),
            lambda: find_biclique(source, sides, graph, seed),
        ]
    elif not is_dense(source, n * (n - 1) / 2):
        searches.insert(0, searches.pop())
        quick = False
    if quick and n > LEAST_CLIQUE:
        searches.pop()
    fitting = (found for search in searches if (found := search()) is not None and fits(found, source, graph))
    return min(fitting, key=lambda one: one.num_qubits, default=None) if n <= LEAST_CLIQUE else next(fitting, None)


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


def fits(embedding: MinorEmbedding, source: Structure, graph: nx.Graph) -> bool:
    """Return whether `MinorEmbedding.verify` finds no fault."""
    try:
        embedding.verify(source, graph)
    except EmbeddingError:
        return False
    return True


def find_general(source: Structure, graph: nx.Graph, seed: int, timeout_s: float) -> MinorEmbedding | None:
    """Return an embedding by minorminer's heuristic, or None if none was found in time."""
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
