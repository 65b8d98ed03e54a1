"""Target graphs: perfect topologies by name, working graphs with defects, and smaller lattices within them."""

import re
from collections.abc import Callable, Hashable, Iterator
from typing import Any, TypeAlias

import networkx as nx
import numpy as np

from annealnn._validation import check_count

# several times what has been built; a graph of this size still fits in memory
_MAX_SIZE = 50

# the `tile` of the processors' graphs, as dwave-graphs records it
_TILES = {"chimera": 4, "pegasus": 12, "zephyr": 4}

# a qubit of a smaller lattice of the same topology -> one of the graph that holds it
Shift: TypeAlias = Callable[[Hashable], Hashable]

_NAME = re.compile(r"(chimera|pegasus|zephyr)-(\d+)")


def topology_graph(name: str) -> nx.Graph:
    """Return the perfect graph of a topology, such as "chimera-12", "pegasus-16" or "zephyr-12".

    Raises
    ------
    ValueError
        If the name is not a topology and its size.
    """
    import dwave.graphs

    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None or not (2 if match[1] == "pegasus" else 1) <= int(match[2]) <= _MAX_SIZE:
        msg = f"a topology is chimera-M, pegasus-M (M at least 2) or zephyr-M, M at most {_MAX_SIZE}; got {name!r}"
        raise ValueError(msg)
    return getattr(dwave.graphs, f"{match[1]}_graph")(int(match[2]))


def with_dead_qubits(graph: nx.Graph, num_dead: int, *, seed: int) -> nx.Graph:
    """Return a copy of `graph` without `num_dead` qubits drawn at random, as a processor's yield takes them."""
    check_count("num_dead", num_dead, minimum=0)
    qubits = sorted(graph)
    if num_dead > len(qubits):
        msg = f"num_dead is at most the number of qubits, {len(qubits)}; got {num_dead}"
        raise ValueError(msg)
    rng = np.random.default_rng(seed)
    working = graph.copy()
    working.remove_nodes_from(qubits[k] for k in rng.choice(len(qubits), num_dead, replace=False))
    return working


def as_target(target: Any) -> tuple[nx.Graph, str | None]:
    """Return (graph, topology name or None) for a name or a graph."""
    if isinstance(target, nx.Graph):
        return target, None
    return topology_graph(target), target


def family_of(graph: nx.Graph) -> str | None:
    """Return "chimera", "pegasus" or "zephyr" for a working graph of one, as dwave-graphs records it, else None."""
    family = graph.graph.get("family")
    return family if family in _TILES and graph.graph.get("tile") == _TILES[family] else None


def perfect_name(graph: nx.Graph) -> str | None:
    """Return the topology that a working graph was cut from, such as "zephyr-12", or None."""
    family, rows = family_of(graph), graph.graph.get("rows")
    return f"{family}-{rows}" if family and rows else None


def shifts(lattice: nx.Graph, graph: nx.Graph) -> Iterator[Shift]:
    """Yield the places of a smaller lattice in a graph of the same topology; images may be qubits that are dead."""
    import dwave.graphs

    yield from getattr(dwave.graphs, f"{family_of(lattice)}_sublattice_mappings")(lattice, graph)


def cut_out(lattice: nx.Graph, graph: nx.Graph, shift: Shift, used: set[Hashable]) -> nx.Graph:
    """Return what works of a lattice at its place in a graph, and is not used, by the lattice's own qubits."""
    image = {q: shift(q) for q in lattice}
    piece = nx.Graph(**lattice.graph)
    piece.add_nodes_from(q for q, at in image.items() if at in graph and at not in used)
    piece.add_edges_from(
        (u, v) for u, v in lattice.edges if u in piece and v in piece and graph.has_edge(image[u], image[v])
    )
    return piece
