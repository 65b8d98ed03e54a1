"""Bicliques, copies, repair, statistics, chain strengths and unembedding."""

import dwave.embedding
import networkx as nx
import numpy as np
import pytest
from dwave.embedding import chain_strength as upstream

from annealnn.embeddings import (
    EmbeddedStructure,
    FixedStrength,
    MinorEmbedding,
    ScaledStrength,
    UniformTorqueCompensation,
    chain_break_statistics,
    embed_structure,
    embedding_statistics,
    find_minor_embedding,
    load_embedding,
    parallel_embeddings,
    repair_embedding,
    shipped_embeddings,
    topology_graph,
    unembed,
    with_dead_qubits,
)
from annealnn.embeddings._cliques import find_biclique, two_sides
from annealnn.exceptions import EmbeddingError
from annealnn.models import Clamp, IsingModel, Parameters, Structure

RING = Structure(5, [[k, (k + 1) % 5] for k in range(5)])


@pytest.fixture(scope="module")
def zephyr():
    return topology_graph("zephyr-6")


# bicliques


@pytest.mark.parametrize("family", ["chimera", "pegasus", "zephyr"])
@pytest.mark.parametrize("sizes", [(1, 1), (1, 5), (2, 3), (4, 4), (3, 8), (8, 8), (9, 5)])
def test_small_bicliques_on_working_graphs(family, sizes):
    graph = with_dead_qubits(topology_graph(f"{family}-4"), 3, seed=1)
    source = Structure.layered(*sizes)
    found = find_biclique(source, two_sides(source), graph, seed=0)
    found.verify(source, graph)
    best = find_minor_embedding(source, graph)
    best.verify(source, graph)
    assert best.num_qubits <= found.num_qubits or source.num_variables > 12


def test_a_graph_without_couplers_has_no_biclique():
    graph = topology_graph("zephyr-1")
    graph.remove_edges_from(list(graph.edges))
    source = Structure.layered(1, 1)
    assert find_biclique(source, two_sides(source), graph, seed=0) is None


def test_a_restricted_machine_has_even_chains_where_qubits_are_dead():
    graph = with_dead_qubits(topology_graph("zephyr-12"), 96, seed=1)
    found = find_minor_embedding(Structure.layered(64, 32), graph)
    found.verify(Structure.layered(64, 32), graph)
    assert found.longest_chain <= 6


def test_sides_of_layers_components_and_odd_rings():
    deep = two_sides(Structure.layered(5, 3, 2))
    assert deep == ((0, 1, 2, 3, 4, 8, 9), (5, 6, 7))
    # a lone variable, and a star whose leaves are the larger part
    assert two_sides(Structure(5, [[0, 1], [0, 2], [0, 3]])) == ((1, 2, 3, 4), (0,))
    assert two_sides(RING) is None
    assert Structure.layered(2, 1, 2).edges.tolist() == [[0, 2], [1, 2], [2, 3], [2, 4]]


def test_deep_layers_and_other_labels_embed():
    import dwave.graphs

    graph = dwave.graphs.zephyr_graph(3, coordinates=True)
    source = Structure.layered(9, 8, 7)
    find_minor_embedding(source, graph).verify(source, graph)


def test_shipped_bicliques_serve_smaller_ones():
    assert {item.source for item in shipped_embeddings() if item.target == "zephyr-12"} == {
        "K46",
        "K74",
        "K64,32",
        "K74,128",
    }
    load_embedding("zephyr-12", "K42,74").verify(Structure.layered(42, 74), topology_graph("zephyr-12"))
    assert find_minor_embedding(Structure.layered(64, 32), "zephyr-12") == load_embedding("zephyr-12", "K64,32")
    # the sides may be the other way round
    turned = find_minor_embedding(Structure.layered(32, 64), "zephyr-12")
    turned.verify(Structure.layered(32, 64), topology_graph("zephyr-12"))
    with pytest.raises(ValueError, match="got 'K200,5' on 'zephyr-12'"):
        load_embedding("zephyr-12", "K200,5")


# copies


@pytest.mark.parametrize(
    ("source", "least"),
    [(Structure.complete(4), 60), (Structure.layered(8, 8), 5), (Structure(8, []), 40), (RING, 60)],
    ids=["K4", "K8,8", "lone", "ring"],
)
def test_copies_share_no_qubit_and_each_holds(source, least):
    graph = with_dead_qubits(topology_graph("zephyr-4"), 60, seed=0)
    found = parallel_embeddings(source, graph)
    assert len(found) >= least
    for one in found:
        one.verify(source, graph)
    qubits = [q for one in found for chain in one.chains for q in chain]
    assert len(qubits) == len(set(qubits))
    assert found == parallel_embeddings(source, graph)
    assert parallel_embeddings(source, graph, num_copies=3) == found[:3]
    assert parallel_embeddings(source, graph, at_most=2) == found[:2]


def test_copies_on_a_graph_of_no_known_topology():
    found = parallel_embeddings(Structure.complete(2), nx.path_graph(8))
    assert 3 <= len(found) <= 4


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"num_copies": 9}, "9 copies .* found 4"),
        ({"num_copies": 0}, "num_copies .* got 0"),
        ({"at_most": 0}, "at_most"),
    ],
)
def test_too_many_copies_are_refused(keywords, says):
    with pytest.raises((EmbeddingError, ValueError), match=says):
        parallel_embeddings(Structure.layered(1, 1), "chimera-1", **keywords)


# repair


@pytest.fixture(scope="module")
def k20(zephyr):
    return find_minor_embedding(Structure.complete(20), zephyr)


def without(graph, qubits):
    rest = graph.copy()
    rest.remove_nodes_from(qubits)
    return rest


@pytest.mark.parametrize("num_dead", [1, 3])
def test_a_repair_keeps_the_chains_that_hold(zephyr, k20, num_dead):
    source = Structure.complete(20)
    dead = [k20.chains[v][1] for v in range(num_dead)]
    repair = repair_embedding(k20, source, without(zephyr, dead))
    repair.embedding.verify(source, without(zephyr, dead))
    assert repair.method == "found in part"
    assert repair.gone == tuple(dead)
    assert len(repair.kept) >= 20 - 2 * num_dead
    assert sorted((*repair.kept, *repair.trimmed, *repair.moved)) == list(range(20))
    for v in repair.kept:
        assert set(repair.embedding.chains[v]) == set(k20.chains[v])
    assert repair == repair_embedding(k20, source, without(zephyr, dead))


def test_what_holds_is_left_alone_and_spare_ends_are_cut_off(zephyr, k20):
    source = Structure.complete(20)
    idle = next(q for q in zephyr if all(q not in chain for chain in k20.chains))
    same = repair_embedding(k20, source, without(zephyr, [idle]))
    assert (same.embedding, same.method, same.gone) == (k20, "unchanged", ())
    path = nx.path_graph(5)
    cut = repair_embedding(MinorEmbedding(((0, 1), (2, 3, 4))), Structure.complete(2), without(path, [4]))
    assert cut.embedding.chains == ((0, 1), (2, 3))
    assert (cut.method, cut.kept, cut.trimmed, cut.moved, cut.gone) == ("trimmed", (0,), (1,), (), (4,))


def test_a_repair_that_cannot_be_in_part_is_anew(zephyr, k20):
    source = Structure.complete(20)
    many = [chain[0] for chain in k20.chains[:12]]
    anew = repair_embedding(k20, source, without(zephyr, many))
    anew.embedding.verify(source, without(zephyr, many))
    assert anew.method == "found anew"
    short = repair_embedding(k20, source, without(zephyr, [k20.chains[0][1]]), longest_chain=1)
    assert short.method == "found anew"
    with pytest.raises(EmbeddingError, match="20 chains for 3 variables"):
        repair_embedding(k20, Structure.complete(3), zephyr)
    with pytest.raises(EmbeddingError, match="at least as many qubits"):
        repair_embedding(k20, source, nx.path_graph(4))
    with pytest.raises(ValueError, match=r"longest_chain .* got 0"):
        repair_embedding(k20, source, zephyr, longest_chain=0)


# statistics


def test_statistics_count_what_is_there():
    # a triangle whose first variable has the chain 0-1-2
    target = nx.Graph([(0, 1), (1, 2), (0, 3), (2, 4), (3, 4), (1, 3)])
    embedded = embed_structure(Structure.complete(3), target, embedding={0: [0, 1, 2], 1: [3], 2: [4]})
    found = embedding_statistics(embedded)
    assert (found.num_variables, found.num_edges, found.num_qubits) == (3, 3, 5)
    assert (found.couplers_in_chains, found.couplers_between) == (2, 4)
    assert found.chain_length == (1, 5 / 3, 3)
    assert found.lengths == ((1, 2), (3, 1))
    assert found.variable_degree == (2, 2.0, 2)
    assert found.qubit_degree == (2, 12 / 5, 3)
    assert found.couplers_per_edge == (1, 4 / 3, 2)
    assert found.to_dict()["lengths"] == {1: 2, 3: 1}


def test_chain_breaks_are_counted_with_their_errors():
    target = nx.path_graph(5)
    embedded = EmbeddedStructure.build(MinorEmbedding(((0, 1), (2, 3, 4))), Structure.complete(2), target)
    reads = np.array([[1, 1, 1, 1, 1], [1, -1, 1, 1, 1], [1, 1, -1, 1, -1], [1, -1, 1, -1, 1]], np.int8)
    found = chain_break_statistics(embedded, reads)
    assert (found.num_reads, found.fraction, found.intact_reads) == (4, 0.5, 0.25)
    assert found.fraction_error == pytest.approx(np.std([0, 0.5, 0.5, 1], ddof=1) / 2)
    assert found.intact_reads_error == pytest.approx(np.sqrt(0.25 * 0.75 / 4))
    np.testing.assert_array_equal(found.by_variable, [0.5, 0.5])
    assert found.by_length == ((2, 0.5), (3, 0.5))
    with pytest.raises(ValueError, match="at least one read; got none"):
        chain_break_statistics(embedded, reads[:0])


# chain strengths


def test_rules_are_upstreams():
    model = IsingModel({"a": 0.7, "b": -2.1, "c": 0.0}, {("a", "b"): 0.9, ("b", "c"): -1.3})
    for ours, theirs in [
        (UniformTorqueCompensation(), upstream.uniform_torque_compensation),
        (UniformTorqueCompensation(3.0), lambda bqm: upstream.uniform_torque_compensation(bqm, prefactor=3.0)),
        (ScaledStrength(), upstream.scaled),
    ]:
        assert ours(model.structure, model.parameters) == pytest.approx(theirs(model.to_bqm()))
    lone = Structure(2, [])
    assert UniformTorqueCompensation()(lone, lone.zeros()) == ScaledStrength()(lone, lone.zeros()) == 1.0
    assert FixedStrength(0.3)(model.structure, model.parameters) == 0.3


@pytest.mark.parametrize("make", [FixedStrength, ScaledStrength, UniformTorqueCompensation])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_strengths_are_above_zero(make, value):
    with pytest.raises(ValueError, match=f"above 0; got {value}"):
        make(value)


# unembedding


@pytest.fixture(scope="module")
def broken():
    """K6 on Chimera, and reads of random qubits: most chains are broken."""
    embedded = embed_structure(Structure.complete(6), "chimera-2")
    rng = np.random.default_rng(0)
    reads = rng.choice([-1, 1], (400, embedded.physical.num_variables)).astype(np.int8)
    return embedded, reads, Parameters(rng.normal(size=6), rng.normal(size=15))


def test_rules_agree_where_no_chain_is_broken(broken):
    embedded, _, parameters = broken
    spins = np.random.default_rng(1).choice([-1, 1], (50, 6)).astype(np.int8)
    for rule in ("majority", "weighted-random", "minimize-energy", "discard"):
        found = unembed(embedded, embedded.encode(spins), rule, parameters=parameters, seed=3)
        np.testing.assert_array_equal(found.spins, spins)
        np.testing.assert_array_equal(found.kept, np.arange(50))
        assert not found.broken.any()


def test_minimize_energy_and_discard_are_upstreams(broken):
    embedded, reads, parameters = broken
    bqm = IsingModel.from_parameters(embedded.source, parameters).to_bqm()
    embedding = embedded.embedding.to_mapping()
    samples = (reads, list(embedded.physical.labels))
    chains = [embedding[v] for v in range(6)]
    ours = unembed(embedded, reads, "minimize-energy", parameters=parameters)
    theirs, _ = dwave.embedding.MinimizeEnergy(bqm, embedding)(samples, chains)
    np.testing.assert_array_equal(ours.spins, theirs)
    majority = unembed(embedded, reads).spins
    assert (ours.spins != majority).any(axis=1).mean() > 0.3
    intact = ~ours.broken
    np.testing.assert_array_equal(ours.spins[intact], majority[intact])
    kept, which = dwave.embedding.discard(samples, chains)
    found = unembed(embedded, reads, "discard")
    np.testing.assert_array_equal(found.spins, kept)
    np.testing.assert_array_equal(found.kept, which)


def test_minimize_energy_without_pull_keeps_the_majority(broken):
    embedded, reads, _ = broken
    found = unembed(embedded, reads, "minimize-energy", parameters=embedded.source.zeros())
    np.testing.assert_array_equal(found.spins, unembed(embedded, reads).spins)


def test_weighted_random_follows_the_weights(broken):
    embedded = EmbeddedStructure.build(MinorEmbedding(((0, 1, 2, 3),)), Structure(1, []), nx.path_graph(4))
    reads = np.tile(np.array([1, -1, -1, -1], np.int8), (4000, 1))
    ups = (unembed(embedded, reads, "weighted-random", seed=1).spins > 0).sum()
    # 5 standard deviations: one false alarm in 1.7 million
    assert abs(ups - 1000) < 5 * np.sqrt(4000 * 0.25 * 0.75)
    whole, rows = broken[:2]
    first = unembed(whole, rows[:5], "weighted-random", seed=2).spins
    np.testing.assert_array_equal(unembed(whole, rows, "weighted-random", seed=2).spins[:5], first)


def test_unembedding_says_what_is_wrong(broken):
    embedded, reads, _ = broken
    with pytest.raises(ValueError, match="'discard'; got 'vote'"):
        unembed(embedded, reads, "vote")
    with pytest.raises(ValueError, match="parameters None"):
        unembed(embedded, reads, "minimize-energy")


def test_a_clamp_of_variables_is_one_of_their_qubits(broken):
    embedded, reads, _ = broken
    spins = unembed(embedded, reads).spins[:, [4, 1]]
    known = np.random.default_rng(2).integers(0, 2, spins.shape).astype(bool)
    clamp = embedded.encode_clamp(Clamp(np.array([4, 1]), spins, known))
    assert set(embedded.chain_of[clamp.variables]) == {1, 4}
    assert len(clamp.variables) == len(embedded.embedding.chains[1]) + len(embedded.embedding.chains[4])
    for qubit, column, mask in zip(clamp.variables, clamp.spins.T, clamp.known.T, strict=True):
        which = 0 if embedded.chain_of[qubit] == 4 else 1
        np.testing.assert_array_equal(column, spins[:, which])
        np.testing.assert_array_equal(mask, known[:, which])
