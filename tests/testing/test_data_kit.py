"""Tests of the tests: data that are broken on purpose fail the kit, by the check that is about it."""

import hashlib

import numpy as np
import pytest

from annealnn.embeddings import MinorEmbedding, load_embedding
from annealnn.testing._cases import failing
from annealnn.testing._data_checks import (
    EMBEDDING_CHECKS,
    FOLDER_CHECKS,
    LOADER_CHECKS,
    EmbeddingCase,
    FolderCase,
    LoaderCase,
)

PROVENANCE = "\n".join(
    f'{key} = "x"' for key in ("title", "what", "shape", "format", "source", "licence", "recipe", "checked")
)
RECORD = '\n[files."a.csv"]\nrows = 2\nsha256 = "{}"\n'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("annealnn._resources.data_root", lambda kind: tmp_path)
    made = tmp_path / "toy-data"
    made.mkdir()
    (made / "a.csv").write_bytes(b"1,2\n3,4\n")
    (made / "PROVENANCE.toml").write_text(PROVENANCE + RECORD.format(hashlib.sha256(b"1,2\n3,4\n").hexdigest()))
    return FolderCase(name="toy", kind="datasets", folder=made)


def test_broken_folders_fail_by_the_right_check(folder):
    facts = folder.folder / "PROVENANCE.toml"
    sound = facts.read_text()
    assert failing(folder, FOLDER_CHECKS) == set()
    facts.write_text(sound.replace('licence = "x"', ""))
    assert failing(folder, FOLDER_CHECKS) == {"provenance_is_complete"}
    facts.write_text(sound.replace("rows = 2", "rows = 3"))
    assert failing(folder, FOLDER_CHECKS) == {"shape_is_the_stated_one"}
    facts.write_text(sound)
    (folder.folder / "b.csv").write_text("unrecorded")
    assert failing(folder, FOLDER_CHECKS) == {"files_are_the_recorded_ones"}


SHARED = np.eye(3, dtype=np.int8)


@pytest.mark.parametrize(
    ("make", "broken"),
    [
        (lambda random_state=None: (np.random.default_rng(random_state).integers(0, 2, (9, 9)), None), set()),
        (
            lambda random_state=None: (2 * np.random.default_rng(random_state).integers(0, 2, (9, 9)) - 1, None),
            {"gives_rows_and_labels"},
        ),
        (
            lambda random_state=None: (np.random.default_rng().integers(0, 2, (9, 9)), None),
            {"maker_repeats_with_its_seed"},
        ),
        (lambda: (SHARED, None), {"what_is_given_may_be_changed"}),
    ],
)
def test_broken_makers_fail_by_the_right_check(make, broken):
    found = failing(LoaderCase(name="toy", make=make), LOADER_CHECKS)
    assert found >= broken
    assert bool(found) == bool(broken)


def test_broken_embeddings_fail_by_the_right_check():
    def row(chains, shape="46 chains, 206 qubits, longest chain 5"):
        return EmbeddingCase(
            name="toy", make=lambda: MinorEmbedding(tuple(chains)), source="K46", target="zephyr-12", shape=shape
        )

    chains = load_embedding("zephyr-12").chains
    every = {check.__name__.removeprefix("check_") for check in EMBEDDING_CHECKS}
    assert failing(row(chains), EMBEDDING_CHECKS) == set()
    assert failing(row(chains, "46 chains, 207 qubits"), EMBEDDING_CHECKS) == {"embedding_has_the_stated_shape"}
    assert failing(row([*chains[:45], chains[45][:1]]), EMBEDDING_CHECKS) == every - {
        "first_chains_embed_a_smaller_graph"
    }
    assert "first_chains_embed_a_smaller_graph" in failing(row([chains[0][:1], *chains[1:]]), EMBEDDING_CHECKS)
