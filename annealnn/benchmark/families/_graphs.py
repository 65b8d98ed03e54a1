"""Graphs that problems live on: perfect and working graphs of processors, and lattices."""

import hashlib
import json
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from annealnn._validation import check_choice, check_count
from annealnn.embeddings import topology_graph, with_dead_qubits
from annealnn.models import Structure

TOPOLOGIES = ("chimera", "pegasus", "zephyr")

# all instances of a size live on the same qubits, as those that one processor is given do
_DEAD_SEED = 0


class ProblemGraph(NamedTuple):
    """A graph, and the options that say which."""

    structure: Structure  #: labels are qubits, sorted; edges sorted
    options: dict[str, Any]


def working_graph(graph: str, size: int, *, num_dead: int = 0, graph_sha256: str | None = None) -> ProblemGraph:
    """Return the graph of a processor.

    Parameters
    ----------
    graph : "chimera", "pegasus", "zephyr", or path of a JSON file
        A file holds the working graph of a solver: an object with lists `qubits` and `couplers`, or `nodes` and
        `edges`, by itself or under `properties`.
    size : int
        The L of a topology. Of a file, how many of its qubits: those nearest to its first one, see `patch_of`.
    num_dead : int
        Qubits of a topology taken out at random; the same ones for all instances of a size.
    graph_sha256 : str, optional
        SHA-256 that the file must have. Computed if None; it is among the options either way, and so in every key.

    Raises
    ------
    ValueError
        If there is no such graph, the file is not one, or it is not the one that the SHA-256 was taken of.
    OSError
        If the file cannot be read.
    """
    check_count("size", size)
    if graph in TOPOLOGIES:
        if graph_sha256 is not None:
            msg = f"graph_sha256 goes with a file; got it with graph={graph!r}"
            raise ValueError(msg)
        perfect = topology_graph(f"{graph}-{size}")
        given = with_dead_qubits(perfect, num_dead, seed=_DEAD_SEED) if num_dead else perfect
        return ProblemGraph(
            structure_of(given), {"graph": graph, "num_dead": check_count("num_dead", num_dead, minimum=0)}
        )
    if not str(graph).endswith(".json"):
        msg = f"a graph is one of {', '.join(TOPOLOGIES)} or the path of a .json file; got {graph!r}"
        raise ValueError(msg)
    if num_dead:
        msg = f"num_dead goes with a topology, and a file says itself which qubits work; got {num_dead} with {graph!r}"
        raise ValueError(msg)
    content = Path(graph).read_bytes()
    found = check_digest(graph, content, graph_sha256)
    structure = _read(graph, content)
    return ProblemGraph(patch_of(structure, size), {"graph": str(graph), "graph_sha256": found})


def patch_of(structure: Structure, size: int) -> Structure:
    """Return the part of a graph that `size` qubits nearest to its first qubit induce.

    Distance is in couplers; of two at the same distance the earlier label is nearer. So a processor gives problems of
    any size on its own qubits, each within the next larger one.

    Raises
    ------
    ValueError
        If fewer qubits hang together with the first one.
    """
    graph = nx.Graph()
    graph.add_nodes_from(range(structure.num_variables))
    graph.add_edges_from(structure.edges.tolist())
    away = nx.single_source_shortest_path_length(graph, 0)
    if size > len(away):
        msg = f"with a graph's file, size counts qubits, at most the {len(away)} that hang together; got {size}"
        raise ValueError(msg)
    kept = sorted(away, key=lambda node: (away[node], node))[:size]
    return structure_of(nx.relabel_nodes(graph.subgraph(kept), dict(enumerate(structure.labels))))


def check_digest(path: str, content: bytes, wanted: str | None) -> str:
    """Return the SHA-256 of a file's content, which is `wanted` if that is not None.

    Raises
    ------
    ValueError
        If it is another.
    """
    found = hashlib.sha256(content).hexdigest()
    if wanted is not None and found != wanted:
        msg = f"{path} has changed since the instance was named: its SHA-256 was {wanted} and is {found}"
        raise ValueError(msg)
    return found


def _read(path: str, content: bytes) -> Structure:
    try:
        given = json.loads(content)
        given = given.get("properties", given)
        nodes = given["qubits"] if "qubits" in given else given["nodes"]
        edges = given["couplers"] if "couplers" in given else given["edges"]
        graph = nx.Graph()
        graph.add_nodes_from(nodes)
        known = len(graph)
        graph.add_edges_from((u, v) for u, v in edges)
        loops = nx.number_of_selfloops(graph)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = (
            f"a graph's file is JSON with lists of qubits and couplers, or of nodes and edges; {path} is not: "
            f"{type(error).__name__}: {error}"
        )
        raise ValueError(msg) from error
    if len(graph) != known or loops:
        msg = f"couplers join two of the graph's qubits; {path} has {loops} loops and {len(graph) - known} unknown ends"
        raise ValueError(msg)
    return structure_of(graph)


def structure_of(graph: nx.Graph) -> Structure:
    """Return a graph's structure, its labels sorted and its edges in their order."""
    labels: list[Hashable] = sorted(graph)
    index = {label: k for k, label in enumerate(labels)}
    ends = np.array([sorted((index[u], index[v])) for u, v in graph.edges], dtype=np.intp).reshape(-1, 2)
    return Structure(len(labels), ends[np.lexsort((ends[:, 1], ends[:, 0]))], tuple(labels))


def lattice_graph(size: int, *, dimension: int = 2, periodic: bool = True) -> Structure:
    """Return a square or cubic lattice of `size` sites a side; labels are 0..size**dimension - 1, last axis first.

    Raises
    ------
    ValueError
        If the dimension is neither 2 nor 3, or a periodic lattice is so small that two sites would be joined twice.
    """
    check_choice("dimension", dimension, [2, 3])
    check_choice("periodic", periodic, [True, False])
    check_count("size", size, minimum=3 if periodic else 2)
    sites = np.arange(size**dimension).reshape((size,) * dimension)
    pairs = []
    for axis in range(dimension):
        here, there = sites, np.roll(sites, -1, axis)
        if not periodic:
            here, there = (np.take(each, range(size - 1), axis) for each in (here, there))
        pairs.append(np.sort(np.column_stack([here.ravel(), there.ravel()]), axis=1))
    edges = np.concatenate(pairs)
    return Structure(sites.size, edges[np.lexsort((edges[:, 1], edges[:, 0]))])


def column_rank(graph: str, size: int) -> Callable[[Hashable], Any] | None:
    """Return the key that sorts a topology's qubits column by column, an order of elimination, or None.

    On Chimera each column's vertical qubits go before its horizontal ones, and no qubit joins more than 4 L later
    ones, the tree width of the graph; min-fill leaves 35 at L = 6 and more than 40 at L = 8.
    """
    if graph != "chimera":
        return None
    import dwave.graphs

    coordinates = dwave.graphs.chimera_coordinates(size)

    def rank(qubit: Hashable) -> Any:
        row, column, shore, k = coordinates.linear_to_chimera(qubit)
        return column, shore, row, k

    return rank
