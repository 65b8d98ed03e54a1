"""Parallel tempering: its distribution, its ladder, its cluster moves, its learner's door."""

from itertools import combinations

import dimod
import dwave.graphs
import numpy as np
import pytest

from annealnn import ExactSampler, GibbsSampler, ParallelTemperingSampler, SimulatedAnnealingSampler
from annealnn.kernels.tempering import flip_clusters
from annealnn.learning import Descent, Learner, Rows, VisiblePhase, checkpoint
from annealnn.models import Clamp, Structure, terms_of_bqm
from annealnn.registry import SamplerSpec, open_compiled
from annealnn.samplers import streams_from_seed
from annealnn.samplers._couplings import SparseCouplings
from annealnn.samplers._ladder import LadderRequest, choose_ladder
from annealnn.samplers._tiles import Tiles
from annealnn.testing import LOPSIDED, boltzmann_pvalue
from annealnn.testing._sampler_checks import FRUSTRATED

FALSE_ALARM = 1e-6  # per test, by design; seeds are fixed, so a pass stays a pass
BETA, NUM_READS, NUM_SWEEPS = 1.5, 10_000, 100

# two cliques of five aligned spins: to turn one costs 12, and their two orders are not equally likely
RUGGED = dimod.BQM.from_ising(
    {0: 0.2, 7: -0.35},
    {pair: -1.0 for k in (0, 5) for pair in combinations(range(k, k + 5), 2)} | {(2, 8): 0.15},
)

# frustrated rings with a chord, without and with fields
EVEN = dimod.BQM.from_ising({}, {(k, k + 1): (-1) ** (k // 2) * 0.7 for k in range(9)} | {(0, 5): 0.4, (0, 9): -0.6})
UNEVEN = dimod.BQM.from_ising({k: 0.3 - 0.1 * k for k in range(10)}, EVEN.quadratic)


def glass(graph, seed=0):
    rng = np.random.default_rng(seed)
    return dimod.BQM.from_ising({}, {edge: float(rng.choice([-1.0, 1.0])) for edge in graph.edges})


@pytest.fixture(scope="module")
def chimera():
    return glass(dwave.graphs.chimera_graph(4))


@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"cluster_moves": True},
        {"num_replicas": 12},
        {"betas": [0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.5]},
        {"beta_range": (0.05, 2.0)},
        {"beta_range": (0.05, 2.0), "cluster_moves": True},
    ],
)
def test_matches_boltzmann_where_sweeps_at_one_beta_do_not(keywords):
    draw = {"num_reads": NUM_READS, "num_sweeps": NUM_SWEEPS, "beta": BETA, "seed": 1}
    found = ParallelTemperingSampler().sample(RUGGED, **draw, **keywords)
    assert found.info["beta"] == BETA
    assert boltzmann_pvalue(found, RUGGED, BETA) > FALSE_ALARM
    # these must fail, or the check above could not see anything
    assert boltzmann_pvalue(found, RUGGED, 0.8 * BETA) < FALSE_ALARM
    assert boltzmann_pvalue(found, RUGGED * -1, BETA) < FALSE_ALARM
    assert boltzmann_pvalue(GibbsSampler().sample(RUGGED, **draw), RUGGED, BETA) < FALSE_ALARM


@pytest.mark.parametrize("bqm", [LOPSIDED, FRUSTRATED, EVEN, UNEVEN])
@pytest.mark.parametrize("betas", [[0.8], [0.3, 0.8]])
def test_cluster_moves_and_sweeps_match_boltzmann(bqm, betas):
    found = ParallelTemperingSampler().sample(
        bqm, num_reads=NUM_READS, num_sweeps=50, betas=betas, cluster_moves=True, seed=2
    )
    assert boltzmann_pvalue(found, bqm, 0.8) > FALSE_ALARM
    assert boltzmann_pvalue(found, bqm, 1.0) < FALSE_ALARM


@pytest.mark.parametrize("bqm", [EVEN, UNEVEN])
def test_cluster_moves_alone_leave_the_distribution_as_it_is(bqm):
    fields = bqm is UNEVEN
    structure, parameters, _ = terms_of_bqm(bqm)
    exact = ExactSampler().sample(bqm, num_reads=40_000, seed=3)
    columns = [exact.variables.index(label) for label in structure.labels]
    start = np.ascontiguousarray(exact.record.sample[:, columns])

    def pvalue_after(even):
        tiles, sparse = Tiles(start, streams_from_seed(4, 40_000)), SparseCouplings.of(structure)
        holders, counts = np.arange(40_000).reshape(-1, 1), [np.zeros((20_000, 1), np.int64) for _ in range(2)]
        scratch = np.empty(10, np.uint32), np.empty(10, np.uint8)
        for _ in range(5):
            rungs = np.zeros(1, np.int64)
            flip_clusters(
                tiles.bits, tiles.streams, holders, rungs, even, sparse.indptr, sparse.indices, *scratch, *counts
            )
        after, words = np.empty_like(start), np.empty((40_000, 4), np.uint32)
        tiles.unpack(after, words)
        # the move does something
        assert (after != start).any(axis=1).mean() > 0.5
        energies = [structure.energies(parameters, rows).reshape(-1, 2).sum(axis=1) for rows in (start, after)]
        if not fields or not even:
            np.testing.assert_allclose(*energies, atol=1e-9)
        # the two copies are no longer paired as they were, each is still distributed as it was
        return boltzmann_pvalue(dimod.SampleSet.from_samples((after[::2], structure.labels), "SPIN", 0.0), bqm, 1.0)

    assert pvalue_after(even=not fields) > FALSE_ALARM
    if fields:
        # clusters of spins that are the same must not be flipped where the energy is not even
        assert pvalue_after(even=True) < FALSE_ALARM


def test_ladder_is_even_and_holds_the_beta_of_the_reads(chimera):
    info = ParallelTemperingSampler().sample(chimera, num_reads=16, num_sweeps=400, beta=3.0, seed=5).info
    assert info["betas"][-1] == info["beta"] == 3.0
    acceptance = np.array(info["swap_acceptance"])
    assert len(acceptance) == len(info["betas"]) - 1 > 5
    # the last pair is the rest of the length
    assert ((acceptance > 0.2) & (acceptance < 0.45))[:-1].all()
    assert info["round_trips"] > 0.1
    assert info["cluster_betas"]
    inside = ParallelTemperingSampler().sample(chimera, beta=1.0, beta_range=(0.1, 3.0), num_sweeps=10, seed=5).info
    assert inside["betas"][0] == 0.1
    assert inside["betas"][-1] == 3.0
    assert 1.0 in inside["betas"]
    nine = ParallelTemperingSampler().sample(chimera, beta=3.0, num_replicas=9, num_sweeps=400, seed=5).info
    assert len(nine["betas"]) == 9
    assert np.ptp(nine["swap_acceptance"]) < 0.25


def test_no_ladder_where_single_sweeps_forget():
    fields_only = dimod.BQM.from_ising({"a": 2.0, "b": -1.0}, {})
    for bqm, beta in ((fields_only, 5.0), (LOPSIDED, 0.1), (LOPSIDED, 0.0)):
        info = ParallelTemperingSampler().sample(bqm, beta=beta, num_sweeps=5, seed=0).info
        assert info["betas"] == [beta]
        assert info["swap_acceptance"] == []


def test_reads_depend_neither_on_their_number_nor_on_threads(chimera):
    def draw(num_reads, **keywords):
        return ParallelTemperingSampler().sample(
            chimera, num_reads=num_reads, num_sweeps=20, beta=2.0, seed=6, **keywords
        )

    three, seven = draw(3), draw(7)
    assert seven.info["cluster_betas"]
    np.testing.assert_array_equal(three.record.sample, seven.record.sample[:3])
    for threads in (1, 2):
        again = draw(7, num_threads=threads)
        np.testing.assert_array_equal(again.record.sample, seven.record.sample)
        assert again.info["swap_acceptance"] == seven.info["swap_acceptance"]
    plain = draw(7, cluster_moves=False)
    assert not np.array_equal(plain.record.sample, seven.record.sample)


@pytest.mark.parametrize(
    ("graph", "beta"), [(dwave.graphs.chimera_graph(8), 3.0), (dwave.graphs.pegasus_graph(3), 2.0)]
)
def test_finds_energies_as_low_as_an_annealer_of_as_many_sweeps(graph, beta):
    bqm = glass(graph, seed=1)
    found = ParallelTemperingSampler().sample(bqm, num_reads=4, num_sweeps=500, beta=beta, seed=7)
    num_rows = len(found.info["betas"]) * (2 if found.info["cluster_betas"] else 1)
    annealed = SimulatedAnnealingSampler().sample(
        bqm, num_reads=4 * num_rows, num_sweeps=500, beta_range=(0.1, beta), seed=7
    )
    assert found.first.energy <= annealed.first.energy
    assert found.record.energy.mean() < annealed.record.energy.mean()


# -- the learner's door --------------------------------------------------------------------------------------------


def door(want="spins", **keywords):
    structure, parameters, _ = terms_of_bqm(RUGGED)
    spec = SamplerSpec("tempering", keywords)
    return structure, parameters, open_compiled(spec, structure, default=spec, want=want)


@pytest.mark.parametrize("cluster_moves", [False, True])
def test_particles_follow_the_distribution_at_beta_1(cluster_moves):
    structure, parameters, compiled = door(num_replicas=8, num_sweeps=5, cluster_moves=cluster_moves)
    num_rows = 16 if cluster_moves else 8
    state = compiled.init(5_000, 1)
    assert state.spins.shape == (num_rows * 5_000, structure.num_variables)
    state = compiled.advance(parameters, state, 30)
    assert state.streams.shape == (num_rows * 5_000, 4)
    reads = dimod.SampleSet.from_samples((compiled.reads(state), structure.labels), "SPIN", 0.0)
    assert len(reads) == 5_000
    assert boltzmann_pvalue(reads, RUGGED, 1.0) > FALSE_ALARM
    assert boltzmann_pvalue(reads, RUGGED, 0.8) < FALSE_ALARM


@pytest.mark.parametrize("cluster_moves", [False, True])
def test_clamped_reads_match_the_conditional(cluster_moves):
    structure, parameters, compiled = door(num_sweeps=60, cluster_moves=cluster_moves)
    held = np.full((10_000, 2), [-1, 1], np.int8)
    step = compiled.step(parameters, compiled.init(len(held), 3), Clamp(np.array([1, 7]), held))
    labels = structure.labels
    np.testing.assert_array_equal(step.spins[:, [1, 7]], held)
    rest = RUGGED.copy()
    rest.fix_variables({labels[1]: -1, labels[7]: 1})
    columns = [labels.index(label) for label in rest.variables]
    reads = dimod.SampleSet.from_samples((step.spins[:, columns], list(rest.variables)), "SPIN", 0.0)
    assert boltzmann_pvalue(reads, rest, 1.0) > FALSE_ALARM
    assert boltzmann_pvalue(reads, rest * -1, 1.0) < FALSE_ALARM


def test_advance_equals_steps_and_moments_are_those_of_the_reads():
    structure, parameters, compiled = door("moments", num_sweeps=3, betas=[0.1, 0.5, 1.0, 2.0], cluster_moves=True)
    state = compiled.init(40, 2)
    first = compiled.step(parameters, state)
    second = compiled.step(parameters, first.state)
    for a, b in zip(second.state, compiled.advance(parameters, state, 2), strict=True):
        np.testing.assert_array_equal(a, b)
    assert second.spins.shape == (40, structure.num_variables)
    np.testing.assert_array_equal(second.spins, compiled.reads(second.state))
    np.testing.assert_array_equal(second.spins, second.state.spins[2::8])
    for found, expected in zip(second.moments, structure.moments_of(second.spins), strict=True):
        np.testing.assert_allclose(found, expected)
    assert len(second.info["swap_acceptance"]) == 3


def test_a_resumed_learner_equals_an_unbroken_one(tmp_path):
    structure, _, compiled = door("moments", num_replicas=5)
    n = structure.num_variables
    learner = Learner(
        Descent(learning_rate=0.1, num_epochs=6), compiled, VisiblePhase(structure, n), num_particles=20, seed=4
    )
    rows = Rows(np.where(np.random.default_rng(0).random((30, n)) < 0.6, 1, -1).astype(np.int8))

    def run(state, count):
        for _ in range(count):
            state = learner.epoch(state, rows)[0]
        return state

    unbroken = run(learner.init(rows), 6)
    checkpoint.save(tmp_path, run(learner.init(rows), 3), structure, {})
    resumed = run(checkpoint.load(tmp_path, structure)[0], 3)
    for part in ("parameters", "velocity", "sampler"):
        for a, b in zip(getattr(unbroken, part), getattr(resumed, part), strict=True):
            np.testing.assert_array_equal(a, b)


# -- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"betas": [0.5, 0.2]}, r"betas rise, hot to cold; got 0.5 before 0.2"),
        ({"betas": [0.5, 0.5]}, r"betas rise, hot to cold; got 0.5 before 0.5"),
        ({"betas": []}, r"one or more finite numbers, at least 0; got \[\]"),
        ({"betas": [0.1, float("nan")]}, r"finite numbers, at least 0; got \[0.1, nan\]"),
        ({"betas": [-0.1, 1.0]}, r"at least 0; got \[-0.1, 1.0\]"),
        ({"betas": "cold"}, r"betas is a list .* got 'cold'"),
        ({"betas": [0.1, 1.0], "beta": 0.5}, r"one of the ladder's betas; got beta=0.5"),
        ({"betas": [0.1, 1.0], "num_replicas": 2}, r"not by both; got num_replicas=2"),
        ({"betas": [0.1, 1.0], "beta_range": (0.1, 1.0)}, r"not by both; got beta_range="),
        ({"beta_range": (1.0, 0.1)}, r"hot to cold, 0 <= start <= beta <= stop; got beta_range=\(1.0, 0.1\)"),
        ({"beta_range": (0.1, 1.0), "beta": 2.0}, r"got beta_range=\(0.1, 1.0\), beta=2.0"),
        ({"beta_range": 1.0}, r"beta_range is a pair of numbers; got 1.0"),
        ({"beta_range": (0.1, 2.0), "beta": 1.0, "num_replicas": 2}, r"at least 3 here; got num_replicas=2"),
        ({"num_replicas": 0}, r"num_replicas is a whole number of at least 1; got 0"),
        ({"num_replicas": 2.5}, r"num_replicas is a whole number of at least 1; got 2.5"),
        ({"beta": float("inf")}, r"beta is a finite number, at least 0; got inf"),
        ({"cluster_moves": "yes"}, r"cluster_moves is one of True, False, 'auto'; got 'yes'"),
        ({"num_threads": 0}, r"num_threads is a whole number of at least 1; got 0"),
    ],
)
def test_bad_values_are_refused_before_any_work(keywords, said, monkeypatch):
    monkeypatch.setattr("annealnn.samplers._tempering.choose_ladder", None)
    with pytest.raises(ValueError, match=said):
        ParallelTemperingSampler().sample(LOPSIDED, **keywords)


def test_the_door_refuses_bad_values():
    for keywords, said in (
        ({"num_replicas": 0}, "num_replicas"),
        ({"num_sweeps": 0}, "num_sweeps"),
        ({"betas": [1.0, 0.5]}, "betas rise"),
        ({"betas": [0.1, 0.5]}, "one of the ladder's betas"),
        ({"beta": -1.0}, "beta is a finite number"),
        ({"betas": [0.1, 1.0], "num_replicas": 2}, "not by both; got num_replicas=2"),
        ({"cluster_moves": "auto"}, "cluster_moves is one of True, False"),
    ):
        with pytest.raises(ValueError, match=said):
            door(**keywords)


def test_the_most_replicas_are_kept_to(monkeypatch, chimera):
    monkeypatch.setattr("annealnn.samplers._ladder.MOST_REPLICAS", 4)
    structure, parameters, _ = terms_of_bqm(chimera)
    ladder = choose_ladder(structure, parameters, 0, LadderRequest.of(3.0, None, None, None), cluster_moves=False)
    assert len(ladder.betas) == 4


def test_problems_without_variables_or_couplings():
    for structure in (Structure(0, np.empty((0, 2), int)), Structure(3, np.empty((0, 2), int))):
        compiled = ParallelTemperingSampler().compile(structure, cluster_moves=True)
        step = compiled.step(structure.zeros(), compiled.init(4, 0))
        assert step.spins.shape == (4, structure.num_variables)
    for linear in ({}, {"a": 1.0}):
        bqm = dimod.BQM.from_ising(linear, {})
        found = ParallelTemperingSampler().sample(bqm, beta_range=(0.0, 2.0), num_sweeps=3, cluster_moves=True)
        assert found.info["betas"][0] == 0.0
        assert found.info["betas"][-1] == 2.0
