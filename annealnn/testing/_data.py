"""The data sets and embeddings under test, found and not listed."""

from functools import partial
from typing import get_args

from annealnn import datasets
from annealnn._resources import Kind, data_root, folders, provenance
from annealnn.embeddings import load_embedding, shipped_embeddings
from annealnn.testing._data_checks import EmbeddingCase, FolderCase, LoaderCase


def folder_cases() -> list[FolderCase]:
    """Return every folder of shipped files."""
    return [
        FolderCase(name=f"{kind}/{folder.name}", kind=kind, folder=folder)
        for kind in get_args(Kind)
        for folder in folders(kind)
    ]


def loader_cases() -> list[LoaderCase]:
    """Return every public function that loads or makes a data set."""
    names = [name for name in datasets.__all__ if name.startswith(("load_", "make_"))]
    return [LoaderCase(name=name, make=getattr(datasets, name)) for name in names]


def embedding_cases() -> list[EmbeddingCase]:
    """Return every shipped embedding."""
    root = data_root("embeddings")
    return [
        EmbeddingCase(
            name=f"{item.source} in {item.target}",
            make=partial(load_embedding, item.target, item.source),
            source=item.source,
            target=item.target,
            shape=provenance(root / item.target)["files"][item.file]["shape"],
        )
        for item in shipped_embeddings()
    ]
