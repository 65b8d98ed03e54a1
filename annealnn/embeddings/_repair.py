"""Going on with an embedding when qubits of its target are gone."""

import time
from collections.abc import Hashable
from typing import Any, Literal, NamedTuple

import networkx as nx

from annealnn._validation import check_count
from annealnn.embeddings._chains import EmbeddedStructure, MinorEmbedding
from annealnn.embeddings._find import find_minor_embedding, fits
from annealnn.embeddings._topology import as_target
from annealnn.exceptions import EmbeddingError
from annealnn.models import Structure

_TRIES = 3


class Repair(NamedTuple):
    """A repaired embedding, and what became of each chain."""

    embedding: MinorEmbedding
    method: Literal["unchanged", "trimmed", "found in part", "found anew"]
    kept: tuple[int, ...]  #: variables whose chain is as it was
    trimmed: tuple[int, ...]  #: variables whose chain lost qubits and gained none
    moved: tuple[int, ...]  #: all others
    gone: tuple[Hashable, ...]  #: qubits of the old chains that the target lacks


def repair_embedding(
    embedding: MinorEmbedding,
    source: Structure,
    target: Any,
    *,
    longest_chain: int | None = None,
    seed: int = 0,
    timeout_s: float = 30.0,
) -> Repair:
    """Return an embedding that fits a working graph and keeps as much of an old one as it can.

    Dead qubits are taken out of their chains. If what is left of these is connected and still reaches all neighbours,
    that is all. Otherwise the chains at fault are found again by minorminer's heuristic, the others held fixed; if that
    fails, so are those of their neighbours. If that fails too, or more than a third of the chains is at fault, the
    whole embedding is found anew. Chains that are found among others may be long: `longest_chain` sets a limit.

    Parameters
    ----------
    embedding : MinorEmbedding
        Fitted an earlier graph.
    source : Structure
    target : str or networkx.Graph
        The working graph of today.
    longest_chain : int, optional
        If chains that are found among others make a longer one, the whole embedding is found anew.
    seed : int
        For the heuristics; the same seed gives the same repair.
    timeout_s : float
        For each search.

    Raises
    ------
    EmbeddingError
        If the embedding is of another number of variables, or none was found.
    """
    graph, _ = as_target(target)
    if longest_chain is not None:
        check_count("longest_chain", longest_chain)
    if embedding.num_variables != source.num_variables:
        msg = (
            f"an embedding has one chain per variable; got {embedding.num_variables} chains "
            f"for {source.num_variables} variables"
        )
        raise EmbeddingError(msg)
    gone = tuple(q for chain in embedding.chains for q in chain if q not in graph)
    if fits(embedding, source, graph):
        return _described(embedding, embedding, "unchanged", gone)
    left = {v: _largest_piece(chain, graph) for v, chain in enumerate(embedding.chains)}
    faulty = _at_fault(left, source, graph)
    if not faulty:
        return _described(embedding, _of(left), "trimmed", gone)
    wider = faulty | {u for i, j in source.edges.tolist() for u in (i, j) if i in faulty or j in faulty}
    n, limit = source.num_variables, longest_chain or len(graph)
    for free in (faulty, wider):
        found = _refound(left, free, source, graph, seed, timeout_s) if 3 * len(free) <= n else None
        if found is not None and found.longest_chain <= limit and fits(found, source, graph):
            return _described(embedding, found, "found in part", gone)
    anew = find_minor_embedding(source, target, seed=seed, timeout_s=timeout_s)
    return _described(embedding, anew, "found anew", gone)


def _largest_piece(chain: tuple[Hashable, ...], graph: nx.Graph) -> tuple[Hashable, ...]:
    """Return the largest connected piece of what is left of a chain, in the chain's order."""
    pieces = list(nx.connected_components(graph.subgraph(q for q in chain if q in graph)))
    largest: set[Hashable] = max(pieces, key=len, default=set())
    return tuple(q for q in chain if q in largest)


def _at_fault(left: dict[int, tuple[Hashable, ...]], source: Structure, graph: nx.Graph) -> set[int]:
    """Return few variables whose chains are empty or, if found again, would mend every edge without a coupler."""
    faulty = {v for v, chain in left.items() if not chain}
    rest = [v for v in left if v not in faulty]
    joined = EmbeddedStructure.joined_variables(MinorEmbedding(tuple(left[v] for v in rest)), graph)
    pairs = {frozenset((rest[i], rest[j])) for i, j in joined}
    cut = [edge for edge in map(tuple, source.edges.tolist()) if not faulty & {*edge} and frozenset(edge) not in pairs]
    while cut:
        counts: dict[int, int] = {}
        for v in (v for edge in cut for v in edge):
            counts[v] = counts.get(v, 0) + 1
        worst = max(sorted(counts), key=counts.__getitem__)
        faulty.add(worst)
        cut = [edge for edge in cut if worst not in edge]
    return faulty


def _refound(
    left: dict[int, tuple[Hashable, ...]],
    free: set[int],
    source: Structure,
    graph: nx.Graph,
    seed: int,
    timeout_s: float,
) -> MinorEmbedding | None:
    """Return an embedding in which the chains of `free` are found again, from what is left of them."""
    import minorminer

    edges = [edge for edge in source.edges.tolist() if free & {*edge}]
    if len({v for edge in edges for v in edge} & free) < len(free):
        return None
    near = {v for edge in edges for v in edge} - free
    # chains that no free variable touches stay as they are: the search does without them
    elsewhere = {q for v, chain in left.items() if v not in free | near for q in chain}
    couplers = [(u, w) for u, w in graph.edges if u not in elsewhere and w not in elsewhere]
    fixed = {v: list(left[v]) for v in near}
    start = {v: list(left[v]) for v in free if left[v]}
    deadline = time.monotonic() + timeout_s
    for k in range(_TRIES):
        if (spare := deadline - time.monotonic()) <= 0:
            return None
        found = minorminer.find_embedding(
            edges,
            couplers,
            fixed_chains=fixed,
            initial_chains=start,
            random_seed=seed + k,
            threads=1,
            timeout=spare,
        )
        if found:
            return _of(left | {v: tuple(chain) for v, chain in found.items() if v in free})
    return None


def _of(chains: dict[int, tuple[Hashable, ...]]) -> MinorEmbedding:
    return MinorEmbedding(tuple(chains[v] for v in range(len(chains))))


def _described(
    old: MinorEmbedding,
    new: MinorEmbedding,
    method: Literal["unchanged", "trimmed", "found in part", "found anew"],
    gone: tuple[Hashable, ...],
) -> Repair:
    pairs = [({*before}, {*after}) for before, after in zip(old.chains, new.chains, strict=True)]
    kept = tuple(v for v, (before, after) in enumerate(pairs) if before == after)
    trimmed = tuple(v for v, (before, after) in enumerate(pairs) if after < before)
    moved = tuple(v for v, (before, after) in enumerate(pairs) if not after <= before)
    return Repair(new, method, kept, trimmed, moved, gone)
