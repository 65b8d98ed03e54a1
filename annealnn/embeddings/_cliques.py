"""Minor embeddings of cliques and bicliques along the lines of a processor's topology."""

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import networkx as nx

from annealnn.embeddings._chains import MinorEmbedding
from annealnn.embeddings._topology import cut_out, family_of, shifts, topology_graph
from annealnn.models import Structure

# minorminer 0.2.22's busclique does not return, or takes all memory, for some cliques of up to 8 variables
LEAST_CLIQUE = 12

# no biclique of a lattice of so many rows has a longer side
_LONGEST_SIDE: dict[str, Callable[[int], int]] = {
    "chimera": lambda rows: 4 * rows,
    "pegasus": lambda rows: 12 * rows - 12,
    "zephyr": lambda rows: 16 * rows,
}

# where a lattice of one size is looked at before a larger one is
_PLACES = 3


class Sides(NamedTuple):
    """The two sides of a bipartite graph: no edge joins two variables of one side."""

    left: tuple[int, ...]
    right: tuple[int, ...]


def two_sides(source: Structure) -> Sides | None:
    """Return the sides of a bipartite graph, the larger part of each component left, or None if it is not bipartite.

    The layers of a restricted or deep Boltzmann machine are such sides: even ones on one, odd ones on the other.
    """
    neighbours: list[list[int]] = [[] for _ in range(source.num_variables)]
    for i, j in source.edges.tolist():
        neighbours[i].append(j)
        neighbours[j].append(i)
    side: dict[int, int] = {}
    left: list[int] = []
    right: list[int] = []
    for start in range(source.num_variables):
        if start in side:
            continue
        parts: tuple[list[int], list[int]] = ([start], [])
        side[start], queue = 0, deque([start])
        while queue:
            v = queue.popleft()
            for u in neighbours[v]:
                if u not in side:
                    side[u] = 1 - side[v]
                    parts[side[u]].append(u)
                    queue.append(u)
                elif side[u] == side[v]:
                    return None
        shorter, longer = sorted(parts, key=len)
        left += longer
        right += shorter
    return Sides(tuple(sorted(left)), tuple(sorted(right)))


def find_clique(num_variables: int, graph: nx.Graph, seed: int) -> MinorEmbedding | None:
    """Return a clique embedding by minorminer's busclique, or None if there is none."""
    from minorminer import busclique

    if family_of(graph) is None:
        return None
    asked = max(num_variables, LEAST_CLIQUE)
    found = busclique.find_clique_embedding(asked, graph, seed=seed, use_cache=False)
    return MinorEmbedding.from_mapping(found, asked).first(num_variables) if found else None


def find_biclique(source: Structure, sides: Sides, graph: nx.Graph, seed: int) -> MinorEmbedding | None:
    """Return an embedding of a bipartite source along all pairs of its sides, or None if there is none.

    minorminer's busclique lists all bicliques of a working graph, which takes gigabytes for a large one. So it is asked
    about lattices within it, from the smallest that may do, where most qubits work.
    """
    family, rows = family_of(graph), graph.graph.get("rows", 0)
    if family is None or not sides.right:
        return None
    for size in range(1 + (family == "pegasus"), rows + 1):
        if _LONGEST_SIDE[family](size) < len(sides.left):
            continue
        lattice = topology_graph(f"{family}-{size}")
        places = sorted(shifts(lattice, graph), key=lambda shift: sum(shift(q) not in graph for q in lattice))
        for shift in places[:_PLACES]:
            chains = _best_biclique(cut_out(lattice, graph, shift, set()), sides, seed)
            if chains is not None:
                placed = {v: [shift(q) for q in chain] for v, chain in chains.items()}
                return MinorEmbedding.from_mapping(placed, source.num_variables)
    return None


def _best_biclique(graph: nx.Graph, sides: Sides, seed: int) -> dict[int, list[Any]] | None:
    """Return the biclique with the shortest longest chain, and of these the one with the fewest qubits."""
    from minorminer import busclique

    # its public `find_biclique_embedding` keeps a cache in the user's home, and drops chains where no biclique of just
    # the size that is asked for is known
    lines = busclique.busgraph_cache(graph, seed=seed)._graph
    best: tuple[tuple[int, int], list[Any]] | None = None
    try:
        listed = lines.bicliques()["raw"]
    except ValueError:  # so it says that there is not one
        return None
    for (first, _), chains in listed.items():
        parts = (chains[:first], chains[first:])
        for one, other in (parts, parts[::-1]):
            if len(one) < len(sides.left) or len(other) < len(sides.right):
                continue
            picked = sorted(one, key=len)[: len(sides.left)] + sorted(other, key=len)[: len(sides.right)]
            cost = (max(map(len, picked)), sum(map(len, picked)))
            if best is None or cost < best[0]:
                best = (cost, picked)
    if best is None:
        return None
    found: dict[int, list[Any]] = lines.relabel(dict(zip((*sides.left, *sides.right), best[1], strict=True)))
    return found


def is_dense(source: Structure, num_pairs: float) -> bool:
    """Return whether a source has at least half of so many pairs as edges."""
    return source.num_edges >= 0.5 * num_pairs > 0
