import networkx as nx
import numpy as np
import pytest

from annealnn.embeddings import (
    EmbeddedStructure,
    MinorEmbedding,
    embed_structure,
    find_minor_embedding,
    load_embedding,
    shipped_embeddings,
    topology_graph,
    with_dead_qubits,
)
from annealnn.exceptions import EmbeddingError
from annealnn.models import Moments, Parameters, Structure

K46 = Structure.complete(46)


@pytest.fixture(scope="module")
def chimera():
    return topology_graph("chimera-12")


@pytest.fixture(scope="module")
def small():
    """K6 in two by two Chimera cells: 18 qubits, 34 couplers."""
    return embed_structure(Structure.complete(6), "chimera-2")


def test_k46_is_shipped_for_three_topologies():
    assert {item.target for item in shipped_embeddings()} >= {"chimera-12", "pegasus-16", "zephyr-12"}


@pytest.mark.parametrize(("dead", "general"), [(0, False), (10, False), (55, True)])
def test_k46_on_chimera_with_dead_qubits(chimera, dead, general):
    working = with_dead_qubits(chimera, dead, seed=3)
    assert len(working) == 1152 - dead
    found = embed_structure(K46, working, seed=1)
    found.embedding.verify(K46, working)
    lengths = {len(chain) for chain in found.embedding.chains}
    # a clique embedding has chains of one length here; the general heuristic does not
    assert (len(lengths) > 1) == general


def test_search_repeats_with_its_seed(chimera):
    working = with_dead_qubits(chimera, 300, seed=0)
    source = Structure.complete(12)
    assert find_minor_embedding(source, working, seed=5) == find_minor_embedding(source, working, seed=5)


@pytest.mark.parametrize("target", ["chimera-4", "pegasus-4", "zephyr-4"])
def test_small_cliques_on_working_graphs(target):
    # busclique itself takes all memory on some of these
    working = with_dead_qubits(topology_graph(target), 1, seed=0)
    for n in range(1, 13):
        find_minor_embedding(Structure.complete(n), working).verify(Structure.complete(n), working)


def test_clique_in_one_cell():
    assert find_minor_embedding(Structure.complete(4), "chimera-1").num_qubits <= 8


def test_sparse_sources_get_short_chains():
    path = Structure(40, [[k, k + 1] for k in range(39)])
    assert find_minor_embedding(path, "zephyr-12").num_qubits < 60


def test_sparse_source_with_a_lone_variable_on_an_unknown_graph():
    source = Structure(4, [[0, 1], [1, 2]])
    found = find_minor_embedding(source, nx.path_graph(5))
    found.verify(source, nx.path_graph(5))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda g: MinorEmbedding(((0,), ())), "variable 1 has none"),
        (lambda g: MinorEmbedding(((0, 4), (4,))), "qubit 4 is in those of variables 0 and 1"),
        (lambda g: MinorEmbedding(((0, 0),)), "qubit 0"),
        (lambda g: MinorEmbedding.from_mapping({0: [0]}, 2), "1 has none"),
        (lambda g: MinorEmbedding(((0,),)).verify(Structure.complete(2), g), "1 chains for 2 variables"),
        (lambda g: MinorEmbedding(((0,), (9999,))).verify(Structure.complete(2), g), "9999"),
        (lambda g: MinorEmbedding(((0, 1), (4,))).verify(Structure.complete(2), g), r"connected.*\(0, 1\)"),
        (lambda g: MinorEmbedding(((0,), (1,))).verify(Structure.complete(2), g), r"edge \(0, 1\) has none"),
        (lambda g: embed_structure(Structure.complete(2), g, embedding={0: [0], 1: [1]}), r"edge \(0, 1\)"),
        (
            lambda g: find_minor_embedding(Structure.complete(5), nx.path_graph(4)),
            "at least as many qubits and couplers",
        ),
        (lambda g: find_minor_embedding(Structure.complete(5), nx.grid_2d_graph(4, 4)), r"no minor embedding .* found"),
        (lambda g: embed_structure(Structure.complete(2), g, embedding="mine.json"), "mapping .*; got str"),
        (lambda g: MinorEmbedding.from_mapping({0: [0], 1: 4}, 2), "that of variable 1 is 4"),
        (lambda g: MinorEmbedding.from_mapping({0: [0], 7: [4]}, 1), "got one for 7"),
        (lambda g: load_embedding("zephyr-12", 46), "got 46 on"),
        (lambda g: load_embedding("zephyr-12", "K75"), "K75"),
        (lambda g: load_embedding("zephyr-13"), "zephyr-13"),
        (lambda g: topology_graph("zephyr"), "'zephyr'"),
        (lambda g: topology_graph("pegasus-1"), "pegasus-1"),
        (lambda g: topology_graph("zephyr-300"), "at most 50; got 'zephyr-300'"),
        (lambda g: with_dead_qubits(g, 1153, seed=0), "1152; got 1153"),
    ],
)
def test_what_does_not_fit_says_why(chimera, make, says):
    with pytest.raises((EmbeddingError, ValueError), match=says):
        make(chimera)


def test_decode_is_a_majority_vote_and_ties_go_to_the_first_qubit():
    target = nx.complete_graph(7)
    source = Structure.complete(3)
    embedded = EmbeddedStructure.build(MinorEmbedding(((0, 1), (2, 3, 4), (5, 6))), source, target)
    reads = np.array([[1, -1, -1, 1, -1, 1, 1], [-1, 1, 1, 1, 1, -1, -1]], np.int8)
    decoded = embedded.decode(reads)
    np.testing.assert_array_equal(decoded.spins, [[1, -1, 1], [-1, 1, -1]])
    np.testing.assert_array_equal(decoded.broken, [[True, True, False], [True, False, False]])
    np.testing.assert_array_equal(embedded.decode(-reads).spins, -decoded.spins)


def test_encode_then_decode_gives_the_rows_back(small):
    spins = np.random.default_rng(0).choice([-1, 1], (40, 6)).astype(np.int8)
    decoded = small.decode(small.encode(spins))
    np.testing.assert_array_equal(decoded.spins, spins)
    assert not decoded.broken.any()


def test_encoded_moments_are_those_of_encoded_data(small):
    spins = np.random.default_rng(1).choice([-1, 1], (30, 6), p=[0.3, 0.7]).astype(np.int8)
    found = small.encode_moments(small.source.moments_of(spins))
    expected = small.physical.moments_of(small.encode(spins))
    np.testing.assert_allclose(found.spins, expected.spins, atol=1e-12)
    np.testing.assert_allclose(found.pairs, expected.pairs, atol=1e-12)
    assert (small.encode_moments(Moments(np.zeros(6), np.zeros(15))).pairs == small.in_chain).all()


def test_collapse_is_the_energy_of_intact_chains(small):
    rng = np.random.default_rng(2)
    physical = Parameters(rng.normal(size=small.physical.num_variables), rng.normal(size=small.physical.num_edges))
    spins = rng.choice([-1, 1], (20, 6)).astype(np.int8)
    whole = small.physical.energies(physical, small.encode(spins))
    logical = small.source.energies(small.collapse(physical), spins)
    np.testing.assert_allclose(whole - logical, -physical.couplings[small.in_chain].sum(), atol=1e-12)


def test_spread_collapses_to_what_was_spread(small):
    rng = np.random.default_rng(3)
    logical = Parameters(rng.normal(size=6), rng.normal(size=15))
    physical = small.spread(logical, chain_coupling=1.5)
    back = small.collapse(physical)
    np.testing.assert_allclose(back.fields, logical.fields, atol=1e-12)
    np.testing.assert_allclose(back.couplings, logical.couplings, atol=1e-12)
    assert (physical.couplings[small.in_chain] == 1.5).all()


def test_couplers_between_chains_need_a_source_edge():
    ring = Structure(6, [[k, (k + 1) % 6] for k in range(6)])
    whole = embed_structure(Structure.complete(6), "chimera-2")
    fewer = embed_structure(ring, "chimera-2", embedding=whole.embedding)
    assert set(fewer.source_edge) == {-1, *range(6)}
    assert fewer.physical.num_edges < whole.physical.num_edges
