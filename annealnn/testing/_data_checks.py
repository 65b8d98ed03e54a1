"""What shipped data must be: recorded, unchanged, of the stated shape; and what loaders and makers must give.

Each `check_*` takes a `FolderCase`, `LoaderCase` or `EmbeddingCase`, and raises AssertionError if the rule is broken.
"""

import hashlib
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np

from annealnn._resources import Kind, provenance, read_bytes
from annealnn.embeddings import EmbeddedStructure, MinorEmbedding, topology_graph
from annealnn.models import Structure

PROVENANCE_KEYS = {"title", "what", "shape", "format", "source", "licence", "recipe", "checked", "files"}


@final
@dataclass(frozen=True, kw_only=True)
class FolderCase:
    """A folder of shipped files."""

    name: str
    kind: Kind
    folder: Path
    known_failures: Mapping[str, str] = field(default_factory=dict)


@final
@dataclass(frozen=True, kw_only=True)
class LoaderCase:
    """A function that loads or makes a data set."""

    name: str
    make: Callable[..., Any]
    known_failures: Mapping[str, str] = field(default_factory=dict)


@final
@dataclass(frozen=True, kw_only=True)
class EmbeddingCase:
    """A shipped embedding: "Kn" or "Ka,b" in a perfect topology."""

    name: str
    make: Callable[[], MinorEmbedding]
    source: str
    target: str
    shape: str
    known_failures: Mapping[str, str] = field(default_factory=dict)


def check_provenance_is_complete(case: FolderCase) -> None:
    """PROVENANCE.toml says what the files are, whence, under which licence, and how they were checked."""
    facts = provenance(case.folder)
    assert set(facts) >= PROVENANCE_KEYS, f"PROVENANCE.toml lacks {sorted(PROVENANCE_KEYS - set(facts))}"
    assert all(str(facts[key]).strip() for key in PROVENANCE_KEYS)
    assert not case.folder.name.isidentifier(), "a data folder has a hyphen, so that it cannot be imported"


def check_files_are_the_recorded_ones(case: FolderCase) -> None:
    """The files are those of PROVENANCE.toml, each with its SHA-256."""
    recorded = provenance(case.folder)["files"]
    found = {p.name for p in case.folder.iterdir() if p.is_file() and p.suffix not in (".toml", ".py")}
    assert found == set(recorded), f"files and records differ by {sorted(found ^ set(recorded))}"
    for name in recorded:
        content = read_bytes(case.kind, case.folder.name, name)
        assert hashlib.sha256(content).hexdigest() == recorded[name]["sha256"]


def check_shape_is_the_stated_one(case: FolderCase) -> None:
    """Where a file's rows are recorded, it has as many."""
    import gzip

    for name, facts in provenance(case.folder)["files"].items():
        if "rows" in facts:
            content = read_bytes(case.kind, case.folder.name, name)
            text = gzip.decompress(content) if name.endswith(".gz") else content
            assert len(text.splitlines()) == facts["rows"], f"{name} has {len(text.splitlines())} rows"


def check_gives_rows_and_labels(case: LoaderCase) -> None:
    """A loader gives a Bunch, or (X, y) of it; a maker gives a tuple of arrays. X holds a row for each label."""
    given = case.make()
    if not _loads(case):
        assert isinstance(given, tuple)
        assert given[0].ndim == 2
        assert np.isin(given[0], (0, 1)).all(), "a maker's X holds bits"
        return
    assert {"data", "target", "feature_names", "target_names", "DESCR"} <= set(given)
    assert given.data.ndim == 2
    assert given.data.shape == (len(given.target), len(given.feature_names))
    assert "licence" in given.DESCR.lower()
    X, y = case.make(return_X_y=True)
    np.testing.assert_array_equal(X, given.data)
    np.testing.assert_array_equal(y, given.target)


def check_what_is_given_may_be_changed(case: LoaderCase) -> None:
    """Writing into what was given does not reach the next caller."""
    keywords = {"random_state": 0} if "random_state" in inspect.signature(case.make).parameters else {}

    def rows() -> Any:
        return case.make(return_X_y=True)[0] if _loads(case) else case.make(**keywords)[0]

    first = rows()
    before = first.copy()
    first[:] = 1 - first
    np.testing.assert_array_equal(rows(), before)


def check_maker_repeats_with_its_seed(case: LoaderCase) -> None:
    """The same `random_state` makes the same rows, another makes others."""
    if "random_state" not in inspect.signature(case.make).parameters:
        np.testing.assert_array_equal(_rows(case.make()), _rows(case.make()))
        return
    a, b, other = (_rows(case.make(random_state=seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, other), "another random_state makes the same rows"


def check_embedding_fits_its_graph(case: EmbeddingCase) -> None:
    """Chains are connected in the perfect graph, disjoint, and those of every edge share a coupler."""
    source = _source(_sizes(case))
    embedded = EmbeddedStructure.build(case.make(), source, topology_graph(case.target))
    between = embedded.source_edge[embedded.source_edge >= 0]
    assert len(np.unique(between)) == source.num_edges


def check_embedding_has_the_stated_shape(case: EmbeddingCase) -> None:
    """Its PROVENANCE.toml states the chains, the qubits and the longest chain."""
    found = case.make()
    stated = [int(n) for n in re.findall(r"\d+", case.shape)]
    longest = max(map(len, found.chains))
    assert stated == [found.num_variables, found.num_qubits, longest], f"stated {case.shape!r}"


def check_first_chains_embed_a_smaller_graph(case: EmbeddingCase) -> None:
    """Half the chains, of a biclique half of each side, embed a smaller graph of the kind."""
    chains, starts = case.make().chains, [0, *_sizes(case)[:-1]]
    halves = [n // 2 for n in _sizes(case)]
    picked = [chain for start, n in zip(starts, halves, strict=True) for chain in chains[start : start + n]]
    MinorEmbedding(tuple(picked)).verify(_source(halves), topology_graph(case.target))


def _sizes(case: EmbeddingCase) -> list[int]:
    return [int(n) for n in case.source.removeprefix("K").split(",")]


def _source(sizes: Sequence[int]) -> Structure:
    return Structure.complete(*sizes) if len(sizes) == 1 else Structure.layered(*sizes)


def _loads(case: LoaderCase) -> bool:
    return "return_X_y" in inspect.signature(case.make).parameters


def _rows(given: Any) -> Any:
    return given[0] if isinstance(given, tuple) else given.data


FOLDER_CHECKS = [check_provenance_is_complete, check_files_are_the_recorded_ones, check_shape_is_the_stated_one]
LOADER_CHECKS = [
    check_gives_rows_and_labels,
    check_what_is_given_may_be_changed,
    check_maker_repeats_with_its_seed,
]
EMBEDDING_CHECKS = [
    check_embedding_fits_its_graph,
    check_embedding_has_the_stated_shape,
    check_first_chains_embed_a_smaller_graph,
]
