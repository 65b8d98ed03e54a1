"""`annealnn embed`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from annealnn.embeddings import EmbeddedStructure, MinorEmbedding
    from annealnn.models import Structure


def embed(
    variables: Annotated[
        int | None, typer.Argument(min=1, help="Number of variables of the complete graph to embed; 46 if not given.")
    ] = None,
    target: Annotated[str, typer.Option(help="Topology: chimera-M, pegasus-M or zephyr-M.")] = "zephyr-12",
    dead: Annotated[int, typer.Option(min=0, help="Take away this many qubits at random first.")] = 0,
    biclique: Annotated[
        str | None,
        typer.Option(help="Layers of a restricted or deep machine, '64x32' or '64x32x16', instead of all pairs."),
    ] = None,
    edges: Annotated[
        Path | None, typer.Option(help="File with one edge 'i j' a line; instead of the complete graph.")
    ] = None,
    copies: Annotated[
        int | None, typer.Option(min=0, help="Disjoint copies to find beside each other; 0 is as many as are found.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option(help="Verify the embedding in this JSON file instead, and repair it if it is broken.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the dead qubits and of the search.")] = 0,
    picture: Annotated[Path | None, typer.Option(help="Draw the embedding into this PNG file.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the embedding to this JSON file.")] = None,
) -> None:
    """Find a minor embedding in a processor's topology, verify it and describe it."""
    from annealnn._files_io import write_text
    from annealnn.embeddings import EmbeddedStructure, find_minor_embedding, topology_graph, with_dead_qubits

    source = _source(variables, biclique, edges, check)
    graph = with_dead_qubits(topology_graph(target), dead, seed=seed)
    console = Console(highlight=False)
    if check is not None:
        found = [_repaired(check, source, graph, seed, console)]
    elif copies is not None:
        from annealnn.embeddings import parallel_embeddings

        found = list(parallel_embeddings(source, graph, num_copies=copies or None, seed=seed))
    else:
        found = [find_minor_embedding(source, graph, seed=seed)]
    embedded = EmbeddedStructure.build(found[0], source, graph)
    console.print(
        f"{source.num_variables} variables, {source.num_edges} edges in {target}, {dead} qubits dead: verified"
    )
    if copies is not None:
        used = sum(one.num_qubits for one in found)
        console.print(f"{len(found)} copies on {used} of {len(graph)} qubits; of the first:")
    _describe(embedded, console)
    if picture is not None:
        from annealnn.reports import embedding_figure, write_figure

        write_figure(picture, embedding_figure(embedded, graph, title=f"{source.num_variables} variables in {target}"))
        console.print(f"drawn in {picture}")
    if out is not None:
        record = {
            "format": 1,
            "target": target,
            "dead": dead,
            "seed": seed,
            "edges": source.edges.tolist(),
            "chains": [list(chain) for chain in found[0].chains],
        }
        if copies is not None:
            record["copies"] = [[list(chain) for chain in one.chains] for one in found]
        write_text(out, json.dumps(record) + "\n")
        console.print(f"written to {out}")


def _source(variables: int | None, biclique: str | None, edges: Path | None, check: Path | None) -> "Structure":
    """Return the graph that is asked for.

    Raises
    ------
    ValueError
        If several are, or one cannot be read.
    """
    from annealnn.models import Structure

    given = {"the number of variables": variables, "--biclique": biclique, "--edges": edges, "--check": check}
    asked = [f"{name} {value}" for name, value in given.items() if value is not None]
    # a file says which edges it was found for, unless another option does
    if len(asked) > 1 and not (len(asked) == 2 and check is not None):
        msg = f"the problem is a complete graph, or that of --biclique or of --edges; got {' and '.join(asked)}"
        raise ValueError(msg)
    if edges is not None:
        return _read_edges(edges)
    if biclique is not None:
        sizes = biclique.lower().split("x")
        if len(sizes) < 2 or not all(size.isdigit() and int(size) for size in sizes):
            msg = f"--biclique is the sizes of two layers or more, such as 64x32; got {biclique!r}"
            raise ValueError(msg)
        return Structure.layered(*map(int, sizes))
    if check is not None and variables is None:
        record = _read_record(check)
        return Structure(len(record["chains"]), record.get("edges") or Structure.complete(len(record["chains"])).edges)
    return Structure.complete(variables or 46)


def _repaired(path: Path, source: "Structure", graph: Any, seed: int, console: Console) -> "MinorEmbedding":
    from annealnn.embeddings import MinorEmbedding, repair_embedding

    embedding = MinorEmbedding(tuple(map(tuple, _read_record(path)["chains"])))
    repair = repair_embedding(embedding, source, graph, seed=seed)
    if repair.method == "unchanged":
        console.print(f"{path} fits")
    else:
        console.print(
            f"{path} does not fit, {len(repair.gone)} of its qubits gone: {repair.method}, "
            f"{len(repair.kept)} chains kept, {len(repair.trimmed)} trimmed, {len(repair.moved)} moved"
        )
    return repair.embedding


def _describe(embedded: "EmbeddedStructure", console: Console) -> None:
    from annealnn.embeddings import embedding_statistics

    found = embedding_statistics(embedded)
    console.print(
        f"{found.num_qubits} qubits, chains {found.chain_length.least} to {found.chain_length.most} long, "
        f"{found.couplers_in_chains} couplers inside chains, {found.couplers_between} between"
    )
    console.print("chains by length: " + ", ".join(f"{count} of {length}" for length, count in found.lengths))
    for name, spread in (
        ("edges of a variable", found.variable_degree),
        ("couplers of a qubit", found.qubit_degree),
        ("couplers of an edge", found.couplers_per_edge),
    ):
        console.print(f"{name}: {spread.least} to {spread.most}, mean {spread.mean:.2f}")


def _read_record(path: Path) -> dict[str, Any]:
    """Return what an embedding's JSON file holds.

    Raises
    ------
    ValueError
        If it is no such file.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"--check names a JSON file that --out wrote; got {path}: {error}"
        raise ValueError(msg) from None
    chains = record.get("chains") if isinstance(record, dict) else None
    if not isinstance(chains, list) or not all(
        isinstance(chain, list) and all(isinstance(q, int) for q in chain) for chain in chains
    ):
        msg = f"an embedding's file has chains, a list of lists of qubits; {path} has none"
        raise ValueError(msg)
    return dict(record)


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
