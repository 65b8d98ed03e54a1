"""Problems embedded in a graph, and packed side by side on one."""

import json

import dimod
import networkx as nx
import numpy as np
import pytest
from dwave.system.testing import MockDWaveSampler

from annealnn import BoltzmannMachine
from annealnn.embeddings import MinorEmbedding, ScaledStrength, topology_graph, unembed
from annealnn.exceptions import EmbeddingError
from annealnn.models import Clamp, IsingModel, Moments, Parameters, Structure, bqm_of_terms, terms_of_bqm
from annealnn.samplers import (
    EmbeddedSampler,
    ExactSampler,
    GaugeComposite,
    GibbsSampler,
    PackedSampler,
    SimulatedAnnealingSampler,
    compile_sampler,
)
from annealnn.testing import LOPSIDED, boltzmann_pvalue
from annealnn.testing._sampler_checks import FRUSTRATED
from annealnn.testing._statistics import FALSE_ALARM, chi_square_pvalue

TRIANGLE = dimod.BQM({"a": 0.4, "b": -0.2, "c": 0.3}, {"ab": 0.9, "bc": -0.5, "ac": 0.7}, 0.5, "SPIN")
# three qubits to a copy, nothing to spare: no chains, so that reads are exact
CELLS = nx.disjoint_union_all([nx.path_graph(3)] * 4)
FEW = 4000


class Recorder(dimod.Sampler):
    """Draws exactly, keeps what it was asked, and states a processor's ranges."""

    properties = parameters = None  # dimod's own way: set when made

    def __init__(self):
        self.properties = {"h_range": [-4.0, 4.0], "extended_j_range": [-2.0, 1.0]}
        self.parameters = {**ExactSampler().parameters, "auto_scale": []}
        self.asked = []

    def sample(self, bqm, *, auto_scale=True, **keywords):
        self.asked.append((bqm.copy(), keywords | {"auto_scale": auto_scale}))
        return ExactSampler().sample(bqm, **keywords)


def embedded_truth(bqm, embedded, strength, rule):
    """Return the distribution of decoded reads over states, (2**n,), by enumeration of the qubits."""
    structure, parameters, _ = terms_of_bqm(bqm)
    physical = embedded.spread(parameters, chain_coupling=strength)
    n, num_qubits = structure.num_variables, embedded.physical.num_variables
    states = 1 - 2 * ((np.arange(2**num_qubits)[:, None] >> np.arange(num_qubits)) & 1)
    energies = embedded.physical.energies(physical, states)
    weights = np.exp(energies.min() - energies)
    found = unembed(embedded, states.astype(np.int8), rule, parameters=parameters)
    counts = np.bincount((found.spins > 0) @ (1 << np.arange(n)), weights[found.kept], minlength=2**n)
    return counts / counts.sum()


def states_pvalue(spins, truth):
    n = spins.shape[1]
    observed = np.bincount((spins > 0) @ (1 << np.arange(n)), minlength=2**n).astype(float)
    return chi_square_pvalue(observed, truth * len(spins))


# one embedding


@pytest.mark.parametrize("rule", ["majority", "minimize-energy", "discard"])
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_decoded_reads_are_those_of_the_qubits(rule, vartype):
    bqm = TRIANGLE.change_vartype(vartype, inplace=False)
    sampler = EmbeddedSampler(ExactSampler(), target="chimera-1", unembedding=rule)
    found = sampler.sample(bqm, num_reads=FEW, chain_strength=0.6, seed=1)
    embedded = sampler.embed(terms_of_bqm(bqm)[0])
    assert embedded.embedding.num_qubits == 4
    spins = 2 * (found.record.sample > 0).astype(np.int8) - 1
    assert states_pvalue(spins, embedded_truth(bqm, embedded, 0.6, rule)) > FALSE_ALARM
    assert states_pvalue(spins, embedded_truth(bqm, embedded, 1.2, rule)) < FALSE_ALARM or rule == "discard"
    assert states_pvalue(spins, embedded_truth(bqm * -1, embedded, 0.6, rule)) < FALSE_ALARM
    assert found.record.energy == pytest.approx(bqm.energies((found.record.sample, found.variables)))
    assert 0.05 < found.info["chain_break_fraction"] < 0.2
    assert len(found) == FEW - found.info["discarded"]
    assert (found.info["discarded"] > 0) == (rule == "discard")
    assert (found.record.chain_break_fraction > 0).any() == (rule != "discard")
    json.dumps(found.info)


def test_strong_chains_give_the_problems_own_distribution():
    sampler = EmbeddedSampler(ExactSampler(), target="chimera-2")
    found = sampler.sample(TRIANGLE, num_reads=FEW, chain_strength=12.0, seed=0)
    assert boltzmann_pvalue(found, TRIANGLE, 1.0) > FALSE_ALARM
    weak = sampler.sample(TRIANGLE, num_reads=FEW, chain_strength=0.1, seed=0)
    assert boltzmann_pvalue(weak, TRIANGLE, 1.0) < FALSE_ALARM


def test_context_is_spelled_as_dwave_system_does():
    given = {"a": [0, 4], "b": [1], "c": [5], "spare": [2]}
    sampler = EmbeddedSampler(ExactSampler(), target="chimera-1", embedding=given, chain_strength=ScaledStrength(2.0))
    context = sampler.sample(TRIANGLE, num_reads=3).info["embedding_context"]
    assert context["embedding"] == {"a": [0, 4], "b": [1], "c": [5]}
    assert context["chain_strength"] == pytest.approx(1.8)
    assert context["chain_break_method"] == "majority"
    in_order = MinorEmbedding(((0, 4), (1,), (5,)))
    also = EmbeddedSampler(ExactSampler(), target="chimera-1", embedding=in_order).sample(TRIANGLE, num_reads=1)
    assert also.info["embedding_context"]["embedding"] == context["embedding"]


def test_an_embedding_is_found_once(monkeypatch):
    import annealnn.samplers.composites._embedded as module

    asked = []
    real = module.embed_structure
    monkeypatch.setattr(module, "embed_structure", lambda *a, **k: asked.append(k["embedding"]) or real(*a, **k))
    sampler = EmbeddedSampler(GibbsSampler(), target="chimera-2")
    for scale in (1.0, 2.0):
        sampler.sample(TRIANGLE * scale, num_reads=2)
    assert asked[0] is None
    assert asked[1] is not None


def test_a_processors_own_graph_is_taken():
    graph = topology_graph("zephyr-2")
    child = MockDWaveSampler(
        nodelist=sorted(graph), edgelist=sorted(graph.edges), topology_type="zephyr", topology_shape=[2, 4]
    )
    for sampler in (EmbeddedSampler(child), EmbeddedSampler(GaugeComposite(child))):
        found = sampler.sample(TRIANGLE, num_reads=4)
        assert (len(found), found.info["seed"]) == (4, None) or isinstance(sampler.child, GaugeComposite)
        assert not hasattr(sampler, "nodelist")
        assert sampler._graph.graph["family"] == "zephyr"


def test_initial_states_reach_the_chains():
    child = SimulatedAnnealingSampler()
    sampler = EmbeddedSampler(child, target="chimera-2")
    low = dimod.BQM(dict.fromkeys("abc", 0.0), dict.fromkeys(("ab", "bc", "ac"), -20.0), 0.0, "SPIN")
    for value in (-1, 1):
        start = dict.fromkeys("abc", value)
        found = sampler.sample(
            low, num_reads=1, initial_states=start, beta_range=(5.0, 5.0), num_sweeps=1, chain_strength=20.0
        )
        assert (found.record.sample == value).all()


def test_weighted_random_draws_for_each_read():
    sampler = EmbeddedSampler(ExactSampler(), target="chimera-1", unembedding="weighted-random")
    found = sampler.sample(TRIANGLE, num_reads=FEW, chain_strength=0.01, seed=3)
    again = sampler.sample(TRIANGLE, num_reads=FEW, chain_strength=0.01, seed=3)
    np.testing.assert_array_equal(found.record.sample, again.record.sample)
    first = sampler.sample(TRIANGLE, num_reads=7, chain_strength=0.01, seed=3)
    np.testing.assert_array_equal(found.record.sample[:7], first.record.sample)


# the learner's door


@pytest.mark.parametrize("sampler", [EmbeddedSampler, PackedSampler])
def test_learners_get_the_same_distribution(sampler):
    structure, parameters, _ = terms_of_bqm(TRIANGLE)
    compiled = compile_sampler(sampler(ExactSampler(), target="chimera-1", chain_strength=0.6), structure)
    step = compiled.step(parameters, compiled.init(FEW, 5))
    made = sampler(ExactSampler(), target="chimera-1")
    # copies differ in which variable has the long chain
    used = [made.embed(structure)] if sampler is EmbeddedSampler else made.copies(structure).embedded
    for strength, holds in ((0.6, True), (1.2, False)):
        truth = np.mean([embedded_truth(TRIANGLE, one, strength, "majority") for one in used], axis=0)
        assert (states_pvalue(step.spins, truth) > FALSE_ALARM) == holds
    other = compiled.step(parameters, step.state)
    assert not np.array_equal(step.spins, other.spins)
    np.testing.assert_array_equal(step.spins, compiled.step(parameters, compiled.init(FEW, 5)).spins)
    np.testing.assert_array_equal(step.spins[:9], compiled.step(parameters, compiled.init(9, 5)).spins)


@pytest.mark.parametrize("sampler", [EmbeddedSampler, PackedSampler])
def test_a_learners_chain_strength_does_not_drift(sampler):
    structure = Structure.complete(3)
    made = sampler(Recorder(), target="chimera-1")
    for compiled, drifts in [
        (made.compile(structure), False),
        (made.compile(structure, chain_strength=1.5), False),
        (made.compile(structure, chain_strength=ScaledStrength(2.0)), True),
    ]:
        asked = []
        for scale in (0.1, 1.0):
            made.child.asked.clear()
            compiled.step(Parameters(np.full(3, scale), np.full(3, scale)), compiled.init(1, 0))
            (bqm, keywords) = made.child.asked[0]
            assert keywords["auto_scale"] is False
            asked.append(min(bqm.quadratic.values()))
        assert (asked[0] != asked[1]) == drifts
    made.child.asked.clear()
    made.compile(structure).step(structure.zeros(), made.compile(structure).init(1, 0))
    assert min(made.child.asked[0][0].quadratic.values()) == -2.0
    with pytest.raises(ValueError, match=r"GibbsSampler states no j_range. Give chain_strength"):
        sampler(GibbsSampler(), target="chimera-1").compile(structure)
    with pytest.raises(ValueError, match=r"got unembedding='discard'"):
        made.compile(structure, unembedding="discard")
    with pytest.raises(ValueError, match="'flux'"):
        made.compile(structure, flux=1)


@pytest.mark.parametrize("sampler", [EmbeddedSampler, PackedSampler])
def test_clamped_rows_follow_the_conditional(sampler):
    model = IsingModel(
        {"a": 0.3, "b": -0.4, "c": 0.2, "d": 0.1}, {("a", "b"): 0.8, ("b", "c"): -0.6, ("c", "d"): 0.5, ("a", "c"): 0.4}
    )
    made = sampler(ExactSampler(), target="chimera-1", chain_strength=9.0)
    compiled = made.compile(model.structure, want="moments")
    held = np.array([0, 3])
    rows = np.array([[1, 1], [1, -1], [-1, 1]], np.int8)
    which = np.repeat([0, 1, 2], [FEW, 500, 200])
    step = compiled.step(model.parameters, compiled.init(len(which), 2), Clamp(held, rows[which]))
    np.testing.assert_array_equal(step.spins[:, held], rows[which])
    for k, row in enumerate(rows):
        assert conditional_pvalue(step.spins[which == k], model, held, row) > FALSE_ALARM
    assert conditional_pvalue(step.spins[which == 0], model, held, rows[2]) < FALSE_ALARM
    for found, exact in zip(step.moments, model.structure.moments_of(step.spins), strict=True):
        np.testing.assert_allclose(found, exact)
    assert isinstance(step.moments, Moments)


def conditional_pvalue(spins, model, held, row):
    free = np.setdiff1d(np.arange(4), held)
    states = np.empty((4, 4), np.int8)
    states[:, held] = row
    states[:, free] = [[-1, -1], [1, -1], [-1, 1], [1, 1]]
    weights = np.exp(-model.structure.energies(model.parameters, states))
    return states_pvalue(spins[:, free], weights / weights.sum())


def test_every_variable_may_be_clamped():
    structure, parameters, _ = terms_of_bqm(TRIANGLE)
    rows = np.array([[1, 1, -1], [-1, 1, 1]], np.int8)
    for sampler in (EmbeddedSampler, PackedSampler):
        compiled = sampler(ExactSampler(), target="chimera-1", chain_strength=1.0).compile(structure)
        step = compiled.step(parameters, compiled.init(2, 0), Clamp(np.arange(3), rows))
        np.testing.assert_array_equal(step.spins, rows)


@pytest.mark.parametrize("sampler", [EmbeddedSampler, PackedSampler])
def test_a_machine_learns_through_an_embedding(sampler):
    X = np.random.default_rng(0).integers(0, 2, (40, 3))
    X[:, 1] = X[:, 0]
    device = sampler(GibbsSampler(), target="chimera-2", chain_strength=2.0)
    machine = BoltzmannMachine(sampler=device, n_iter=30, learning_rate=0.2, random_state=0, progress=False).fit(X)
    assert machine.model_.J[0, 1] > 0.3


# many problems at once


def problems():
    """Seven copies of one graph, no two of one size: a scale of its own for each would show."""
    return [LOPSIDED * (0.3 + 0.3 * k) for k in range(7)]


def test_packed_problems_match_enumeration_at_one_scale():
    packed = PackedSampler(ExactSampler(), target=CELLS)
    found = packed.sample_multiple(problems(), num_reads=FEW, seed=1)
    assert len(found) == 7
    assert [(s.info["packing"]["call"], s.info["packing"]["copy"]) for s in found] == [
        (0, 0),
        (0, 1),
        (0, 2),
        (0, 3),
        (1, 0),
        (1, 1),
        (1, 2),
    ]
    for bqm, samples in zip(problems(), found, strict=True):
        assert len(samples) == FEW
        assert samples.info["embedding_context"]["embedding"].keys() == {"a", "b", "c"}
        assert boltzmann_pvalue(samples, bqm, 1.0) > FALSE_ALARM
    # each problem scaled by itself, as upstream does, is another distribution
    scaled = [bqm * (1 / max(abs(bias) for bias in bqm.quadratic.values())) for bqm in problems()]
    assert min(boltzmann_pvalue(s, bqm, 1.0) for s, bqm in zip(found, scaled, strict=True)) < FALSE_ALARM


def test_reads_of_one_problem_are_shared_out():
    child = Recorder()
    packed = PackedSampler(child, target=CELLS)
    found = packed.sample(LOPSIDED, num_reads=FEW + 3, seed=2)
    assert len(found) == FEW + 3
    assert [keywords["num_reads"] for _, keywords in child.asked] == [FEW // 4 + 1]
    assert found.record["copy"][:6].tolist() == [0, 1, 2, 3, 0, 1]
    assert boltzmann_pvalue(found, LOPSIDED, 1.0) > FALSE_ALARM
    assert boltzmann_pvalue(found, LOPSIDED, 1.15) < FALSE_ALARM


def test_copies_are_independent():
    packed = PackedSampler(ExactSampler(), target=CELLS)
    found = packed.sample(LOPSIDED, num_reads=4 * FEW, seed=4).record.sample
    pairs = dimod.BQM("SPIN")
    for name in "xy":
        pairs.update(LOPSIDED.relabel_variables({v: f"{name}{v}" for v in "abc"}, inplace=False))
    both = np.hstack([found[0::4], found[1::4]])
    together = dimod.SampleSet.from_samples_bqm((both, [f"{n}{v}" for n in "xy" for v in "abc"]), pairs)
    assert boltzmann_pvalue(together, pairs, 1.0) > FALSE_ALARM


def test_a_learners_calls_are_not_scaled_one_by_one():
    with pytest.raises(ValueError, match="go at one scale; got auto_scale=True"):
        PackedSampler(Recorder(), target=CELLS).compile(Structure(2, np.array([[0, 1]])), auto_scale=True)


def test_auto_scale_is_one_factor_for_all():
    child = Recorder()
    packed = PackedSampler(child, target=CELLS)
    found = packed.sample_multiple([bqm * 4 for bqm in problems()], num_reads=5, auto_scale=True)
    # the largest J, -0.9 * 2.1 * 4 in dimod's sign, ends at -2; 0.4 * 2.1 * 4 at less than 1
    scale = min(2 / (0.9 * 2.1 * 4), 1 / (0.4 * 2.1 * 4), 4 / (0.7 * 2.1 * 4))
    assert [s.info["packing"]["scale"] for s in found] == pytest.approx([scale] * 7)
    sizes = [bqm.linear[0] / problems()[0].linear["a"] for bqm, _ in child.asked]
    assert sizes[0] == pytest.approx(4 * scale)
    assert all(keywords["auto_scale"] is False for _, keywords in child.asked)
    child.asked.clear()
    packed.sample_multiple(problems(), num_reads=5)
    assert child.asked[0][1]["auto_scale"] is False


def test_problems_of_several_graphs_come_back_in_their_order():
    packed = PackedSampler(ExactSampler(), target="chimera-2")
    mixed = [LOPSIDED, TRIANGLE, LOPSIDED * 2, dimod.BQM({"q": 1.0}, {}, 0.0, "BINARY")]
    found = packed.sample_multiple(mixed, num_reads=6, chain_strength=8.0, seed=0)
    for bqm, samples in zip(mixed, found, strict=True):
        assert list(samples.variables) == list(bqm.variables)
        assert samples.vartype is bqm.vartype
        assert samples.record.energy == pytest.approx(bqm.energies((samples.record.sample, samples.variables)))
        json.dumps(samples.info)
    assert packed.sample_multiple([], num_reads=6) == []


def test_clamped_rows_share_calls():
    child = Recorder()
    structure = Structure.layered(3, 2)
    packed = PackedSampler(child, target="chimera-1", chain_strength=1.0)
    compiled = packed.compile(structure)
    rng = np.random.default_rng(0)
    rows = rng.permutation([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]).astype(np.int8)
    step = compiled.step(structure.zeros(), compiled.init(8, 0), Clamp(np.arange(3), rows))
    # two free variables without a coupling: four pairs to a cell, two calls for eight rows
    assert len(child.asked) == 2
    assert step.info["calls"] == 2
    assert step.info["copies"] == 4


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: EmbeddedSampler(GibbsSampler()), "GibbsSampler has none. Give target"),
        (lambda: PackedSampler(dimod.ExactSolver(), target="chimera-1"), "ExactSolver takes none"),
        (lambda: EmbeddedSampler(GibbsSampler(), target="chimera-1", chain_strength=0), "chain_strength .* got 0"),
        (lambda: EmbeddedSampler(GibbsSampler(), target="chimera-1", unembedding="vote"), "'majority'.* got 'vote'"),
        (lambda: PackedSampler(GibbsSampler(), target="chimera-1", num_copies=0), "num_copies .* got 0"),
        (lambda: PackedSampler(GibbsSampler(), target="chimera-1").sample(FRUSTRATED), "asked for in a graph"),
        (
            lambda: PackedSampler(OnlyScales(), target="chimera-1").sample(LOPSIDED, auto_scale=True),
            "OnlyScales states not both",
        ),
        (
            lambda: EmbeddedSampler(GibbsSampler(), target="chimera-1", embedding={"a": [0]}).sample(LOPSIDED),
            "1 has none",
        ),
    ],
)
def test_what_cannot_be_says_why(make, says):
    with pytest.raises((ValueError, EmbeddingError), match=says):
        make()


class OnlyScales(dimod.Sampler):
    parameters, properties = {"num_reads": [], "auto_scale": []}, {}

    def sample(self, bqm, **keywords):
        raise AssertionError


def test_surplus_is_never_dropped():
    packed = PackedSampler(GibbsSampler(), target=CELLS, num_copies=2)
    found = packed.sample_multiple([bqm_of_terms(*terms_of_bqm(LOPSIDED)[:2])] * 9, num_reads=2, seed=0)
    assert len(found) == 9
    assert found[-1].info["packing"] == {"copies": 1, "calls": 5, "scale": 1.0, "call": 4, "copy": 0}
