"""What composites do beyond the conformance kit."""

import json
import time
import warnings

import dimod
import numpy as np
import pytest
from dimod.exceptions import SamplerUnknownArgWarning
from dwave.samplers import SimulatedAnnealingSampler as OceanAnnealer

from annealnn import EmbeddedBoltzmannMachine
from annealnn.embeddings import topology_graph
from annealnn.models import IsingModel, Structure, TransverseIsing, terms_of_bqm
from annealnn.samplers import (
    AnnealComposite,
    ExactSampler,
    FixVariablesComposite,
    GaugeComposite,
    GibbsSampler,
    PathIntegralSampler,
    SimulatedAnnealingSampler,
    SimulatedQuantumAnnealingSampler,
    SteepestDescentComposite,
    TemperatureComposite,
    compile_sampler,
)
from annealnn.testing import LOPSIDED, boltzmann_pvalue
from annealnn.testing._sampler_checks import FRUSTRATED, INFO_KEYS, TIMING_KEYS, rows_of
from annealnn.testing._statistics import chi_square_pvalue

FALSE_ALARM = 1e-6  # per test, by design; seeds are fixed, so a pass stays a pass
COMPOSITES = [GaugeComposite, TemperatureComposite, FixVariablesComposite, SteepestDescentComposite]
CHILDREN = [
    ExactSampler,
    GibbsSampler,
    SimulatedAnnealingSampler,
    OceanAnnealer,
    dimod.RandomSampler,
    dimod.ExactSolver,
    *(lambda cls=cls: cls(GibbsSampler()) for cls in COMPOSITES),
]
BINARY = LOPSIDED.change_vartype("BINARY", inplace=False)
both_forms = pytest.mark.parametrize("bqm", [LOPSIDED, BINARY, FRUSTRATED], ids=["spin", "binary", "frustrated"])


class Recorder(dimod.Sampler):
    """Draws with another sampler and keeps what it was asked; it takes that one's keywords and `more`."""

    parameters = properties = None  # dimod's own way: set when made

    def __init__(self, child=None, more=(), info=None):
        self.child = child or ExactSampler()
        self.parameters = dict(self.child.parameters) | {name: [] for name in more}
        self.properties, self.asked, self.info = {}, [], info or {}

    def sample(self, bqm, **keywords):
        self.asked.append((bqm.copy(), keywords))
        found = self.child.sample(bqm, **{k: v for k, v in keywords.items() if k in self.child.parameters})
        found.info.update(self.info)
        return found


class Echo(dimod.Sampler):
    """Returns its initial states, as a reverse anneal of no length would."""

    parameters, properties = {"num_reads": [], "initial_states": [], "initial_states_generator": []}, {}

    def sample(self, bqm, *, num_reads, initial_states, **keywords):
        rows, labels = dimod.as_samples(initial_states)
        assert len(rows) == num_reads
        # columns in another order, too
        return dimod.SampleSet.from_samples_bqm((rows[:, ::-1], labels[::-1]), bqm, sort_labels=False)


class Biased(dimod.Sampler):
    """A device that shows 1 for every variable, whatever it is asked."""

    parameters, properties = {"num_reads": []}, {}

    def sample(self, bqm, *, num_reads=1):
        return dimod.SampleSet.from_samples_bqm((np.ones((num_reads, len(bqm.variables))), list(bqm.variables)), bqm)


class Merging(dimod.Sampler):
    """Gives equal reads as one row, sorted by energy."""

    parameters, properties = GibbsSampler().parameters, {}

    def sample(self, bqm, **keywords):
        found = ExactSampler().sample(bqm, **{k: v for k, v in keywords.items() if k in ExactSampler().parameters})
        return found.aggregate().truncate(100)


def assert_energies_are_of(found, bqm):
    """dimod's own assert takes seconds for as many reads as here."""
    assert found.record.energy == pytest.approx(bqm.energies((found.record.sample, found.variables)), abs=1e-9)


# any child


@pytest.mark.parametrize("make", CHILDREN)
@pytest.mark.parametrize("cls", COMPOSITES)
@both_forms
def test_composites_stand_over_any_sampler(cls, make, bqm):
    child = make()
    if cls is GaugeComposite and "num_reads" not in child.parameters:
        with pytest.raises(ValueError, match=r"the child takes num_reads; ExactSolver takes none. Sample it without"):
            cls(child)
        return
    sampler = cls(child)
    dimod.testing.assert_sampler_api(sampler)
    dimod.testing.assert_composite_api(sampler)
    known = {k: v for k, v in {"num_reads": 7, "seed": 3, "num_sweeps": 20}.items() if k in sampler.parameters}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, again = (sampler.sample(bqm, **known) for _ in range(2))
    assert found.vartype is bqm.vartype
    assert list(found.variables) == list(bqm.variables)
    assert len(found) == (7 if "num_reads" in known else 2**bqm.num_variables)
    assert_energies_are_of(found, bqm)
    assert set(found.info) >= INFO_KEYS
    assert set(found.info["timing"]) == TIMING_KEYS
    assert found.info["sampler"]["name"] == cls.__name__
    json.dumps(found.info)
    assert found.info["seed"] == (3 if "seed" in child.parameters else None)
    if "seed" in child.parameters:
        np.testing.assert_array_equal(found.record.sample, again.record.sample)


@pytest.mark.parametrize("cls", COMPOSITES)
def test_a_fresh_seed_replays_over_oceans_annealer(cls):
    sampler = cls(OceanAnnealer())
    first = sampler.sample(FRUSTRATED, num_reads=9, num_sweeps=2)
    again = sampler.sample(FRUSTRATED, num_reads=9, num_sweeps=2, seed=first.info["seed"])
    np.testing.assert_array_equal(first.record.sample, again.record.sample)
    assert sampler.sample(FRUSTRATED).info["seed"] != first.info["seed"]


@pytest.mark.parametrize("cls", COMPOSITES)
def test_composites_give_a_learner_its_reads(cls):
    structure, parameters, _ = terms_of_bqm(LOPSIDED)
    compiled = compile_sampler(cls(GibbsSampler()), structure, num_sweeps=5)
    step = compiled.step(parameters, compiled.init(12, 5))
    assert step.spins.shape == (12, 3)
    np.testing.assert_array_equal(step.spins, compiled.step(parameters, compiled.init(12, 5)).spins)


@pytest.mark.parametrize("cls", COMPOSITES)
def test_merged_reads_are_unfolded(cls):
    found = cls(Merging()).sample(LOPSIDED, num_reads=40, seed=0)
    assert len(found) == 40
    assert (found.record.num_occurrences == 1).all()


@pytest.mark.parametrize("cls", COMPOSITES)
def test_unknown_keywords_warn_once_and_do_not_reach_the_child(cls):
    child = Recorder()
    with pytest.warns(SamplerUnknownArgWarning, match="'flux'") as said:
        cls(child).sample(LOPSIDED, num_reads=1, flux=1)
    assert len(said) == 1
    assert said[0].filename == __file__
    assert "flux" not in child.asked[0][1]


@pytest.mark.parametrize("cls", COMPOSITES)
def test_bad_input_is_refused_before_the_child_is_asked(cls):
    child = Recorder()
    nan = dimod.BQM({"a": float("nan"), "b": 1.0}, {}, 0.0, "SPIN")
    for bqm, keywords, says in [
        (LOPSIDED, {"num_reads": 0}, r"num_reads is a whole number of at least 1; got 0"),
        (LOPSIDED, {"seed": -1}, r"seed is a whole number of at least 0; got -1"),
        (nan, {}, "fields are finite; got nan"),
    ]:
        with pytest.raises(ValueError, match=says):
            cls(child).sample(bqm, **keywords)
    assert child.asked == []
    with pytest.raises(TypeError, match=r"stands over a dimod.Sampler; got 'gibbs'. Open a SamplerSpec first"):
        cls("gibbs")


def test_distribution_is_claimed_where_the_child_claims_it():
    for cls in (GaugeComposite, TemperatureComposite, FixVariablesComposite):
        assert cls(GibbsSampler()).properties["distribution"] == "boltzmann"
        assert cls(SimulatedAnnealingSampler()).properties["distribution"] is None
        assert cls(dimod.RandomSampler()).properties["distribution"] is None
    assert SteepestDescentComposite(GibbsSampler()).properties["distribution"] is None
    assert GaugeComposite(OceanAnnealer()).properties["child_properties"] == OceanAnnealer().properties


def test_info_of_the_child_is_kept_as_json_can_hold_it():
    odd = {("a", 1): np.arange(2), "worlds": {1, 2}, "f": np.float32(0.5)}
    (call,) = FixVariablesComposite(Recorder(info=odd)).sample(LOPSIDED).info["calls"]
    assert call["('a', 1)"] == [0, 1]
    assert call["worlds"] == "{1, 2}"
    assert call["f"] == 0.5


def test_what_the_calls_agree_on_is_said_once():
    found = GaugeComposite(GibbsSampler()).sample(LOPSIDED, num_reads=4, num_sweeps=9, beta=0.3)
    assert (found.info["beta"], found.info["num_sweeps"], len(found.info["calls"])) == (0.3, 9, 4)
    schedule = GaugeComposite(SimulatedAnnealingSampler()).sample(LOPSIDED, beta_range=(0.1, 2.0)).info["schedule"]
    assert schedule["stop"] == 2.0


def test_a_composite_of_ones_own_needs_one_method():
    class Negated(AnnealComposite):
        def sample(self, bqm, *, twice=False, **kwargs):
            kwargs = self.remove_unknown_kwargs(**kwargs)
            return self.sample_with(lambda _, keywords: (self.ask_child([(bqm * -1, keywords)])[0], {}), bqm, kwargs)

    sampler = Negated(GibbsSampler())
    assert set(sampler.parameters) == {"twice", *GibbsSampler().parameters}
    assert sampler.properties["distribution"] is None
    found = sampler.sample(LOPSIDED, num_reads=5000, seed=1)
    assert boltzmann_pvalue(found, LOPSIDED * -1, 1.0) > FALSE_ALARM
    assert_energies_are_of(found, LOPSIDED)


# interrupts


class Interrupted(dimod.Sampler):
    """Exact reads, a column with each; its call number `last` is interrupted after `made` of 10 sweeps."""

    parameters, properties = {"num_reads": [], "seed": []}, {"distribution": "boltzmann"}

    def __init__(self, last, made=10):
        self.last, self.made, self.count = last, made, 0

    def sample(self, bqm, *, num_reads=1, seed=None):
        self.count += 1
        stopped = self.count == self.last
        drawn = ExactSampler().sample(bqm, num_reads=num_reads - stopped, seed=seed)
        found = dimod.append_data_vectors(drawn, call=[self.count] * len(drawn))
        found.info.update(beta=1.0, num_sweeps=self.made if stopped else 10, interrupted=stopped)
        return found


@pytest.mark.parametrize("cls", COMPOSITES)
def test_an_interrupt_of_the_child_is_said_at_the_top(cls):
    cut = cls(Interrupted(1)).sample(LOPSIDED, num_reads=40)
    whole = cls(Interrupted(0)).sample(LOPSIDED, num_reads=40)
    assert (cut.info["interrupted"], whole.info["interrupted"]) == (True, False)
    assert "interrupted" not in cls(ExactSampler()).sample(LOPSIDED).info
    json.dumps(cut.info)


def test_no_gauge_is_asked_in_after_an_interrupt():
    child = Interrupted(3)
    found = GaugeComposite(child).sample(LOPSIDED, num_reads=40, num_gauges=8, seed=1)
    assert child.count == 3
    # finished reads of the interrupted call are kept
    assert sorted(found.record.gauge) == [0] * 5 + [1] * 5 + [2] * 4
    np.testing.assert_array_equal(found.record.call, found.record.gauge + 1)
    assert (len(found.info["calls"]), len(found.info["gauges"]["signs"])) == (3, 3)
    assert (found.info["interrupted"], found.info["num_sweeps"]) == (True, 10)
    assert_energies_are_of(found, LOPSIDED)
    json.dumps(found.info)


@pytest.mark.parametrize(("last", "num_kept", "num_sweeps"), [(3, 10, 10), (1, 4, 4)])
def test_unfinished_reads_do_not_mix_with_finished_ones(last, num_kept, num_sweeps):
    for sampler in (GaugeComposite(Interrupted(last, made=4)), GaugeComposite(GaugeComposite(Interrupted(last, 4)))):
        keywords = {"num_gauges": 8} if isinstance(sampler.child, Interrupted) else {"num_gauges": 1}
        reads = 40 if isinstance(sampler.child, Interrupted) else 50
        found = sampler.sample(LOPSIDED, num_reads=reads, seed=1, **keywords)
        assert len(found) == num_kept
        assert (found.info["interrupted"], found.info["num_sweeps"], found.info["beta"]) == (True, num_sweeps, 1.0)
        assert len(found.record.gauge) == num_kept
        assert found.info["calls"][-1]["interrupted"]


def test_a_gauge_is_interrupted_as_its_child_is():
    started = time.monotonic()
    found = GaugeComposite(GibbsSampler()).sample(
        dimod.generators.ran_r(3, 200, seed=1),
        num_reads=20,
        num_sweeps=2 * 10**6,
        interrupt_function=lambda: time.monotonic() > started + 0.3,
    )
    assert found.info["interrupted"]
    assert len(found.info["calls"]) == 1
    assert 0 < found.info["num_sweeps"] < 2 * 10**6
    assert len(found) == 2


def test_reads_that_are_at_no_beta_are_at_none_above():
    class Cut(dimod.Sampler):
        parameters, properties = {"num_reads": [], "beta": []}, {}

        def sample(self, bqm, *, num_reads=1, beta=1.0):
            found = ExactSampler().sample(bqm, num_reads=num_reads, beta=beta / 2)
            found.info.update(beta=None, interrupted=True)
            return found

    for cls in COMPOSITES:
        assert cls(Cut()).sample(LOPSIDED, num_reads=3).info["beta"] is None


# gauges


@both_forms
def test_gauges_leave_the_distribution_alone(bqm):
    found = GaugeComposite(ExactSampler()).sample(bqm, num_reads=20_000, beta=0.8, seed=1, num_gauges=7)
    assert boltzmann_pvalue(found, bqm, 0.8) > FALSE_ALARM
    assert boltzmann_pvalue(found, bqm, 0.9) < FALSE_ALARM
    assert boltzmann_pvalue(found, bqm * -1, 0.8) < FALSE_ALARM
    assert_energies_are_of(found, bqm)


@both_forms
def test_the_child_gets_the_problem_of_each_gauge(bqm):
    child = Recorder()
    found = GaugeComposite(child).sample(bqm, num_reads=11, num_gauges=4, seed=2)
    signs = np.array(found.info["gauges"]["signs"])
    assert signs.shape == (4, bqm.num_variables)
    assert np.isin(signs, (-1, 1)).all()
    assert len(np.unique(signs, axis=0)) > 1
    assert [keywords["num_reads"] for _, keywords in child.asked] == [3, 3, 3, 2]
    assert len({keywords["seed"] for _, keywords in child.asked}) == 4
    np.testing.assert_array_equal(found.record.gauge, np.arange(11) % 4)
    for (asked, _), g in zip(child.asked, signs, strict=True):
        flipped = bqm.copy()
        for v, sign in zip(bqm.variables, g, strict=True):
            if sign < 0:
                flipped.flip_variable(v)
        assert asked.vartype is bqm.vartype
        assert asked.is_almost_equal(flipped, places=9)


@both_forms
def test_gauges_average_a_bias_of_the_device_out(bqm):
    found = GaugeComposite(Biased()).sample(bqm, num_reads=4000, num_gauges=4000, seed=5)
    up = (rows_of(found, bqm) > 0).sum(axis=0)
    for count in up:
        assert chi_square_pvalue(np.array([count, 4000 - count]), np.array([2000.0, 2000.0])) > FALSE_ALARM
    one = GaugeComposite(Biased()).sample(bqm, num_reads=40, num_gauges=1, seed=5)
    assert len(np.unique(one.record.sample, axis=0)) == 1


@both_forms
@pytest.mark.parametrize("given", ["tuple", "dicts", "other form", "reordered"])
def test_initial_states_are_flipped_along(bqm, given):
    rng = np.random.default_rng(0)
    up = rng.integers(2, size=(9, bqm.num_variables))
    labels = list(bqm.variables)
    wanted = up if bqm.vartype is dimod.BINARY else 2 * up - 1
    other = dimod.SampleSet.from_samples((wanted, labels), vartype=bqm.vartype, energy=0)
    other = other.change_vartype("SPIN" if bqm.vartype is dimod.BINARY else "BINARY", inplace=False)
    states = {
        "tuple": (wanted, labels),
        "dicts": [dict(zip(labels, row.tolist(), strict=True)) for row in wanted],
        "other form": other,
        "reordered": (wanted[:, ::-1], labels[::-1]),
    }[given]
    found = GaugeComposite(Echo()).sample(bqm, initial_states=states, num_gauges=4, seed=1)
    assert len(np.unique(found.info["gauges"]["signs"], axis=0)) > 1
    np.testing.assert_array_equal(found.record.sample, wanted)
    short = GaugeComposite(Echo()).sample(
        bqm, initial_states=states, num_reads=20, num_gauges=4, seed=1, initial_states_generator="tile"
    )
    np.testing.assert_array_equal(short.record.sample, np.tile(wanted, (3, 1))[:20])


def test_too_few_initial_states_are_the_childs_to_complete():
    child = Recorder(OceanAnnealer())
    GaugeComposite(child).sample(LOPSIDED, num_reads=4, num_gauges=4, initial_states=({"a": 1, "b": 1, "c": -1}))
    assert ["initial_states" in keywords for _, keywords in child.asked] == [True, False, False, False]
    with pytest.raises(ValueError, match="insufficient number of initial states"):
        GaugeComposite(OceanAnnealer()).sample(
            LOPSIDED, num_reads=4, initial_states={"a": 1, "b": 1, "c": -1}, initial_states_generator="none"
        )


@pytest.mark.parametrize("name", ["initial_state", "fixed_variables"])
def test_mappings_of_values_are_flipped_along(name):
    child = Recorder(more=[name])
    values = {"a": 0, "c": 1}
    found = GaugeComposite(child).sample(BINARY, num_reads=6, num_gauges=6, seed=1, **{name: values})
    for (_, keywords), g in zip(child.asked, found.info["gauges"]["signs"], strict=True):
        assert keywords[name] == {"a": 0 if g[0] > 0 else 1, "c": 1 if g[2] > 0 else 0}
    assert values == {"a": 0, "c": 1}


def test_an_unused_qubit_stays_unused_in_every_gauge():
    child = Recorder(more=["initial_state"])
    GaugeComposite(child).sample(LOPSIDED, num_reads=6, seed=1, initial_state={"a": 3, "b": 1, "other": 3})
    assert all(keywords["initial_state"]["a"] == keywords["initial_state"]["other"] == 3 for _, keywords in child.asked)


def test_gauges_over_fixed_variables_hold_them():
    found = GaugeComposite(FixVariablesComposite(ExactSampler())).sample(
        LOPSIDED, num_reads=20_000, seed=3, fixed_variables={"b": -1}
    )
    assert (found.record.sample[:, 1] == -1).all()
    rest = LOPSIDED.copy()
    rest.fix_variable("b", -1)
    assert boltzmann_pvalue(found, rest, 1.0) > FALSE_ALARM
    assert boltzmann_pvalue(found, rest, 1.2) < FALSE_ALARM


def test_without_a_seed_of_the_child_the_gauges_still_replay():
    one, two = (GaugeComposite(dimod.RandomSampler()).sample(LOPSIDED, num_reads=3, seed=4) for _ in range(2))
    assert one.info["seed"] is None
    assert one.info["gauges"] == two.info["gauges"]
    assert one.info["gauges"]["seed"] == 4


def test_gauges_keep_columns_of_the_child():
    sampler = GaugeComposite(SteepestDescentComposite(GibbsSampler()))
    found = sampler.sample(FRUSTRATED, num_reads=6, num_gauges=2, num_sweeps=1, beta=0.0, seed=1)
    total = sum(call["descent"]["num_flips"] for call in found.info["calls"])
    assert found.record.num_flips.sum() == total > 0


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"num_gauges": 0}, "num_gauges is a whole number of at least 1; got 0"),
        ({"initial_states": {"a": 1, "b": 1}}, "a value for every variable of the problem; got none for 'c'"),
        ({"initial_states": {"a": 1, "b": 1, "c": 1, "d": 1}}, "name variables of the problem; got 'd'"),
        ({"initial_states": {"a": 1, "b": 5, "c": 1}}, r"are spins, -1 or \+1, or bits, 0 or 1; got \[1, 5\]"),
        ({"initial_states": {"a": 0, "b": -1, "c": 1}}, r"got \[-1, 0, 1\]"),
        ({"initial_state": [1, 1, 1]}, r"initial_state is a mapping from variable to value; got \[1, 1, 1\]"),
        ({"initial_state": {"a": 0}}, "of a problem in SPIN form, -1 or 1; got 0 for 'a'"),
    ],
)
def test_gauges_refuse(keywords, says):
    child = Recorder(more=["initial_states", "initial_state"])
    with pytest.raises(ValueError, match=says):
        GaugeComposite(child).sample(LOPSIDED, num_reads=2, **keywords)
    assert child.asked == []


def test_gauges_over_a_processor_bring_its_graph_and_what_can_be_flipped():
    graph = topology_graph("chimera-4")
    device = Recorder(GibbsSampler())
    device.nodelist, device.edgelist = sorted(graph), sorted(graph.edges)
    device.properties = {"h_range": [-4.0, 4.0], "j_range": [-1.0, 1.0], "extended_j_range": [-2.0, 1.0]}
    sampler = GaugeComposite(device)
    ranges = {name: sampler.properties[name] for name in device.properties}
    assert ranges == {"h_range": [-4.0, 4.0], "j_range": [-1.0, 1.0], "extended_j_range": [-1.0, 1.0]}
    machine = EmbeddedBoltzmannMachine(sampler=sampler, n_iter=2, n_reads=20, random_state=0)
    machine.fit(np.random.default_rng(0).integers(2, size=(30, 3)))
    assert {q for chain in machine.embedding_.chains for q in chain} <= set(graph)
    asked = {float(bias) for bqm, _ in device.asked for bias in bqm.quadratic.values()}
    assert -1 <= min(asked) < 0 < max(asked) <= 1
    assert not hasattr(GaugeComposite(GibbsSampler()), "nodelist")
    assert not hasattr(GaugeComposite(GibbsSampler()), "edgelist")


# temperature


class FixedBeta(dimod.Sampler):
    """Draws at beta 2 and takes no other."""

    parameters, properties = {"num_reads": [], "seed": []}, {"distribution": "boltzmann"}

    def sample(self, bqm, **keywords):
        return ExactSampler().sample(bqm, beta=2.0, **keywords)


@both_forms
@pytest.mark.parametrize(
    "sampler",
    [
        TemperatureComposite(FixedBeta(), child_beta=2.0),
        TemperatureComposite(ExactSampler()),
        TemperatureComposite(ExactSampler(), child_beta=3.0),
        TemperatureComposite(TemperatureComposite(FixedBeta(), child_beta=2.0), child_beta=0.7),
        TemperatureComposite(GaugeComposite(FixedBeta()), child_beta=2.0),
        GaugeComposite(TemperatureComposite(FixedBeta(), child_beta=2.0)),
    ],
    ids=["fixed", "taken", "taken and held", "twice", "over gauges", "under gauges"],
)
def test_reads_are_at_the_wanted_beta(sampler, bqm):
    found = sampler.sample(bqm, beta=0.8, num_reads=20_000, seed=1)
    assert found.info["beta"] == 0.8
    assert boltzmann_pvalue(found, bqm, 0.8) > FALSE_ALARM
    assert boltzmann_pvalue(found, bqm, 0.9) < FALSE_ALARM
    assert_energies_are_of(found, bqm)


def test_a_wrong_beta_of_the_child_is_noticed():
    with pytest.raises(ValueError, match=r"that of FixedBeta, which says 2; got 1. Give child_beta=2"):
        TemperatureComposite(FixedBeta()).sample(LOPSIDED)


def test_beta_zero_is_free_spins():
    found = TemperatureComposite(ExactSampler()).sample(LOPSIDED, beta=0.0, num_reads=5000, seed=1)
    assert boltzmann_pvalue(found, LOPSIDED, 0.0) > FALSE_ALARM
    assert boltzmann_pvalue(found, LOPSIDED, 0.2) < FALSE_ALARM


def test_nothing_undoes_the_scaling():
    child = Recorder(dimod.RandomSampler(), more=["auto_scale", "beta_range"])
    sampler = TemperatureComposite(child, child_beta=4.0)
    scale = sampler.sample(LOPSIDED, beta=0.5).info["scale"]
    sampler.sample(LOPSIDED, auto_scale=True, beta_range=(1, 2))
    (problem, first), (_, second) = child.asked
    assert scale == 0.125
    assert problem.is_almost_equal(LOPSIDED * 0.125)
    assert first == {"auto_scale": False, "beta_range": (0.4, 4.0)}
    assert second == {"auto_scale": True, "beta_range": (1, 2)}


FIELDS = [0.8, 0.0, 1.5]


@pytest.mark.parametrize(
    ("bqm", "gamma", "fields"),
    [
        (dimod.BQM({"a": -1.0}, {}, 0.0, "SPIN"), 1.0, 1.0),
        (dimod.BQM({"a": -1.0}, {}, 0.0, "SPIN"), None, 1.0),
        (LOPSIDED, 0.7, 0.7),
        (BINARY, dict(zip("abc", FIELDS, strict=True)), FIELDS),
        (LOPSIDED, FIELDS, FIELDS),
    ],
    ids=["one", "default", "number", "mapping", "array"],
)
@pytest.mark.parametrize("below", [lambda child: child, GaugeComposite, FixVariablesComposite])
def test_the_transverse_field_is_scaled_with_the_problem(bqm, gamma, fields, below):
    keywords = {} if gamma is None else {"gamma": gamma}
    found = TemperatureComposite(below(PathIntegralSampler()), child_beta=2.0).sample(
        bqm, beta=1.0, num_reads=20_000, num_sweeps=60, num_slices=32, seed=1, **keywords
    )
    assert (found.info["beta"], found.info["gamma"], found.info["scale"]) == (1.0, fields, 0.5)
    model = TransverseIsing.of(IsingModel.from_bqm(bqm), np.array(fields))
    states = basis_index(rows_of(found, bqm) > 0)
    counts = np.bincount(states, minlength=2**bqm.num_variables)
    assert chi_square_pvalue(counts, 20_000 * model.exact(1.0).probabilities) > FALSE_ALARM
    unscaled = TransverseIsing.of(IsingModel.from_bqm(bqm), 2 * np.array(fields))
    assert chi_square_pvalue(counts, 20_000 * unscaled.exact(1.0).probabilities) < FALSE_ALARM


def basis_index(up):
    """Return numbers of basis states: variable 0 most significant, 0 is up."""
    return ~up @ (1 << np.arange(up.shape[1] - 1, -1, -1))


def test_ladders_and_ranges_of_transverse_fields_are_scaled():
    child = Recorder(PathIntegralSampler(), more=["gamma_range"])
    TemperatureComposite(child, child_beta=2.0).sample(
        LOPSIDED, beta=0.5, num_sweeps=5, gamma=0.4, gamma_ladder=[2.0, 1.0], gamma_range=(3.0, 0.1)
    )
    ((_, keywords),) = child.asked
    assert keywords["gamma"] == pytest.approx(0.1)
    assert keywords["gamma_ladder"] == pytest.approx([0.5, 0.25])
    assert keywords["gamma_range"] == pytest.approx((0.75, 0.025))
    annealed = TemperatureComposite(SimulatedQuantumAnnealingSampler(), child_beta=2.0)
    assert annealed.sample(LOPSIDED, gamma_range=(3.0, 0.1), num_sweeps=5).info["schedule"]["gamma_range"] == [
        1.5,
        0.05,
    ]


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"gamma": -1.0}, "gamma is a finite number, at least 0; got -1.0"),
        ({"gamma": {"a": 1.0, "b": "x", "c": 1.0}}, "gamma is a finite number, at least 0; got 'x'"),
        ({"gamma": [1.0, -2.0, 1.0]}, "got .*-2.0"),
        ({"gamma_ladder": [2.0, -3.0]}, "gamma_ladder is a finite number, at least 0; got -3.0"),
        ({"gamma": {"a": 1.0}}, "gamma has a value for every variable; got none for 'b'"),
    ],
)
def test_transverse_fields_are_refused_as_they_were_given(keywords, says):
    with pytest.raises(ValueError, match=says):
        TemperatureComposite(PathIntegralSampler(), child_beta=2.0).sample(LOPSIDED, **keywords)


def test_a_transverse_field_without_a_default_must_be_given():
    child = Recorder(more=["gamma"])
    with pytest.raises(
        ValueError, match=r"scaled with the problem; Recorder has none by default, and got None. Give gamma"
    ):
        TemperatureComposite(child).sample(LOPSIDED)
    assert TemperatureComposite(child).sample(LOPSIDED, beta=0.5, gamma=1.0).info["gamma"] == 1.0
    assert child.asked[0][1]["gamma"] == 0.5


@pytest.mark.parametrize("beta", [-1.0, float("nan"), float("inf"), "cold"])
def test_temperature_refuses(beta):
    with pytest.raises(ValueError, match=rf"beta is a finite number, at least 0; got {beta!r}"):
        TemperatureComposite(ExactSampler()).sample(LOPSIDED, beta=beta)
    with pytest.raises(ValueError, match=rf"child_beta is a finite number, above 0; got {beta!r}"):
        TemperatureComposite(ExactSampler(), child_beta=beta)


# fixed variables


@both_forms
@pytest.mark.parametrize("up", [False, True])
def test_the_rest_follows_the_conditional(bqm, up):
    v = list(bqm.variables)[1]
    value = 1 if up else min(bqm.vartype.value)
    found = FixVariablesComposite(ExactSampler()).sample(
        bqm, fixed_variables={v: value}, num_reads=20_000, beta=0.8, seed=2
    )
    assert list(found.variables) == list(bqm.variables)
    assert (found.record.sample[:, 1] == value).all()
    assert found.info["num_fixed"] == 1
    rest = bqm.copy()
    rest.fix_variable(v, value)
    assert boltzmann_pvalue(found, rest, 0.8) > FALSE_ALARM
    assert boltzmann_pvalue(found, rest, 1.0) < FALSE_ALARM
    assert_energies_are_of(found, bqm)


@both_forms
def test_everything_fixed_needs_no_child(bqm):
    child = Recorder()
    values = dict.fromkeys(bqm.variables, 1)
    found = FixVariablesComposite(child).sample(bqm, fixed_variables=values, num_reads=4)
    assert child.asked == []
    assert found.record.sample.tolist() == [[1] * bqm.num_variables] * 4
    assert found.record.energy == pytest.approx(bqm.energy(values))
    assert set(found.info) >= INFO_KEYS
    assert len(FixVariablesComposite(dimod.ExactSolver()).sample(bqm, fixed_variables=values)) == 1


def test_nothing_fixed_is_the_child():
    alone = GibbsSampler().sample(LOPSIDED, num_reads=5, seed=1)
    for fixed in (None, {}):
        found = FixVariablesComposite(GibbsSampler()).sample(LOPSIDED, num_reads=5, seed=1, fixed_variables=fixed)
        np.testing.assert_array_equal(found.record.sample, alone.record.sample)


@both_forms
def test_initial_states_lose_the_fixed_variables(bqm):
    labels, low = list(bqm.variables), min(bqm.vartype.value)
    full = np.where(np.random.default_rng(1).integers(2, size=(6, len(labels))), 1, low)
    for columns in (range(len(labels)), range(1, len(labels))):
        given = (full[:, list(columns)], [labels[k] for k in columns])
        found = FixVariablesComposite(Echo()).sample(
            bqm, fixed_variables={labels[0]: low}, initial_states=given, num_reads=6
        )
        np.testing.assert_array_equal(found.record.sample[:, 1:], full[:, 1:])
        assert (found.record.sample[:, 0] == low).all()
    child = Recorder(more=["initial_state"])
    state = dict.fromkeys(labels, 1)
    FixVariablesComposite(child).sample(bqm, fixed_variables={labels[0]: low}, initial_state=state)
    assert child.asked[0][1]["initial_state"] == dict.fromkeys(labels[1:], 1)


@pytest.mark.parametrize("form", ["mapping", "array", "list", "number"])
def test_transverse_fields_lose_the_fixed_variables(form):
    given = {
        "mapping": dict(zip("cab", [1.5, 0.8, 0.3], strict=True)),
        "array": np.array([0.8, 0.3, 1.5]),
        "list": [0.8, 0.3, 1.5],
        "number": 0.8,
    }[form]
    child = Recorder(PathIntegralSampler())
    found = FixVariablesComposite(child).sample(
        LOPSIDED, fixed_variables={"b": -1}, gamma=given, num_reads=20_000, num_sweeps=60, num_slices=32, seed=1
    )
    ((asked, keywords),) = child.asked
    fields = np.full(3, 0.8) if form == "number" else np.array([0.8, 0.3, 1.5])
    if form == "mapping":
        assert keywords["gamma"] == {"c": 1.5, "a": 0.8}
    assert found.info["gamma"] == (0.8 if form == "number" else [0.8, 0.0, 1.5])
    # the fixed one is a field on the others, and nothing else
    rest = IsingModel.from_bqm(asked)
    free = [list(LOPSIDED.variables).index(v) for v in rest.labels]
    counts = np.bincount(basis_index(found.record.sample[:, free] > 0), minlength=4)
    for its, matches in ((fields[free], True), (fields[free][::-1] + 0.3, False)):
        exact = TransverseIsing.of(rest, its).exact(1.0).probabilities
        assert (chi_square_pvalue(counts, 20_000 * exact) > FALSE_ALARM) is matches
    assert (found.record.sample[:, 1] == -1).all()


def test_a_transverse_field_of_the_wrong_shape_is_refused():
    child = Recorder(PathIntegralSampler())
    with pytest.raises(ValueError, match=r"one per variable, shape \(3,\); got shape \(2,\)"):
        FixVariablesComposite(child).sample(LOPSIDED, fixed_variables={"b": -1}, gamma=[1.0, 1.0])
    assert child.asked == []
    # what is no variable of the problem is the child's to judge
    FixVariablesComposite(child).sample(
        LOPSIDED, fixed_variables={"b": -1}, gamma=dict.fromkeys("abc", 1.0), num_sweeps=1
    )
    assert set(child.asked[0][1]["gamma"]) == {"a", "c"}


def test_gauges_leave_the_transverse_field_alone():
    given = np.array([0.8, 0.3, 1.5])
    found = GaugeComposite(PathIntegralSampler()).sample(
        LOPSIDED, gamma=given, num_reads=20_000, num_gauges=8, num_sweeps=60, num_slices=32, seed=1
    )
    assert found.info["gamma"] == given.tolist()
    counts = np.bincount(basis_index(rows_of(found, LOPSIDED) > 0), minlength=8)
    for fields, matches in ((given, True), (given[::-1], False)):
        exact = TransverseIsing.of(IsingModel.from_bqm(LOPSIDED), fields).exact(1.0).probabilities
        assert (chi_square_pvalue(counts, 20_000 * exact) > FALSE_ALARM) is matches


@pytest.mark.parametrize(
    ("bqm", "fixed", "says"),
    [
        (LOPSIDED, {"a": 0}, "of a problem in SPIN form, -1 or 1; got 0 for 'a'"),
        (BINARY, {"a": -1}, "of a problem in BINARY form, 0 or 1; got -1 for 'a'"),
        (BINARY, {"a": 3}, "got 3 for 'a'"),
        (LOPSIDED, {"a": "up"}, "got 'up' for 'a'"),
        (LOPSIDED, {"a": None}, "got None for 'a'"),
        (LOPSIDED, {"a": True}, "got True for 'a'"),
        (BINARY, {"a": False}, "got False for 'a'"),
        (BINARY, {"a": np.True_}, "got np.True_ for 'a'"),
        (LOPSIDED, {"z": 1}, "fixed_variables name variables of the problem; got 'z'"),
        (LOPSIDED, [("a", 1)], r"fixed_variables is a mapping from variable to value; got \[\('a', 1\)\]"),
    ],
)
def test_fixing_refuses(bqm, fixed, says):
    child = Recorder()
    with pytest.raises(ValueError, match=says):
        FixVariablesComposite(child).sample(bqm, fixed_variables=fixed)
    assert child.asked == []


# descent


@both_forms
def test_every_read_ends_in_a_local_minimum(bqm):
    hot = GibbsSampler().sample(bqm, num_reads=60, num_sweeps=1, beta=0.0, seed=1)
    found = SteepestDescentComposite(GibbsSampler()).sample(bqm, num_reads=60, num_sweeps=1, beta=0.0, seed=1)
    low, rows = min(bqm.vartype.value), found.record.sample
    for k in range(bqm.num_variables):
        flipped = rows.copy()
        flipped[:, k] = low + 1 - rows[:, k]
        assert (bqm.energies((flipped, found.variables)) >= found.record.energy - 1e-9).all()
    assert (found.record.energy <= hot.record.energy + 1e-9).all()
    moved = (rows != rows_of(hot, bqm)).any(axis=1)
    assert found.info["descent"]["num_moved"] == moved.sum() > 0
    np.testing.assert_array_equal(found.record.num_flips > 0, moved)
    assert found.info["descent"]["num_flips"] == found.record.num_flips.sum()
    assert found.info["beta"] is None


def test_a_read_in_a_minimum_stays():
    ground = dimod.ExactSolver().sample(FRUSTRATED).truncate(1)
    found = SteepestDescentComposite(Echo()).sample(FRUSTRATED, initial_states=ground, num_reads=1)
    assert found.info["descent"] == {"num_flips": 0, "num_moved": 0}
    assert found.first.sample == ground.first.sample


def test_ties_break_alike_in_both_forms():
    # 0.1 + 0.2 - 0.3 is not zero in floating point: two equal flips would differ by the form
    structure = Structure.complete(6)
    J = {tuple(e): [0.1, -0.2, 0.3][k % 3] for k, e in enumerate(structure.edges.tolist())}
    spin = dimod.BQM(dict.fromkeys(range(6), 0.1), J, 0.0, "SPIN")
    states = (2 * np.random.default_rng(0).integers(2, size=(64, 6)) - 1, list(range(6)))
    one, two = (
        SteepestDescentComposite(Echo()).sample(bqm, initial_states=states, num_reads=64)
        for bqm in (spin, spin.change_vartype("BINARY", inplace=False))
    )
    np.testing.assert_array_equal(one.record.sample > 0, two.record.sample > 0)
