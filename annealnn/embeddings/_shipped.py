"""The embeddings that ship with the package."""

import json
import re
from typing import NamedTuple

from annealnn._resources import data_root, folders, read_bytes
from annealnn.embeddings._chains import MinorEmbedding


class ShippedEmbedding(NamedTuple):
    """Where a shipped embedding is, and what of."""

    target: str  #: folder and topology, such as "zephyr-12"
    source: str  #: such as "K46"
    file: str


def shipped_embeddings() -> list[ShippedEmbedding]:
    """Return what is shipped: clique embeddings on perfect graphs."""
    return [
        ShippedEmbedding(folder.name, path.stem.removesuffix("_clique").upper(), path.name)
        for folder in folders("embeddings")
        for path in sorted(folder.glob("k*_clique.json"))
    ]


def load_embedding(target: str, source: str = "K46") -> MinorEmbedding:
    """Load a shipped minor embedding, or the first n chains of a larger clique's for "Kn".

    Parameters
    ----------
    target : str
        A topology, such as "zephyr-12". The embedding is valid for its perfect graph.
    source : str
        "Kn", the complete graph over n variables.

    Raises
    ------
    ValueError
        If no shipped embedding serves.
    DataFileError
        If the file is missing or damaged.
    """
    wanted = re.fullmatch(r"K([1-9]\d*)", str(source))
    for item in shipped_embeddings():
        if item.target == target and wanted and int(wanted[1]) <= int(item.source[1:]):
            record = json.loads(read_bytes("embeddings", item.target, item.file))
            return MinorEmbedding(tuple(map(tuple, record["chains"]))).first(int(wanted[1]))
    on_offer = ", ".join(f"{item.source} on {item.target}" for item in shipped_embeddings())
    msg = f"shipped are {on_offer}, and smaller cliques of each; got {source!r} on {target!r}. See find_minor_embedding"
    raise ValueError(msg)


def shipped_clique(target: str | None, num_variables: int) -> MinorEmbedding | None:
    """Return a shipped clique embedding if there is one, else None."""
    if target is None or not (data_root("embeddings") / target).is_dir():
        return None
    try:
        return load_embedding(target, f"K{num_variables}")
    except ValueError:
        return None
