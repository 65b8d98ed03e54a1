"""Contestants on this machine: reads, energies, columns, seeds, times; a row for each that is installed."""

import json

import dimod
import numpy as np
import pytest
from dwave.samplers import SimulatedAnnealingSampler

from annealnn.benchmark._contestant import ContestantSpec, Hardware
from annealnn.benchmark.contestants import DimodContestant, contestant_names, open_contestant
from annealnn.benchmark.contestants._compiled import CompiledContestant, Prepared
from annealnn.embeddings import topology_graph
from annealnn.exceptions import ProblemRefusedError
from annealnn.models import IsingModel
from annealnn.samplers import GibbsSampler
from annealnn.testing._statistics import boltzmann_pvalue

LOCAL = [name for name in contestant_names(installed=True) if name not in ("qpu", "standin")]
SOLVERS = ["planar", "tree"]
SAMPLERS = [name for name in LOCAL if name not in SOLVERS]
WITH_EFFORT = [name for name in SAMPLERS if name != "exact"]
# the others stay at one temperature
DESCENDING = [name for name in WITH_EFFORT if name not in ("gibbs", "path-integral")]
FLAT = (0.0,) * 6

LABELS = ("z", ("b", 1), 3, "a", 2.5, "m")
_J = {(0, 1): -0.9, (1, 2): 0.4, (0, 2): 0.25, (2, 3): -0.75, (3, 4): 0.6, (4, 5): 0.8, (0, 5): -0.35}


def lopsided(*, fields=(0.7, -0.3, 0.1, 0.0, -0.45, 0.2)):
    """Six variables whose labels have no order, and one state of least energy; planar."""
    named = {(LABELS[i], LABELS[j]): value for (i, j), value in _J.items()}
    return IsingModel(dict(zip(LABELS, fields, strict=True)), named)


def glass(topology="chimera-2", *, seed=5, scale=1.0):
    """Couplings of +-scale on a processor's graph, without fields."""
    graph, rng = topology_graph(topology), np.random.default_rng(seed)
    couplings = {tuple(sorted(edge)): scale * float(rng.choice([-1, 1])) for edge in sorted(graph.edges)}
    return IsingModel(dict.fromkeys(sorted(graph, reverse=True), 0.0), couplings)


def complete(num_variables):
    """A ferromagnet of all pairs."""
    return IsingModel([0.0] * num_variables, {(i, j): 1.0 for j in range(num_variables) for i in range(j)})


def ground_states(model):
    """Return (least energy, states (num_states, num_variables)) by enumeration, without the code under test."""
    n = model.structure.num_variables
    states = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    heads, tails = np.array(model.structure.edges).T
    h, couplings = model.parameters
    energies = -states @ h - (states[:, heads] * states[:, tails]) @ couplings + model.offset
    return energies.min(), states[np.isclose(energies, energies.min())]


def opened(name, **settings):
    return open_contestant(ContestantSpec(name=name, settings=settings))


def run(contestant, model, *, num_reads=64, seed=3, effort=40):
    return contestant.run(model, effort=effort if contestant.effort_name else None, num_reads=num_reads, seed=seed)


def takes(name):
    """A problem that the contestant takes: the planar solver has no fields."""
    return lopsided(fields=FLAT) if name == "planar" else lopsided()


@pytest.mark.parametrize("name", LOCAL)
def test_reads_are_spins_and_have_the_energies_that_are_claimed(name):
    contestant, model = opened(name), takes(name)
    found = run(contestant, model)
    assert found.spins.shape == (64, 6)
    assert found.spins.dtype == np.int8
    assert set(np.unique(found.spins)) <= {-1, 1}
    np.testing.assert_allclose(found.energies, model.energy(found.spins), atol=1e-9)
    # no other order of the columns has them
    assert not np.allclose(found.energies, model.energy(np.roll(found.spins, 1, axis=1)), atol=1e-9)


@pytest.mark.parametrize("name", LOCAL)
def test_the_best_read_is_the_state_of_least_energy(name):
    """At one temperature a read is it with a chance of 0.2 or more: of 64, none is with one below 1e-6."""
    model = takes(name)
    least, states = ground_states(model)
    found = run(opened(name), model)
    assert found.energies.min() == pytest.approx(least)
    best = found.spins[np.argmin(found.energies)]
    assert (best == states).all(axis=1).any()


@pytest.mark.parametrize("name", LOCAL)
def test_one_seed_gives_one_set_of_reads(name):
    model = takes(name)
    one, again = (run(opened(name), model, effort=3) for _ in range(2))
    np.testing.assert_array_equal(one.spins, again.spins)


@pytest.mark.parametrize("name", SAMPLERS)
def test_another_seed_gives_other_reads(name):
    contestant, model = opened(name), glass("chimera-1") if name == "exact" else glass()
    one, other = (run(contestant, model, effort=1, seed=seed) for seed in (0, 2**40))
    assert not np.array_equal(one.spins, other.spins)


def overlap_excess(spins):
    """Return the mean overlap of reads 2k and 2k+1, in standard errors.

    It is 0 on average for independent reads of a problem that looks the same when all spins are flipped.
    """
    q = (spins[::2].astype(float) * spins[1::2]).mean(axis=1)
    return abs(q.sum()) / np.sqrt((q**2).sum())


@pytest.mark.parametrize("name", SAMPLERS)
def test_reads_are_independent_runs(name):
    """False alarm below 1e-6 per row: 5 standard errors of 100 pairs."""
    model = glass("chimera-1")
    assert overlap_excess(run(opened(name), model, num_reads=200, effort=4).spins) < 5


def test_reads_that_come_in_pairs_are_seen():
    spins = np.repeat(run(opened("anneal"), glass("chimera-1"), num_reads=100).spins, 2, axis=0)
    assert overlap_excess(spins) > 5


@pytest.mark.parametrize("name", DESCENDING)
def test_more_effort_finds_lower_energies(name):
    contestant, model = opened(name), glass("chimera-3")
    little, much = (run(contestant, model, effort=effort).energies for effort in (1, 100))
    error = np.sqrt((little.var() + much.var()) / len(little))
    assert little.mean() - much.mean() > 5 * error


@pytest.mark.parametrize("name", LOCAL)
def test_times_are_told_apart(name):
    contestant = opened(name)
    timing = run(contestant, takes(name)).timing
    assert min(timing) >= 0
    assert timing.annealing_s > 0
    assert timing.network_s == timing.programming_s == timing.readout_s == 0


@pytest.mark.parametrize("name", LOCAL)
def test_hardware_and_info_are_for_json(name):
    contestant = open_contestant(ContestantSpec(name=name, power_w=65.0))
    hardware = json.loads(json.dumps(contestant.hardware.to_dict()))
    assert Hardware(**hardware) == contestant.hardware
    assert hardware["power_w"] == 65.0
    assert hardware["num_cores"] == 1
    assert hardware["name"]
    assert not hardware["simulated"]
    assert opened(name).hardware.power_w is None
    json.dumps(run(contestant, takes(name)).info, allow_nan=False)


FALSE_ALARM = 1e-6
THERMAL = {"exact": {"beta": 0.8}, "gibbs": {"beta": 0.8}, "tempering": {"beta": 0.8}}


@pytest.mark.parametrize("name", THERMAL)
def test_reads_at_one_temperature_have_the_problems_distribution(name):
    """Signs and columns too: against all 64 states, and against those of a problem of other signs."""
    model = lopsided()
    found = run(opened(name, **THERMAL[name]), model, num_reads=4000, effort=50)
    reads = dimod.SampleSet.from_samples((found.spins, model.labels), "SPIN", found.energies, sort_labels=False)
    assert boltzmann_pvalue(reads, model.to_bqm(), 0.8) > FALSE_ALARM
    assert boltzmann_pvalue(reads, model.to_bqm(), 1.2) < FALSE_ALARM
    turned = lopsided(fields=(-0.7, 0.3, -0.1, 0.0, 0.45, -0.2))
    assert boltzmann_pvalue(reads, turned.to_bqm(), 0.8) < FALSE_ALARM


def test_threads_are_cores_and_change_no_read():
    one, two = opened("anneal"), opened("anneal", num_threads=2)
    assert (one.hardware.num_cores, two.hardware.num_cores) == (1, 2)
    np.testing.assert_array_equal(run(one, glass()).spins, run(two, glass()).spins)


def test_the_same_schedule_gives_energies_like_those_of_dwave_samplers():
    """Mean energies of 2000 reads each, within 5 standard errors; twice the sweeps are beyond that."""
    model, schedule = glass("chimera-4"), {"beta_range": [0.1, 3.0]}

    def apart(effort):
        ours = run(opened("anneal", **schedule), model, num_reads=2000, effort=effort).energies
        theirs = run(opened("neal", **schedule), model, num_reads=2000, effort=16).energies
        return abs(ours.mean() - theirs.mean()) / np.sqrt((ours.var() + theirs.var()) / 2000)

    assert apart(16) < 5
    assert apart(32) > 5


def test_a_problem_is_prepared_once():
    prepared = []

    def prepare(structure, parameters):
        prepared.append(structure.num_variables)
        return Prepared(lambda effort: GibbsSampler().compile(structure, num_sweeps=effort or 1, num_threads=1), {})

    contestant = CompiledContestant(prepare, version="1")
    for model in (lopsided(), lopsided(), glass(), glass(seed=6)):
        for effort in (1, 2):
            run(contestant, model, effort=effort)
    assert prepared == [3, 6, 32, 32]  # the triangle first


@pytest.mark.parametrize(
    ("name", "model", "words"),
    [
        ("exact", complete(40), "width"),
        ("tree", complete(30), "treewidth"),
        ("planar", complete(5), "planar"),
        ("planar", lopsided(), "linear biases"),
    ],
    ids=["exact-wide", "tree-wide", "planar-crossing", "planar-fields"],
)
def test_a_problem_that_is_not_for_a_contestant_is_refused(name, model, words):
    with pytest.raises(ProblemRefusedError, match=words):
        run(opened(name), model)


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("anneal", {"beta_rang": [0, 1]}, "settings are beta_range.*got 'beta_rang'"),
        ("anneal", {"num_sweeps": 5}, "Sweeps are the effort"),
        ("anneal", {"beta_range": [-1, 1]}, "beta_range.*-1"),
        ("gibbs", {"beta": -1.0}, "beta.*-1"),
        ("tempering", {"num_replicas": 0}, "num_replicas.*0"),
        ("quantum-anneal", {"num_slices": 1}, "num_slices.*1"),
        ("exact", {"beta": -1.0}, "beta.*-1"),
        ("population-annealing", {"population_size": 0}, "population_size.*0"),
        ("path-integral", {"gamma": -1.0}, "gamma.*-1"),
        ("neal", {"sweeps": 5}, "settings of SimulatedAnnealingSampler are.*got 'sweeps'"),
        ("tabu", {"seed": 5}, "settings of TabuSampler are.*got 'seed'"),
        ("anneal", {"num_threads": 0}, "num_threads.*0"),
        ("tempering", {"beta_": 1.0}, "settings of 'tempering' are beta, num_replicas.*got 'beta_'"),
        ("tree", {"num_reads": 2}, "settings of 'tree' are none; got 'num_reads'"),
    ],
    ids=str,
)
def test_a_setting_that_breaks_a_rule_is_told_of_when_it_is_opened(name, settings, words):
    with pytest.raises(ValueError, match=words) as caught:
        opened(name, **settings)
    assert not isinstance(caught.value, ProblemRefusedError)


@pytest.mark.parametrize(("name", "effort"), [("anneal", 2.5), ("anneal", 0), ("neal", 2.5), ("neal", float("inf"))])
def test_effort_is_a_whole_number(name, effort):
    with pytest.raises(ValueError, match=f"num_sweeps is a whole number.*{effort}"):
        opened(name).run(lopsided(), effort=effort, num_reads=1, seed=0)


@pytest.mark.parametrize("name", ["exact", "tree"])
def test_an_effort_for_what_has_none_is_refused(name):
    with pytest.raises(ValueError, match=r"effort is None.*got 3\.0"):
        opened(name).run(lopsided(), effort=3.0, num_reads=1, seed=0)


def test_a_sampler_that_gives_too_few_reads_is_told_of():
    class Thrifty(dimod.Sampler):
        parameters = property(lambda self: {"num_reads": []})
        properties = property(lambda self: {})

        def sample(self, bqm, num_reads=1):
            return SimulatedAnnealingSampler().sample(bqm, num_reads=(num_reads + 1) // 2)

    contestant = DimodContestant(Thrifty(), version="1")
    with pytest.raises(RuntimeError, match="asked for 8 reads; got 4"):
        contestant.run(lopsided(), effort=None, num_reads=8, seed=0)


def test_merged_reads_are_unfolded():
    class Merging(dimod.Sampler):
        parameters = property(lambda self: {"num_reads": []})
        properties = property(lambda self: {})

        def sample(self, bqm, num_reads=1):
            return SimulatedAnnealingSampler().sample(bqm, num_reads=num_reads, seed=1).aggregate()

    model = lopsided()
    found = DimodContestant(Merging(), version="1").run(model, effort=None, num_reads=50, seed=0)
    assert found.spins.shape == (50, 6)
    np.testing.assert_allclose(found.energies, model.energy(found.spins), atol=1e-9)
