"""The embeddings that ship with the package."""

import json
import re
from typing import NamedTuple

from annealnn._resources import data_root, folders, read_bytes
from annealnn.embeddings._chains import MinorEmbedding
from annealnn.embeddings._cliques import Sides
from annealnn.models import Structure

_SOURCE = re.compile(r"K([1-9]\d*)(?:,([1-9]\d*))?")


class ShippedEmbedding(NamedTuple):
    """Where a shipped embedding is, and what of."""

    target: str  #: folder and topology, such as "zephyr-12"
    source: str  #: such as "K46", or "K64,32" for a biclique
    file: str


def shipped_embeddings() -> list[ShippedEmbedding]:
    """Return what is shipped: clique and biclique embeddings on perfect graphs."""
    return [
        ShippedEmbedding(folder.name, path.stem.rsplit("_", 1)[0].replace("_", ",").upper(), path.name)
        for folder in folders("embeddings")
        for path in sorted(folder.glob("k*clique.json"))
    ]


def load_embedding(target: str, source: str = "K46") -> MinorEmbedding:
    """Load a shipped minor embedding, or of a larger one's chains as many as are asked for.

    Parameters
    ----------
    target : str
        A topology, such as "zephyr-12". The embedding is valid for its perfect graph.
    source : str
        "Kn", the complete graph over n variables, or "Ka,b", the bipartite one in which each of variables 0..a-1 is
        joined to each of a..a+b-1.

    Raises
    ------
    ValueError
        If no shipped embedding serves.
    DataFileError
        If the file is missing or damaged.
    """
    wanted = _sizes(str(source))
    best: tuple[int, ShippedEmbedding] | None = None
    for item in shipped_embeddings():
        have = _sizes(item.source)
        if (
            item.target == target
            and len(wanted) == len(have)
            and all(w <= h for w, h in zip(wanted, have, strict=True))
        ):
            best = min(best or (sum(have), item), (sum(have), item))
    if best is None or not wanted:
        on_offer = ", ".join(f"{item.source} on {item.target}" for item in shipped_embeddings())
        msg = (
            f"shipped are {on_offer}, and smaller ones of each kind; got {source!r} on {target!r}. "
            "See find_minor_embedding"
        )
        raise ValueError(msg)
    item = best[1]
    chains = json.loads(read_bytes("embeddings", item.target, item.file))["chains"]
    starts = [0, _sizes(item.source)[0]]
    picked = [chain for start, size in zip(starts, wanted, strict=False) for chain in chains[start : start + size]]
    return MinorEmbedding(tuple(map(tuple, picked)))


def _sizes(source: str) -> tuple[int, ...]:
    """Return (n,) for "Kn", (a, b) for "Ka,b", and nothing for any other text."""
    match = _SOURCE.fullmatch(source)
    return tuple(int(size) for size in match.groups() if size) if match else ()


def shipped_clique(target: str | None, num_variables: int) -> MinorEmbedding | None:
    """Return the shipped embedding of just this clique if there is one: the first chains of a larger one are longer."""
    return _loaded(target, (num_variables,))


def shipped_biclique(target: str | None, source: Structure, sides: Sides) -> MinorEmbedding | None:
    """Return the shipped biclique embedding of a bipartite source of just these sides if there is one, else None."""
    for order in (sides, sides[::-1]):
        found = _loaded(target, tuple(map(len, order)))
        if found is not None:
            chains = dict(zip((*order[0], *order[1]), found.chains, strict=True))
            return MinorEmbedding.from_mapping(chains, source.num_variables)
    return None


def _loaded(target: str | None, sizes: tuple[int, ...]) -> MinorEmbedding | None:
    if target is None or not (data_root("embeddings") / target).is_dir():
        return None
    exact = [item for item in shipped_embeddings() if item.target == target and _sizes(item.source) == sizes]
    return load_embedding(target, exact[0].source) if exact else None
