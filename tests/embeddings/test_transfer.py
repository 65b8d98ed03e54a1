"""What was learned on some qubits, carried to others."""

import networkx as nx
import numpy as np
import pytest

from annealnn.embeddings import EmbeddedStructure, MinorEmbedding, embed_structure, topology_graph
from annealnn.embeddings._transfer import Transfer
from annealnn.exceptions import EmbeddingError
from annealnn.models import Parameters, Structure

SOURCE = Structure.complete(6)
GRAPH = topology_graph("chimera-4")
OLD = embed_structure(SOURCE, GRAPH, seed=0)


def some(embedded, seed=0):
    rng = np.random.default_rng(seed)
    physical = embedded.physical
    return Parameters(rng.normal(size=physical.num_variables), rng.normal(size=physical.num_edges))


def without(*qubits, seed=1):
    graph = GRAPH.copy()
    graph.remove_nodes_from(qubits)
    return embed_structure(SOURCE, graph, seed=seed)


@pytest.mark.parametrize("dead", [(OLD.embedding.chains[2][0],), tuple(OLD.embedding.chains[0]), (0, 5, 17, 40)])
def test_the_logical_parameters_stay(dead):
    new = without(*dead)
    before = some(OLD)
    after = Transfer(OLD, new).parameters(before)
    assert not set(dead) & set(new.physical.labels)
    for a, b in zip(OLD.collapse(before), new.collapse(after), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_values_go_with_their_labels():
    new = without(OLD.embedding.chains[2][0])
    before = some(OLD)
    transfer = Transfer(OLD, new)
    kept = transfer.values(before)
    old_of = {(label, v): k for k, (label, v) in enumerate(zip(OLD.physical.labels, OLD.chain_of, strict=True))}
    for k, item in enumerate(zip(new.physical.labels, new.chain_of, strict=True)):
        assert kept.fields[k] == (before.fields[old_of[item]] if item in old_of else 0.0)
    names = [frozenset(OLD.physical.labels[v] for v in pair) for pair in OLD.physical.edges]
    value_of = dict(zip(names, before.couplings, strict=True))
    for k, pair in enumerate(new.physical.edges):
        same = (transfer.qubits[pair] >= 0).all()
        assert kept.couplings[k] == (value_of[frozenset(new.physical.labels[v] for v in pair)] if same else 0.0)


def test_an_order_of_chains_is_all_that_may_differ_for_the_identity():
    turned = EmbeddedStructure.build(
        MinorEmbedding(tuple(chain[::-1] for chain in OLD.embedding.chains)), SOURCE, GRAPH
    )
    assert Transfer(OLD, OLD).is_identity
    transfer = Transfer(OLD, turned)
    assert not transfer.is_identity
    before = some(OLD)
    there_and_back = Transfer(turned, OLD).parameters(transfer.parameters(before))
    for a, b in zip(before, there_and_back, strict=True):
        np.testing.assert_array_equal(a, b)


def test_new_couplers_in_a_chain_begin_at_its_mean():
    path = nx.path_graph(6)
    source = Structure(2, [[0, 1]])
    old = EmbeddedStructure.build(MinorEmbedding(((0, 1), (2,))), source, path)
    new = EmbeddedStructure.build(MinorEmbedding(((1,), (2, 3, 4))), source, path)
    # before: a coupler inside chain 0 of 1.5, one between of -0.4
    before = Parameters(np.array([0.1, 0.2, 0.3]), np.where(old.in_chain, 1.5, -0.4))
    after = Transfer(old, new).parameters(before)
    np.testing.assert_allclose(after.fields, [0.3, 0.3, 0.0, 0.0])
    np.testing.assert_allclose(after.couplings, np.where(new.in_chain, 1.5, -0.4))


def test_reads_of_new_qubits_follow_their_chain():
    new = without(OLD.embedding.chains[2][0])
    reads = np.random.default_rng(0).choice(np.array([-1, 1], np.int8), (50, OLD.physical.num_variables))
    carried = Transfer(OLD, new).spins(reads)
    transfer = Transfer(OLD, new)
    decoded = OLD.decode(reads).spins
    for k, was in enumerate(transfer.qubits):
        np.testing.assert_array_equal(carried[:, k], decoded[:, new.chain_of[k]] if was < 0 else reads[:, was])


def test_a_qubit_that_now_stands_for_another_variable_brings_nothing():
    path = nx.path_graph(3)
    source = Structure(2, np.empty((0, 2), int))
    old = EmbeddedStructure.build(MinorEmbedding(((0,), (2,))), source, path)
    new = EmbeddedStructure.build(MinorEmbedding(((2,), (0,))), source, path)
    after = Transfer(old, new).parameters(Parameters(np.array([1.0, -2.0]), np.empty(0)))
    np.testing.assert_array_equal(after.fields, [1.0, -2.0])
    assert (Transfer(old, new).qubits == -1).all()


def test_another_source_is_refused():
    other = embed_structure(Structure.complete(5), GRAPH, seed=0)
    with pytest.raises(EmbeddingError, match="of one source graph is not of another"):
        Transfer(OLD, other)
