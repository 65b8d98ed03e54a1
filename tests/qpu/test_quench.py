"""Quantum models on a device: where the anneal rests, what is refused, and the gamma that reads speak of."""

import json
import pickle

import dimod
import numpy as np
import pytest

from annealnn import QuantumBoltzmannMachine
from annealnn.models import IsingModel, Structure, TransverseIsing
from annealnn.models._exact import basis_energies, basis_spins
from annealnn.models._structure import Parameters
from annealnn.qpu import QuenchComposite, QuenchPlan, estimate_gamma, plan_quench
from annealnn.qpu._achieved_gamma import _diagonal
from annealnn.samplers import compile_sampler
from annealnn.schedules import EnergyScales
from annealnn.testing._statistics import chi_square_pvalue

FALSE_ALARM = 1e-6  # per test, by design; seeds are fixed, so a pass stays a pass
MK_PER_GHZ = 47.99243073  # h / k_B
TEMPERATURE = 18.0

# the shape of a processor's table: A falls from 10 GHz, B rises to 14
S = np.linspace(0, 1, 201)
SCALES = EnergyScales.from_ghz(S, 10 * (1 - S) ** 3, 14 * S**1.5, name="a device")

# lopsided, so that a slip of sign or order shows
MODEL = IsingModel([0.4, -0.3, 0.7, 0.1, -0.5], {(0, 1): 0.9, (1, 2): -0.6, (2, 3): 0.5, (3, 4): 0.8, (0, 4): -0.2})


EDGES = [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4)]


class Frozen(dimod.Sampler, dimod.Structured):
    """A device that draws exactly from its own Hamiltonian at the s where its schedule pauses: H/h = A/2, B/2."""

    properties, parameters = None, None  # dimod's own way: set when made
    nodelist, edgelist = None, None

    def __init__(self):
        self.asked = []
        self.properties = {"h_range": [-4.0, 4.0], "j_range": [-1.0, 1.0], "extended_j_range": [-2.0, 1.0]}
        self.parameters = {"num_reads": [], "anneal_schedule": [], "auto_scale": [], "annealing_time": [], "seed": []}
        self.nodelist, self.edgelist = [*range(5)], EDGES

    def sample(self, bqm, *, num_reads, anneal_schedule, auto_scale, seed):
        self.asked.append((bqm, anneal_schedule, auto_scale))
        (s, after) = (point[1] for point in anneal_schedule[1:3])
        assert s == after
        a, b = (np.interp(s, S, values) for values in (10 * (1 - S) ** 3, 14 * S**1.5))
        per_kt = MK_PER_GHZ / TEMPERATURE / 2
        given = IsingModel.from_bqm(bqm)
        scaled = Parameters(b * per_kt * given.h, b * per_kt * given.parameters.couplings)
        model = TransverseIsing.of(IsingModel.from_parameters(given.structure, scaled), a * per_kt)
        spins = draws(model, num_reads, seed)
        return dimod.SampleSet.from_samples_bqm((spins, list(given.labels)), bqm)


def draws(model, num_reads, seed):
    probabilities = np.maximum(model.exact().probabilities, 0)
    states = np.random.default_rng(seed).choice(len(probabilities), num_reads, p=probabilities / probabilities.sum())
    return basis_spins(model.structure.num_variables, states)


def pvalue(spins, model):
    observed = np.bincount((np.asarray(spins) < 0) @ (1 << np.arange(4, -1, -1)), minlength=32).astype(float)
    return chi_square_pvalue(observed, np.maximum(model.exact().probabilities, 0) * len(spins))


def test_the_formulas_of_the_plan():
    plan = plan_quench(1.0, SCALES, TEMPERATURE)
    kt_ghz = TEMPERATURE / MK_PER_GHZ
    assert plan.a_ghz == pytest.approx(2 * kt_ghz)
    assert plan.scale == pytest.approx(2 * kt_ghz / plan.b_ghz)
    assert np.interp(plan.s_star, S, 10 * (1 - S) ** 3) == pytest.approx(plan.a_ghz)
    assert np.interp(plan.s_star, S, 14 * S**1.5) == pytest.approx(plan.b_ghz)
    assert plan.device_beta == pytest.approx(SCALES.beta_at(plan.s_star, TEMPERATURE))


def test_the_anneal_ramps_pauses_and_quenches_at_the_greatest_slope():
    plan = plan_quench(1.0, SCALES, TEMPERATURE, ramp_us=10, pause_us=50)
    (t0, s0), (t1, s1), (t2, s2), (t3, s3) = plan.anneal_schedule
    assert (t0, s0, t1, s1, t2, s2, s3) == (0, 0, 10, plan.s_star, 60, plan.s_star, 1)
    # shortest annealing time 0.5 us, so ds/dt at most 2 per us; in steps of 10 ns
    assert (1 - plan.s_star) / 2 <= plan.quench_us < (1 - plan.s_star) / 2 + 0.01
    fast = plan_quench(1.0, SCALES, TEMPERATURE, max_slope_per_us=20)
    assert fast.quench_us == pytest.approx(0.1 * plan.quench_us, abs=0.01)
    assert t3 - t2 == plan.quench_us


def test_a_larger_gamma_rests_earlier_at_a_larger_scale():
    plans = [plan_quench(gamma, SCALES, TEMPERATURE) for gamma in (0.1, 0.5, 2.0)]
    assert [p.s_star for p in plans] == sorted((p.s_star for p in plans), reverse=True)
    assert [p.scale for p in plans] == sorted(p.scale for p in plans)


def test_the_last_passage_counts_where_a_is_not_monotone():
    bumpy = EnergyScales.from_ghz([0, 0.2, 0.4, 0.6, 1], [10, 0.5, 3, 0.5, 0.0], [0, 1, 2, 3, 4])
    plan = plan_quench(2.0, bumpy, TEMPERATURE)
    assert 0.4 < plan.s_star < 0.6


def test_a_plan_is_plain_and_by_value():
    plan = plan_quench(1.0, SCALES, TEMPERATURE)
    assert plan == pickle.loads(pickle.dumps(plan)) == plan_quench(1.0, SCALES, TEMPERATURE)
    assert hash(plan) == hash(plan_quench(1.0, SCALES, TEMPERATURE))
    assert json.loads(json.dumps(plan.to_dict()))["s_star"] == plan.s_star


@pytest.mark.parametrize(
    ("keywords", "match"),
    [
        ({"gamma": 0.0}, "gamma is a finite number, above 0"),
        ({"gamma": 50.0}, r"gamma from 0 to 13\.33; got gamma = 50, A = 37\.51 GHz"),
        ({"temperature_mk": 0.0}, "temperature_mk is a finite number, above 0"),
        ({"schedule": EnergyScales.linear()}, "scales in GHz"),
        ({"pause_us": 1990.0}, "at most 2000 us; got 2010"),
        ({"ramp_us": 0.1}, "slopes up to 2 per microsecond"),
        ({"properties": {"max_anneal_schedule_points": 3}}, "4 points of a schedule; the device takes 3"),
        ({"properties": {"annealing_time_range": [1.0, 30.0]}}, "at most 30 us"),
        ({"model": IsingModel([40.0], {})}, r"device's fields are from -4 to 4 .*got -40 at 0, scaled -4\.87"),
        (
            {"model": IsingModel([0, 0, 0], {("a", "b"): -9, ("b", "c"): 16}, labels="abc")},
            r"couplings are from -2 to 1 .*got 9 at \('a', 'b'\), scaled 1\.097",
        ),
        (
            {"model": IsingModel([0, 0], {(0, 1): 9}), "properties": {"j_range": [-1, 1]}},
            r"couplings are from -1 to 1 .*got -9",
        ),
    ],
)
def test_what_is_refused(keywords, match):
    keywords = {"gamma": 1.0, "schedule": SCALES, "temperature_mk": TEMPERATURE, **keywords}
    with pytest.raises(ValueError, match=match):
        plan_quench(**keywords)


def test_a_rest_just_before_the_end_still_quenches():
    ends_high = EnergyScales.from_ghz([0, 1], [10, 0.75], [0, 14])
    gamma = 0.75 / 2 * MK_PER_GHZ / TEMPERATURE
    assert plan_quench(gamma * (1 + 1e-9), ends_high, TEMPERATURE).quench_us == pytest.approx(0.01)
    with pytest.raises(ValueError, match=r"gamma from 0\.9998 to"):
        plan_quench(gamma * (1 - 1e-9), ends_high, TEMPERATURE)


def test_the_slopes_of_the_probabilities_are_those_of_finite_differences():
    energies = basis_energies(MODEL.structure, MODEL.parameters)
    flips = -TransverseIsing([0] * 5, {}, 1.0).hamiltonian()
    for square, beta in ((1.7, 0.9), (1e-3, 1.2)):
        p, slopes = _diagonal(energies, flips, square, beta)
        scaled = IsingModel(beta * MODEL.h, beta * MODEL.J)
        np.testing.assert_allclose(p, TransverseIsing.of(scaled, square**0.5).exact().probabilities, atol=1e-12)
        for k, step in enumerate(np.diag([1e-5, 1e-5])):
            up, down = (
                _diagonal(energies, flips, square + sign * step[0], beta + sign * step[1])[0] for sign in (1, -1)
            )
            np.testing.assert_allclose(slopes[k], (up - down) / 2e-5, atol=1e-8)


def test_a_frozen_device_gives_the_models_reads():
    device = Frozen()
    reads = QuenchComposite(device, plan_quench(1.3, SCALES, TEMPERATURE, model=MODEL)).sample(
        MODEL.to_bqm(), num_reads=20000, seed=1
    )
    spins = reads.record.sample[:, [reads.variables.index(v) for v in range(5)]]
    assert pvalue(spins, TransverseIsing.of(MODEL, 1.3)) > FALSE_ALARM
    # the checks have teeth
    assert pvalue(spins, TransverseIsing.of(MODEL, 1.0)) < FALSE_ALARM
    assert pvalue(spins, TransverseIsing.of(IsingModel(-MODEL.h, MODEL.J), 1.3)) < FALSE_ALARM
    np.testing.assert_allclose(reads.record.energy, MODEL.energy(spins), rtol=1e-6)
    assert reads.info["gamma"] == 1.3
    assert reads.info["beta"] is None
    assert device.asked[0][2] is False
    json.dumps(reads.info)


def test_the_learners_door_gives_the_same_distribution():
    structure = Structure.from_edges(range(5), EDGES)
    model = IsingModel(MODEL.h, MODEL.J)
    parameters = Parameters(MODEL.h, np.array([MODEL.J[i, j] for i, j in structure.edges]))
    composite = QuenchComposite(Frozen(), plan_quench(1.3, SCALES, TEMPERATURE))
    compiled = compile_sampler(composite, structure, want="moments")
    step = compiled.step(parameters, compiled.init(20000, seed=2))
    assert pvalue(step.spins, TransverseIsing.of(model, 1.3)) > FALSE_ALARM
    assert step.moments is not None
    assert step.info["gamma"] == 1.3
    again = compiled.step(parameters, compiled.init(20000, seed=2))
    np.testing.assert_array_equal(step.spins, again.spins)


def test_ranges_are_in_the_models_units():
    plan = plan_quench(1.0, SCALES, TEMPERATURE)
    properties = QuenchComposite(Frozen(), plan).properties
    assert properties["h_range"] == [-4 / plan.scale, 4 / plan.scale]
    assert properties["extended_j_range"] == [-2 / plan.scale, 1 / plan.scale]
    at_the_end = IsingModel([3.99 / plan.scale, 0], {(0, 1): 1.99 / plan.scale})
    plan.check(at_the_end)


@pytest.mark.parametrize(
    "keywords", [{"anneal_schedule": [[0, 0], [1, 1]]}, {"annealing_time": 5}, {"auto_scale": True}]
)
def test_what_the_plan_sets_is_not_to_be_given(keywords):
    composite = QuenchComposite(Frozen(), plan_quench(1.0, SCALES, TEMPERATURE))
    with pytest.raises(ValueError, match="the plan says how"):
        composite.sample(MODEL.to_bqm(), num_reads=1, **keywords)
    with pytest.raises(ValueError, match="the plan says how"):
        compile_sampler(composite, Structure.from_edges(range(5), EDGES), **keywords)


def test_a_machine_of_another_gamma_is_refused():
    device = Frozen()
    machine = QuantumBoltzmannMachine(sampler=QuenchComposite(device, plan_quench(1.0, SCALES, TEMPERATURE)), gamma=0.5)
    with pytest.raises(ValueError, match=r"planned for, 1; got gamma=0.5. Set gamma=1"):
        machine.fit(np.eye(5))
    assert not device.asked


def test_a_sampler_without_a_schedule_cannot_quench():
    with pytest.raises(ValueError, match="takes none"):
        QuenchComposite(dimod.RandomSampler(), plan_quench(1.0, SCALES, TEMPERATURE))


@pytest.mark.parametrize(("gamma", "beta"), [(0.6, 1.0), (1.5, 1.0), (0.8, 1.7)])
def test_a_known_gamma_is_recovered_within_its_error(gamma, beta):
    # five standard errors: a false alarm of 6e-7 each
    scaled = IsingModel(beta * MODEL.h, beta * MODEL.J)
    found = estimate_gamma(draws(TransverseIsing.of(scaled, gamma), 20000, 3), MODEL)
    assert abs(found.gamma.value - gamma) < 5 * found.gamma.standard_error
    assert abs(found.beta.value - beta) < 5 * found.beta.standard_error
    assert found.gamma.standard_error < 0.15 * gamma
    assert "maximum likelihood, 20000 reads" in str(found)


def test_the_errors_are_the_spread_of_repeated_estimates():
    model = TransverseIsing.of(MODEL, 1.0)
    found = [estimate_gamma(draws(model, 3000, seed), MODEL) for seed in range(40)]
    for name, truth in (("gamma", 1.0), ("beta", 1.0)):
        values = np.array([getattr(f, name).value for f in found])
        errors = np.array([getattr(f, name).standard_error for f in found])
        # the spread of 40 values has an error of 11 %
        assert values.std() / errors.mean() == pytest.approx(1.0, abs=0.5)
        assert abs(values.mean() - truth) < 5 * errors.mean() / 40**0.5


def test_reads_of_another_gamma_are_told_apart():
    found = estimate_gamma(draws(TransverseIsing.of(MODEL, 0.6), 20000, 4), MODEL)
    assert abs(found.gamma.value - 1.0) > 5 * found.gamma.standard_error


def test_classical_reads_have_no_gamma():
    found = estimate_gamma(draws(TransverseIsing.of(MODEL, 0.0), 5000, 5), MODEL)
    assert found.gamma.value < 5 * found.gamma.standard_error < 2.5
    assert abs(found.beta.value - 1) < 5 * found.beta.standard_error


def test_beta_can_be_held():
    reads = draws(TransverseIsing.of(MODEL, 0.9), 20000, 6)
    held, free = estimate_gamma(reads, MODEL, beta=1.0), estimate_gamma(reads, MODEL)
    assert held.beta == (1.0, 0.0)
    assert abs(held.gamma.value - 0.9) < 5 * held.gamma.standard_error
    assert held.gamma.standard_error < free.gamma.standard_error


@pytest.mark.parametrize(
    ("reads", "match"),
    [
        (np.ones((3, 4), np.int8), r"\(num_reads, 5\)"),
        (np.zeros((3, 5), np.int8), "spins, -1 or"),
        (np.ones((0, 5), np.int8), r"shape \(0, 5\)"),
    ],
)
def test_reads_that_are_none(reads, match):
    with pytest.raises(ValueError, match=match):
        estimate_gamma(reads, MODEL)


def test_too_many_variables():
    with pytest.raises(ValueError, match="up to 12 variables; got 13"):
        estimate_gamma(np.ones((2, 13), np.int8), IsingModel(np.zeros(13), np.zeros((13, 13))))


def test_a_plan_is_frozen():
    assert isinstance(plan_quench(0.5, SCALES, TEMPERATURE), QuenchPlan)
    with pytest.raises(AttributeError):
        plan_quench(0.5, SCALES, TEMPERATURE).gamma = 1.0
