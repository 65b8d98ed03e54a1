"""`annealnn embed`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from annealnn.models import Structure


def embed(
    variables: Annotated[
        int | None, typer.Argument(min=1, help="Number of variables of the complete graph to embed; 46 if not given.")
    ] = None,
    target: Annotated[str, typer.Option(help="Topology: chimera-M, pegasus-M or zephyr-M.")] = "zephyr-12",
    dead: Annotated[int, typer.Option(min=0, help="Take away this many qubits at random first.")] = 0,
    edges: Annotated[
        Path | None, typer.Option(help="File with one edge 'i j' a line; instead of the complete graph.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the dead qubits and of the search.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Write the embedding to this JSON file.")] = None,
) -> None:
    """Find a minor embedding in a processor's topology, verify it and describe it."""
    from annealnn._files_io import write_text
    from annealnn.embeddings import embed_structure, topology_graph, with_dead_qubits
    from annealnn.models import Structure

    if variables is not None and edges is not None:
        msg = f"the problem is a complete graph or that of --edges; got both {variables} and {edges}"
        raise ValueError(msg)
    source = Structure.complete(variables or 46) if edges is None else _read_edges(edges)
    graph = with_dead_qubits(topology_graph(target), dead, seed=seed)
    found = embed_structure(source, graph, seed=seed)
    embedding = found.embedding
    lengths = [len(chain) for chain in embedding.chains]
    console = Console(highlight=False)
    console.print(
        f"{source.num_variables} variables, {source.num_edges} edges in {target}, {dead} qubits dead: verified"
    )
    console.print(
        f"{embedding.num_qubits} qubits, chains {min(lengths)} to {max(lengths)} long, "
        f"{int(found.in_chain.sum())} couplers inside chains, {int((~found.in_chain).sum())} between"
    )
    if out is not None:
        chains = [list(chain) for chain in embedding.chains]
        write_text(
            out, json.dumps({"format": 1, "target": target, "dead": dead, "seed": seed, "chains": chains}) + "\n"
        )
        console.print(f"written to {out}")


def _read_edges(path: Path) -> "Structure":
    import numpy as np

    from annealnn.models import Structure

    if not path.is_file():
        msg = f"--edges names a text file with one edge a line; got {path}, which is none"
        raise ValueError(msg)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        msg = f"--edges names a text file with one edge a line; {path} is no text in UTF-8"
        raise ValueError(msg) from None
    pairs = []
    for number, line in enumerate(lines, 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) != 2 or not all(word.isdigit() for word in words):
            msg = f"an edge is two variable numbers a line, 'i j'; got {line!r} at {path}:{number}"
            raise ValueError(msg)
        pairs.append((int(words[0]), int(words[1])))
    if not pairs:
        msg = f"an edge file has at least one edge; {path} has none"
        raise ValueError(msg)
    return Structure(max(map(max, pairs)) + 1, np.array(pairs))
