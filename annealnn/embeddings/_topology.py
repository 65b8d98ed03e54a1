"""Target graphs: perfect topologies by name, and working graphs with defects."""

import re
from typing import Any

import networkx as nx
import numpy as np

from annealnn._validation import check_count

# several times what has been built; a graph of this size still fits in memory
_MAX_SIZE = 50

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
