"""Every shipped data set and embedding keeps the kit's rules: run by `pytest --pyargs annealnn.testing`."""

from annealnn.testing._cases import Check, parametrize
from annealnn.testing._data import embedding_cases, folder_cases, loader_cases
from annealnn.testing._data_checks import (
    EMBEDDING_CHECKS,
    FOLDER_CHECKS,
    LOADER_CHECKS,
    EmbeddingCase,
    FolderCase,
    LoaderCase,
)


@parametrize(folder_cases(), FOLDER_CHECKS)
def test_folder(case: FolderCase, check: Check) -> None:
    """One rule, one folder of shipped files."""
    check(case)


@parametrize(loader_cases(), LOADER_CHECKS)
def test_loader(case: LoaderCase, check: Check) -> None:
    """One rule, one loader or maker."""
    check(case)


@parametrize(embedding_cases(), EMBEDDING_CHECKS)
def test_embedding(case: EmbeddingCase, check: Check) -> None:
    """One rule, one shipped embedding."""
    check(case)
