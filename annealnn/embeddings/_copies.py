"""Copies of a small problem beside each other on one chip."""

from collections.abc import Hashable, Iterator
from typing import Any

import networkx as nx

from annealnn._validation import check_count, check_number
from annealnn.embeddings._chains import MinorEmbedding
from annealnn.embeddings._find import fits, search
from annealnn.embeddings._topology import Shift, as_target, cut_out, family_of, shifts, topology_graph
from annealnn.exceptions import EmbeddingError
from annealnn.models import Structure

# no clique that is larger fits in a lattice of so many rows
_LARGEST_CLIQUE = {
    "chimera": lambda rows: 4 * rows + 1,
    "pegasus": lambda rows: 12 * rows - 8,
    "zephyr": lambda rows: 16 * rows - 4,
}

# for the search in one lattice, which is small
_LATTICE_TIMEOUT_S = 10.0


def parallel_embeddings(
    source: Structure,
    target: Any,
    *,
    num_copies: int | None = None,
    at_most: int | None = None,
    seed: int = 0,
    timeout_s: float = 120.0,
) -> tuple[MinorEmbedding, ...]:
    """Find minor embeddings of `source` that share no qubit, each verified.

    The smallest lattice of the target's topology that holds the source is filled with copies; these are laid over the
    chip, place after place, where all their qubits are free and work; what is left at each place is searched once. On a
    graph of no known topology, the heuristic looks for one copy after another. More may fit than are found.

    Parameters
    ----------
    source : Structure
    target : str or networkx.Graph
        A topology such as "zephyr-12", or a working graph whose nodes are qubits.
    num_copies : int, optional
        How many to find, no fewer; as many as are found if None.
    at_most : int, optional
        After how many to stop.
    seed : int
        For the heuristics; the same seed gives the same embeddings.
    timeout_s : float
        For each search of the heuristic.

    Raises
    ------
    EmbeddingError
        If there is not one, or fewer than `num_copies` were found.
    """
    for name, count in (("num_copies", num_copies), ("at_most", at_most)):
        if count is not None:
            check_count(name, count)
    check_number("timeout_s", timeout_s, low=0.0)
    graph, _ = as_target(target)
    found: list[MinorEmbedding] = []
    for one in _copies(source, graph, seed, timeout_s):
        found.append(one)
        if len(found) in (num_copies, at_most):
            break
    if len(found) < (num_copies or 1):
        msg = (
            f"{num_copies or 1} copies of {source!r} were asked for in a graph of {graph.number_of_nodes()} qubits; "
            f"found {len(found)}. Ask for fewer, or try another seed"
        )
        raise EmbeddingError(msg)
    return tuple(found)


def _copies(source: Structure, graph: nx.Graph, seed: int, timeout_s: float) -> Iterator[MinorEmbedding]:
    if source.num_variables == 0:
        yield MinorEmbedding(())
        return
    lattice = _smallest_lattice(source, graph, seed)
    if lattice is None:
        yield from _one_after_another(source, graph, seed, timeout_s)
        return
    used: set[Hashable] = set()
    pattern = list(_one_after_another(source, lattice, seed, _LATTICE_TIMEOUT_S, quick=True))
    fewest = min(one.num_qubits for one in pattern)
    places = list(shifts(lattice, graph))
    for shift in places:
        for one in pattern:
            if (copy := _placed(one, shift, graph, used)) is not None and fits(copy, source, graph):
                used |= {q for chain in copy.chains for q in chain}
                yield copy
    for shift in places:
        piece = cut_out(lattice, graph, shift, used)
        if len(piece) < fewest:
            continue
        for one in _one_after_another(source, piece, seed, _LATTICE_TIMEOUT_S, quick=True):
            copy = MinorEmbedding(tuple(tuple(map(shift, chain)) for chain in one.chains))
            used |= {q for chain in copy.chains for q in chain}
            yield copy


def _smallest_lattice(source: Structure, graph: nx.Graph, seed: int) -> nx.Graph | None:
    """Return the smallest perfect lattice in which the source is found, or None on a graph of no known topology."""
    family, n = family_of(graph), source.num_variables
    if family is None:
        return None
    is_clique = source.num_edges == n * (n - 1) // 2
    for rows in range(1 + (family == "pegasus"), graph.graph["rows"]):
        if is_clique and n > _LARGEST_CLIQUE[family](rows):
            continue
        lattice = topology_graph(f"{family}-{rows}")
        if search(source, lattice, seed, timeout_s=_LATTICE_TIMEOUT_S, quick=True) is not None:
            return lattice
    return None


def _one_after_another(
    source: Structure, graph: nx.Graph, seed: int, timeout_s: float, *, quick: bool = False
) -> Iterator[MinorEmbedding]:
    """Yield embeddings, each in what those before have left, until none is found."""
    free = graph.copy()
    while free.number_of_nodes() >= source.num_variables and free.number_of_edges() >= source.num_edges:
        one = search(source, free, seed, timeout_s=timeout_s, quick=quick)
        if one is None:
            return
        yield one
        free.remove_nodes_from(q for chain in one.chains for q in chain)


def _placed(one: MinorEmbedding, shift: Shift, graph: nx.Graph, used: set[Hashable]) -> MinorEmbedding | None:
    """Return a lattice's embedding at a place of the graph, or None if one of its qubits is dead or used."""
    chains = tuple(tuple(map(shift, chain)) for chain in one.chains)
    free = all(q in graph and q not in used for chain in chains for q in chain)
    return MinorEmbedding(chains) if free else None
