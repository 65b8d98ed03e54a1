"""Problems on patches of a processor's own graph."""

import hashlib
import json
import re

import networkx as nx
import pytest

from annealnn.benchmark._contestant import ContestantSpec
from annealnn.benchmark._instance import InstanceSpec
from annealnn.benchmark.contestants import open_contestant
from annealnn.benchmark.families import build_instance


@pytest.fixture(scope="module")
def chip():
    return open_contestant(ContestantSpec(name="standin", settings={"topology": "chimera-3", "num_dead_qubits": 6}))


@pytest.fixture
def where(chip, tmp_path):
    graph = chip.device.to_networkx_graph()
    text = json.dumps({"qubits": sorted(graph), "couplers": sorted(map(sorted, graph.edges))})
    (tmp_path / "graph.json").write_text(text)
    return {"graph": str(tmp_path / "graph.json"), "graph_sha256": hashlib.sha256(text.encode()).hexdigest()}


def test_patches_lie_within_each_other_on_working_couplers(chip, where):
    graph = chip.device.to_networkx_graph()
    before = set()
    for size in (1, 5, 20, len(graph)):
        model = build_instance(InstanceSpec(family="ran", size=size, options=where)).model
        patch = nx.Graph([(model.labels[u], model.labels[v]) for u, v in model.structure.edges.tolist()])
        patch.add_nodes_from(model.labels)
        assert len(patch) == size
        assert before <= set(patch) <= set(graph)
        assert nx.is_connected(patch)
        # induced: every coupler between its qubits is the problem's
        assert set(map(frozenset, patch.edges)) == set(map(frozenset, graph.subgraph(patch).edges))
        before = set(patch)


def test_the_processor_takes_them_as_they_are(chip, where):
    model = build_instance(InstanceSpec(family="ran", size=20, options=where)).model
    run = chip.run(model, effort=5.0, num_reads=4, seed=0)
    assert run.spins.shape == (4, 20)
    assert "embedding_context" not in run.info


def test_there_are_no_more_qubits_than_there_are(where):
    with pytest.raises(ValueError, match=re.escape("at most the 66 that hang together; got 67")):
        build_instance(InstanceSpec(family="ran", size=67, options=where))


def test_sizes_are_one_group_and_its_name_is_short(where):
    small, large = (InstanceSpec(family="ran", size=size, options=where) for size in (5, 20))
    assert small.group == large.group
    assert small.key != large.key
    assert where["graph_sha256"][:8] in small.group
    assert where["graph_sha256"][:9] not in small.group
