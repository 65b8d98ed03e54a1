"""Our annealer in the place of dwave-samplers': the same keywords with the same meanings."""

import inspect
import json

import dimod
import dwave.samplers
import numpy as np
import pytest

from annealnn import BetaSchedule, GibbsSampler, SimulatedAnnealingSampler
from annealnn.models import terms_of_bqm
from annealnn.samplers._simulated_annealing import default_beta_range
from annealnn.testing import LOPSIDED, boltzmann_pvalue

FALSE_ALARM = 1e-6
TRIANGLE = dimod.BQM.from_ising({}, {"ab": -1, "bc": 1, "ac": 1})
UPS_AND_DOWNS = dimod.SampleSet.from_samples_bqm([{"a": 1, "b": 1, "c": 1}, {"a": -1, "b": -1, "c": -1}], TRIANGLE)
FERROMAGNET = dimod.BQM.from_ising(dict.fromkeys(range(40), -1.0), {(u, v): -1.0 for v in range(40) for u in range(v)})
GLASS = dimod.generators.ran_r(3, 30, seed=1)
BOTH = pytest.mark.parametrize("sampler", [SimulatedAnnealingSampler(), GibbsSampler()], ids=["anneal", "gibbs"])


def anneal(bqm, **keywords):
    return SimulatedAnnealingSampler().sample(bqm, **{"seed": 1, **keywords})


def reads(bqm, **keywords):
    return anneal(bqm, **keywords).record.sample


# the keywords


def test_every_keyword_of_theirs_is_ours_with_the_same_default():
    theirs = inspect.signature(dwave.samplers.SimulatedAnnealingSampler.sample).parameters
    ours = inspect.signature(SimulatedAnnealingSampler.sample).parameters
    plain = {k: p for k, p in theirs.items() if k not in ("self", "bqm") and p.kind is not p.VAR_KEYWORD}
    assert set(dwave.samplers.SimulatedAnnealingSampler().parameters) <= set(plain)
    for name, parameter in plain.items():
        assert name in ours, f"{name} is missing"
        assert ours[name].default == parameter.default, name
        assert ours[name].kind is parameter.KEYWORD_ONLY


def test_their_info_is_in_ours():
    theirs = dwave.samplers.SimulatedAnnealingSampler().sample(TRIANGLE).info
    ours = anneal(TRIANGLE).info
    assert set(theirs) <= set(ours)
    assert ours["beta_schedule_type"] == theirs["beta_schedule_type"] == "geometric"
    assert len(ours["beta_range"]) == 2
    assert not ours["interrupted"]
    assert ours["num_sweeps"] == 1000
    assert json.loads(json.dumps(ours)) == ours


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_a_full_call_of_theirs_works_here(vartype):
    keywords = {
        "beta_range": [0.1, 2.0],
        "num_reads": 5,
        "num_sweeps": 40,
        "num_sweeps_per_beta": 2,
        "beta_schedule_type": "linear",
        "seed": 3,
        "interrupt_function": lambda: False,
        "initial_states": UPS_AND_DOWNS,
        "initial_states_generator": "tile",
        "randomize_order": True,
        "proposal_acceptance_criteria": "Gibbs",
    }
    bqm = TRIANGLE.change_vartype(vartype, inplace=False)
    theirs, ours = (
        sampler.sample(bqm, **keywords)
        for sampler in (dwave.samplers.SimulatedAnnealingSampler(), SimulatedAnnealingSampler())
    )
    assert ours.record.sample.shape == theirs.record.sample.shape
    assert ours.record.dtype.names == theirs.record.dtype.names
    assert ours.record.sample.dtype == theirs.record.sample.dtype
    assert ours.vartype is theirs.vartype
    assert set(ours.variables) == set(theirs.variables)
    dimod.testing.assert_sampleset_energies(ours, bqm)


# problems


def test_ising_and_qubo_come_back_in_their_form():
    spins = SimulatedAnnealingSampler().sample_ising({"a": 0, "b": -1}, {("a", "b"): -1})
    bits = SimulatedAnnealingSampler().sample_qubo({(0, 1): 1})
    assert (spins.vartype, bits.vartype) == (dimod.SPIN, dimod.BINARY)
    assert spins.record.sample.shape == bits.record.sample.shape == (1, 2)


@pytest.mark.parametrize("h", [{}, {"a": 0, "b": -1}])
@pytest.mark.parametrize("J", [{}, {("a", "b"): -1}])
def test_empty_parts_of_a_problem(h, J):
    found = SimulatedAnnealingSampler().sample_ising(h, J)
    assert set(found.variables) == ({"a", "b"} if h or J else set())


def test_parts_without_a_link_each_find_their_ground_state():
    parts = [(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5)]
    bqm = dimod.BQM.from_ising({}, dict.fromkeys(parts, -1.0))
    found = anneal(bqm, num_reads=100, proposal_acceptance_criteria="Gibbs")
    assert found.record.sample.shape == (100, 6)
    assert (found.record.energy == -6).mean() > 0.9
    # the parts are independent of one another: all four ground states come up
    assert len(np.unique(found.record.sample[found.record.energy == -6], axis=0)) == 4


@pytest.mark.parametrize("num_reads", [1, 10, 33, 3223])
def test_as_many_reads_as_asked_for(num_reads):
    bqm = dimod.BQM.from_ising({}, {("a", "b"): 0.5, (0, "a"): -1, (1, "b"): 0.0})
    assert reads(bqm, num_reads=num_reads, num_sweeps=10).shape == (num_reads, 4)


@pytest.mark.parametrize("num_reads", [0, -1, 3.5, float("inf"), "string", [], {}])
def test_a_number_of_reads_that_is_none_is_refused(num_reads):
    with pytest.raises(ValueError, match="num_reads is a whole number of at least 1; got"):
        anneal(TRIANGLE, num_reads=num_reads)


def test_seeds_repeat_and_differ():
    found = [reads(GLASS, num_reads=50, num_sweeps=2, seed=seed) for seed in (1, 25, 2352, 736145, 1, 2**40)]
    np.testing.assert_array_equal(found[0], found[4])
    assert len({rows.tobytes() for rows in found}) == 5


# schedules


@pytest.mark.parametrize("kind", ["geometric", "linear"])
def test_schedules_that_are_filled_in(kind):
    found = anneal(FERROMAGNET, num_reads=10, beta_schedule_type=kind, num_sweeps=50)
    assert found.first.energy == -820
    assert found.info["schedule"]["beta_schedule_type"] == kind
    with pytest.raises(ValueError, match="beta_schedule goes with beta_schedule_type='custom'"):
        anneal(TRIANGLE, beta_schedule_type=kind, beta_schedule=[0.1, 1])


def test_custom_schedules_rise_and_fall():
    betas = [0.0, 2.0, 0.5, 3.0]
    info = anneal(TRIANGLE, beta_schedule_type="custom", beta_schedule=betas, num_sweeps_per_beta=2).info
    assert (info["num_sweeps"], info["beta_range"]) == (8, [0.0, 3.0])
    schedule = BetaSchedule(**json.loads(json.dumps(info["schedule"])))
    np.testing.assert_array_equal(schedule.betas(), np.repeat(betas, 2))
    # what is said twice must agree
    again = {"beta_schedule_type": "custom", "beta_schedule": np.array(betas)}
    anneal(TRIANGLE, **again, num_sweeps=4, beta_range=(0.0, 3.0))
    with pytest.raises(ValueError, match="num_sweeps of a custom schedule is its own, 4; got 5"):
        anneal(TRIANGLE, **again, num_sweeps=5)
    with pytest.raises(ValueError, match=r"beta_range of a custom schedule is its own, \(0.0, 3.0\); got \(1.0, 3.0\)"):
        anneal(TRIANGLE, **again, beta_range=(1, 3))


@pytest.mark.parametrize(
    ("betas", "said"),
    [
        (None, "beta_schedule goes with beta_schedule_type='custom'"),
        ([-1, 1], "beta_schedule holds finite numbers of at least 0; got -1.0 at 0"),
        ([1, float("nan")], "beta_schedule holds finite numbers of at least 0; got nan at 1"),
        ([1, float("inf")], "got inf at 1"),
        (["asd", 1], "beta_schedule is a sequence of numbers; got"),
        ([], r"at least one number; got an array of shape \(0,\)"),
        ([[1, 2]], r"at least one number; got an array of shape \(1, 2\)"),
    ],
)
def test_custom_schedules_that_are_none(betas, said):
    with pytest.raises(ValueError, match=said):
        anneal(TRIANGLE, beta_schedule_type="custom", beta_schedule=betas)


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"beta_schedule_type": "asd"}, "beta_schedule_type is one of 'linear', 'geometric', 'custom'; got 'asd'"),
        ({"beta_range": (-1, 2)}, "beta_range is a finite number, at least 0; got -1"),
        ({"beta_range": (1, float("nan"))}, "beta_range is a finite number, .*; got nan"),
        ({"beta_range": (1, 2, 3)}, "beta_range is a pair of numbers; got"),
        ({"beta_range": (0, 2)}, "a geometric schedule has no beta 0"),
        ({"beta_range": (2, 0)}, "a geometric schedule has no beta 0"),
        ({"num_sweeps": 5, "num_sweeps_per_beta": 2}, "num_sweeps is a multiple of num_sweeps_per_beta; got"),
        ({"num_sweeps_per_beta": 0}, "num_sweeps_per_beta is a whole number of at least 1; got 0"),
        ({"num_sweeps": -1}, "num_sweeps is a whole number of at least 1; got -1"),
        ({"num_sweeps": 0}, "num_sweeps is a whole number of at least 1; got 0"),
        ({"proposal_acceptance_criteria": "Glauber"}, "one of 'Metropolis', 'Gibbs'; got 'Glauber'"),
        ({"randomize_order": "yes"}, "randomize_order is one of True, False; got 'yes'"),
        ({"progress": "later"}, "got 'later'"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(keywords, said):
    calls = []
    with pytest.raises(ValueError, match=said):
        anneal(TRIANGLE, interrupt_function=lambda: calls.append(1), **keywords)
    assert not calls


def test_sweeps_per_beta_hold_each_beta():
    held = anneal(GLASS, num_reads=40, beta_range=(0.2, 2.0), num_sweeps=6, num_sweeps_per_beta=3)
    custom = anneal(GLASS, num_reads=40, beta_schedule_type="custom", beta_schedule=[0.2] * 3 + [2.0] * 3)
    np.testing.assert_array_equal(held.record.sample, custom.record.sample)
    # one beta alone is the last one
    last = anneal(GLASS, num_reads=40, beta_range=(0.2, 2.0), num_sweeps=3, num_sweeps_per_beta=3)
    at_two = anneal(GLASS, num_reads=40, beta_schedule_type="custom", beta_schedule=[2.0] * 3)
    np.testing.assert_array_equal(last.record.sample, at_two.record.sample)


def test_a_range_may_fall():
    heated = anneal(GLASS, num_reads=100, beta_range=(3.0, 0.01), num_sweeps=100)
    cooled = anneal(GLASS, num_reads=100, beta_range=(0.01, 3.0), num_sweeps=100)
    assert heated.record.energy.mean() > cooled.record.energy.mean() + 10


def test_learners_take_the_same_keywords():
    structure, parameters, _ = terms_of_bqm(GLASS)
    keywords = {"beta_schedule": [0.1, 0.5, 1.0], "num_sweeps_per_beta": 2, "randomize_order": True}
    compiled = SimulatedAnnealingSampler().compile(structure, beta_schedule_type="custom", **keywords)
    assert compiled.step(parameters, compiled.init(3, 0)).info["sweeps_done"].tolist() == [6, 6, 6]


# the range that is chosen


def betas_of(bqm):
    return default_beta_range(*terms_of_bqm(bqm)[:2])


@pytest.mark.parametrize("quadratic", [False, True])
def test_default_range_scales_with_the_problem(quadratic):
    starts, stops = zip(
        *(
            betas_of(dimod.BQM({} if quadratic else {"a": x}, {"ab": x} if quadratic else {}, 0, "SPIN"))
            for x in (0.1, 1, 10)
        ),
        strict=True,
    )
    np.testing.assert_allclose(starts, np.log(2) / 2 / np.array([0.1, 1, 10]))
    np.testing.assert_allclose(stops, np.log(499) / 2 / np.array([0.1, 1, 10]), rtol=2e-3)


def test_default_range_is_that_of_the_terms():
    assert betas_of(dimod.BQM("SPIN")) == betas_of(dimod.BQM({"a": 0.0}, {"bc": 0.0}, 0, "SPIN")) == (0.1, 1.0)
    bqm = dimod.BQM.from_ising({"a": 1}, {"bc": 1})
    assert betas_of(bqm) == betas_of(bqm.change_vartype("BINARY", inplace=False))
    # one tiny term among many does not make the anneal colder
    many = dimod.BQM.from_ising(dict.fromkeys(range(1000), 1.0) | {0: 1e-9}, {})
    assert 3 < betas_of(many)[1] < 4


# initial states


@BOTH
def test_reads_adapt_to_initial_states(sampler):
    def num_reads(**keywords):
        return len(sampler.sample(TRIANGLE, num_sweeps=5, **keywords))

    assert num_reads() == num_reads(initial_states=None) == num_reads(initial_states_generator="random") == 1
    assert num_reads(initial_states=UPS_AND_DOWNS) == 2
    for generator in ("none", "tile", "random"):
        assert num_reads(initial_states=UPS_AND_DOWNS, initial_states_generator=generator, num_reads=1) == 1
    for generator in ("tile", "random"):
        assert num_reads(initial_states=UPS_AND_DOWNS, initial_states_generator=generator, num_reads=9) == 9
    assert num_reads(num_reads=4) == 4
    nothing = (np.empty((0, 3)), ["a", "b", "c"])
    assert num_reads(initial_states=nothing, num_reads=10) == 10
    assert num_reads(initial_states=nothing) == 1


def test_no_sweeps_give_initial_states_back():
    same = anneal(TRIANGLE, num_sweeps=0, initial_states=UPS_AND_DOWNS)
    np.testing.assert_array_equal(same.record.sample, UPS_AND_DOWNS.record.sample)
    assert (same.info["num_sweeps"], same.info["schedule"], same.info["interrupted"]) == (0, None, False)
    tiled = reads(TRIANGLE, num_sweeps=0, initial_states=UPS_AND_DOWNS, num_reads=5, initial_states_generator="tile")
    np.testing.assert_array_equal(tiled[:, 0], [1, -1, 1, -1, 1])
    random = reads(TRIANGLE, num_sweeps=0, initial_states=UPS_AND_DOWNS, num_reads=200)
    np.testing.assert_array_equal(random[:2], UPS_AND_DOWNS.record.sample)
    assert len(np.unique(random[2:], axis=0)) == 8


@pytest.mark.parametrize(
    "given",
    [
        {"a": 1, "b": 0, "c": 0},
        {"c": -1, "b": -1, "a": 1},
        [{"b": 0, "c": 0, "a": 1}],
        ([[-1, 1, -1]], ["c", "a", "b"]),
        (np.array([[0.0, 1.0, 0.0]]), ["c", "a", "b"]),
        dimod.SampleSet.from_samples({"a": 1, "b": 0, "c": 0}, vartype="BINARY", energy=0),
        dimod.SampleSet.from_samples({"a": 1, "b": -1, "c": -1}, vartype="SPIN", energy=0),
    ],
)
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_initial_states_of_every_kind(given, vartype):
    bqm = TRIANGLE.change_vartype(vartype, inplace=False)
    before = str(given)
    found = anneal(bqm, num_sweeps=0, initial_states=given)
    down = min(bqm.vartype.value)
    assert [dict(sample) for sample in found.samples()] == [{"a": 1, "b": down, "c": down}]
    assert str(given) == before
    if isinstance(given, tuple):  # they take no floats
        given = np.asarray(given[0], np.int8), given[1]
    theirs = dwave.samplers.SimulatedAnnealingSampler().sample(bqm, num_sweeps=0, initial_states=given)
    assert [dict(sample) for sample in theirs.samples()] == [dict(sample) for sample in found.samples()]


def test_initial_states_with_odd_labels():
    labels = [("x", 1), "z", 7, frozenset("q")]
    bqm = dimod.BQM(dict.fromkeys(labels, 0.0), {(labels[0], labels[3]): 1.0}, 0.0, "SPIN")
    given = {label: 1 - 2 * (k % 2) for k, label in enumerate(reversed(labels))}
    (found,) = anneal(bqm, num_sweeps=0, initial_states=given).samples()
    assert dict(found) == given


@BOTH
@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"initial_states_generator": "tile", "num_reads": 10}, "initial_states has at least one row .*; got none"),
        ({"initial_states_generator": "none", "num_reads": 3}, "a row for each of 3 reads .*; got 0"),
        (
            {"initial_states": UPS_AND_DOWNS, "initial_states_generator": "none", "num_reads": 3},
            "a row for each of 3 reads .*; got 2",
        ),
        ({"initial_states_generator": "all"}, "one of 'none', 'tile', 'random'; got 'all'"),
        ({"initial_states": {"a": 1, "b": 1}}, "a value for every variable of the problem; got none for 'c'"),
        ({"initial_states": {"a": 1, "b": 1, "c": 1, "d": 1}}, "variables of the problem and no other; got 'd'"),
        ({"initial_states": ([[1, 1, 1]], ["a", "b", "b"])}, "every variable once; got 'b' twice"),
        ({"initial_states": [[1, 1, 1]]}, "got none for 'a'"),
        ({"initial_states": {"a": 2, "b": 1, "c": 1}}, r"spins, -1 or 1, or bits, 0 or 1; got 2 at \(0, 0\)"),
        ({"initial_states": {"a": 0.5, "b": 1, "c": 1}}, "got 0.5"),
        ({"initial_states": {"a": float("nan"), "b": 1, "c": 1}}, "got nan"),
        ({"initial_states": {"a": -1, "b": 0, "c": 1}}, "got both -1 and 0"),
        ({"initial_states": [{"a": 1, "b": 1, "c": 1}, {"a": 1}]}, "as dimod.as_samples takes them"),
        ({"initial_states": ([[1, 1]], ["a", "b", "c"])}, "as dimod.as_samples takes them"),
    ],
)
def test_initial_states_that_are_none(sampler, keywords, said):
    with pytest.raises(ValueError, match=said):
        sampler.sample(TRIANGLE, **keywords)


@BOTH
def test_reads_begin_where_they_are_told(sampler):
    # far too cold to leave: every read stays in the valley that it began in
    betas = {"beta": 50.0} if isinstance(sampler, GibbsSampler) else {"beta_range": (50.0, 50.0)}
    bqm = dimod.BQM.from_ising({}, {(u, v): -1.0 for v in range(12) for u in range(v)})
    given = np.where(np.arange(40) % 3 == 0, 1, -1)[:, None] * np.ones((1, 12), int)
    found = sampler.sample(bqm, initial_states=given, num_sweeps=20, **betas)
    np.testing.assert_array_equal(found.record.sample, given)


@BOTH
def test_more_reads_keep_the_earlier_ones_from_initial_states(sampler):
    five, fifty = (
        sampler.sample(TRIANGLE, initial_states=UPS_AND_DOWNS, num_reads=n, num_sweeps=1, seed=2).record.sample
        for n in (5, 50)
    )
    np.testing.assert_array_equal(five, fifty[:5])


# updates


@BOTH
def test_random_order_changes_reads_and_not_the_distribution(sampler):
    betas = {"beta": 0.8} if isinstance(sampler, GibbsSampler) else {"beta_range": (0.8, 0.8)}
    plain, shuffled, again = (
        sampler.sample(LOPSIDED, num_reads=20_000, num_sweeps=60, seed=1, randomize_order=order, **betas)
        for order in (False, True, True)
    )
    assert not np.array_equal(plain.record.sample, shuffled.record.sample)
    np.testing.assert_array_equal(shuffled.record.sample, again.record.sample)
    assert boltzmann_pvalue(shuffled, LOPSIDED, 0.8) > FALSE_ALARM
    assert boltzmann_pvalue(shuffled, LOPSIDED, 0.95) < FALSE_ALARM
    few = sampler.sample(LOPSIDED, num_reads=7, num_sweeps=60, seed=1, randomize_order=True, num_threads=1, **betas)
    np.testing.assert_array_equal(few.record.sample, shuffled.record.sample[:7])


def test_criteria_differ_in_the_reads_they_give():
    metropolis, gibbs, gibbs_too = (
        reads(GLASS, num_reads=40, num_sweeps=3, proposal_acceptance_criteria=criteria)
        for criteria in ("Metropolis", "Gibbs", "gibbs")
    )
    assert not np.array_equal(metropolis, gibbs)
    np.testing.assert_array_equal(gibbs, gibbs_too)
    # at beta 0 Metropolis accepts every flip, a heat bath draws anew
    flat = {"beta_range": (0.0, 0.0), "beta_schedule_type": "linear", "num_sweeps": 2, "initial_states": UPS_AND_DOWNS}
    np.testing.assert_array_equal(reads(TRIANGLE, **flat), UPS_AND_DOWNS.record.sample)
    drawn = reads(TRIANGLE, **flat, num_reads=200, proposal_acceptance_criteria="Gibbs")
    assert len(np.unique(drawn, axis=0)) == 8
