"""Thermal states of a transverse field against exact values, at a stated false-alarm rate.

Reads are independent, so an estimate's error in standard errors is normal. Of many estimates the largest is looked at,
each at an equal share of the alarm rate. Every check has a twin that must fail.
"""

import json
from pathlib import Path

import dimod
import numpy as np
import pytest
from scipy.stats import norm

from annealnn.models import Clamp, IsingModel, Parameters, Structure, TransverseIsing
from annealnn.samplers import PathIntegralSampler, SimulatedQuantumAnnealingSampler
from annealnn.testing import boltzmann_pvalue

FALSE_ALARM = 1e-6  # per test, by design; seeds are fixed, so a pass stays a pass
INSTANCES = json.loads((Path(__file__).parents[1] / "data" / "tfim_exact.json").read_text())["instances"][:3]
CASES = [
    pytest.param(instance, thermal, id=f"{instance['kind']}-{instance['seed']}-beta{thermal['beta']}")
    for instance in INSTANCES
    for thermal in instance["thermal"]
]


def problem(instance):
    return IsingModel(dict(enumerate(instance["h"])), {(i, j): value for i, j, value in instance["J"]}).to_bqm()


def observe(instance, beta, **keywords):
    keywords = {"num_reads": 10_000, "num_sweeps": 150, "gamma": instance["Gamma"], "seed": 1} | keywords
    return PathIntegralSampler().observe(problem(instance), beta=beta, **keywords)


def largest_error(found, values):
    """Return the largest error in standard errors, and the one that `FALSE_ALARM` allows."""
    pairs = {tuple(edge): value for *edge, value in values["ZZ"]}
    errors = [
        *(found.moments.spins - values["Z"]) / found.moment_errors.spins,
        *(
            (found.moments.pairs[k] - pairs[edge]) / found.moment_errors.pairs[k]
            for k, edge in enumerate(found.edges)
            if edge in pairs
        ),
    ]
    if "X" in values:
        errors += [*(found.transverse_moments - values["X"]) / found.transverse_moment_errors]
        errors += [(found.energy.value - values["E"]) / found.energy.standard_error]
    return np.abs(errors).max(), norm.isf(FALSE_ALARM / 2 / len(errors))


@pytest.mark.parametrize(("instance", "thermal"), CASES)
def test_discrete_time_has_the_trotter_values(instance, thermal):
    (trotter,) = (t for t in thermal["trotter"] if t["M"] == 8)
    found, limit = largest_error(observe(instance, thermal["beta"], num_slices=8), trotter)
    assert found < limit


@pytest.mark.parametrize(("instance", "thermal"), CASES)
def test_continuous_time_has_the_exact_values(instance, thermal):
    found = observe(instance, thermal["beta"], num_reads=4_000, num_sweeps=100, imaginary_time="continuous")
    found, limit = largest_error(found, thermal)
    assert found < limit


@pytest.mark.parametrize(("instance", "thermal"), CASES[2::3])
def test_replicas_at_other_fields_leave_the_trotter_values(instance, thermal):
    (trotter,) = (t for t in thermal["trotter"] if t["M"] == 8)
    ladder = [4 * instance["Gamma"], 2 * instance["Gamma"], 1.4 * instance["Gamma"]]
    found = observe(instance, thermal["beta"], num_slices=8, gamma_ladder=ladder)
    assert all(0.02 < chance < 1 for chance in found.samples.info["swap_acceptance"])
    error, limit = largest_error(found, trotter)
    assert error < limit
    # the read is the replica at the weakest field, and not the next
    (other,) = (t for t in INSTANCES[0]["thermal"][0]["trotter"] if t["M"] == 8)
    if instance is INSTANCES[0]:
        assert largest_error(found, other)[0] > limit


def trotter_means(bqm, beta, gamma, num_slices):
    """Return `<Z_i>` of the discrete path integral, by powers of its transfer matrix."""
    n, dtau = bqm.num_variables, beta / num_slices
    spins = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    hop = np.array([[np.cosh(dtau * gamma), np.sinh(dtau * gamma)], [np.sinh(dtau * gamma), np.cosh(dtau * gamma)]])
    hops = np.ones((1, 1))
    for _ in range(n):
        hops = np.kron(hop, hops)
    power = np.linalg.matrix_power(
        np.exp(-dtau * bqm.energies((spins, list(bqm.variables))))[:, None] * hops, num_slices
    )
    return np.diag(power) @ spins / np.trace(power)


def test_replicas_at_other_fields_cross_a_barrier():
    # two wells far apart: with few sweeps at a weak field reads stay in the well that they fell into
    bqm = dimod.BQM.from_ising(dict.fromkeys(range(8), -0.05), {(i, j): -0.5 for i in range(8) for j in range(i)})
    keywords = {"num_reads": 1_000, "num_sweeps": 800, "beta": 2.0, "gamma": 0.5, "num_slices": 8, "seed": 2}
    exact = trotter_means(bqm, 2.0, 0.5, 8)
    for ladder, right in (([6, 4.5, 3.3, 2.4, 1.7, 1.0], True), (None, False)):
        found = PathIntegralSampler().observe(bqm, **keywords, gamma_ladder=ladder)
        error = np.abs(found.moments.spins - exact) / found.moment_errors.spins
        assert (error.max() < norm.isf(FALSE_ALARM / 16)) == right


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"gamma": -1.0}, r"gamma is a finite number, at least 0 and at most 1e\+30; got -1.0"),
        ({"gamma": float("nan")}, r"gamma is a finite number, at least 0 and at most 1e\+30; got nan"),
        ({"gamma": "strong"}, r"gamma is a finite number, at least 0 and at most 1e\+30; got 'strong'"),
        ({"gamma": {"a": 1.0}}, r"gamma has a value for every variable; got none for 'b'"),
        ({"gamma": [1.0]}, r"gamma is one number or one per variable, shape \(2,\); got shape \(1,\)"),
        ({"gamma": [1.0, -2.0]}, r"gamma is a finite number, at least 0 and at most 1e\+30; got -2.0"),
        ({"gamma": {"a": 1.0, "b": 1.0, "c": 1.0}}, r"gamma names variables of the problem and no other; got 'c'"),
        ({"gamma": {"a": 1.0, "b": "x"}}, r"gamma is a finite number, .*; got 'x'"),
        ({"gamma": [1.0, True]}, r"gamma is a finite number, .*; got True"),
        ({"num_slices": 8, "imaginary_time": "continuous"}, r"num_slices is for discrete imaginary time; got 8"),
        ({"beta": 1e308, "gamma": 1e10}, r"beta times the largest energy of a spin is finite; got beta=1e\+308"),
        ({"num_slices": 1}, r"num_slices is a whole number of at least 2; got 1"),
        ({"imaginary_time": "real"}, r"imaginary_time is one of 'discrete', 'continuous'; got 'real'"),
        ({"gamma_ladder": [0.5]}, r"gamma_ladder falls, and ends above gamma; got \[0.5\] with gamma=1"),
        ({"gamma_ladder": [2.0], "gamma": 0.0}, r"gamma_ladder goes with a gamma that is one number above 0"),
        ({"gamma_ladder": [2.0], "imaginary_time": "continuous"}, r"gamma_ladder is for discrete imaginary time"),
    ],
)
def test_bad_fields_are_refused(keywords, message):
    bqm = dimod.BQM({}, {"ab": 1.0}, 0.0, "SPIN")
    with pytest.raises(ValueError, match=message):
        PathIntegralSampler().sample(bqm, **keywords)


@pytest.mark.parametrize("imaginary_time", ["discrete", "continuous"])
@pytest.mark.parametrize("change", ["gamma", "beta"])
def test_another_field_or_temperature_is_seen(imaginary_time, change):
    instance, thermal = INSTANCES[0], INSTANCES[0]["thermal"][1]
    changed = {"gamma": 1.2 * instance["Gamma"]} if change == "gamma" else {}
    beta = thermal["beta"] * (1.2 if change == "beta" else 1.0)
    slices = {"num_slices": 32} if imaginary_time == "discrete" else {}
    found = observe(instance, beta, imaginary_time=imaginary_time, num_reads=4_000, **slices, **changed)
    error, limit = largest_error(found, thermal)
    assert error > limit


def test_trotter_error_of_few_slices_is_seen():
    instance, thermal = INSTANCES[2], INSTANCES[2]["thermal"][2]
    error, limit = largest_error(observe(instance, thermal["beta"], num_slices=4), thermal)
    assert error > limit


def test_trotter_error_falls_by_four_when_slices_double():
    instance, thermal = INSTANCES[2], INSTANCES[2]["thermal"][2]
    exact = {tuple(edge): value for *edge, value in thermal["ZZ"]}
    bias = []
    for num_slices in (4, 8):
        found = observe(instance, thermal["beta"], num_slices=num_slices, num_reads=100_000, num_sweeps=60)
        signs = np.sign([exact[edge] for edge in found.edges])
        bias.append(np.mean(signs * (found.moments.pairs - [exact[edge] for edge in found.edges])))
    assert bias[0] / bias[1] == pytest.approx(4.0, abs=0.6)


def ring(field, beta, n=64):
    """E/n, `<X>` and `<ZZ>` of the ring with J = 1 by free fermions: derivatives of ln Z by differences."""

    def log_z(beta, field):
        k_a, k_p = (2 * np.arange(n) + 1) * np.pi / n, 2 * np.arange(n) * np.pi / n
        energies = [2 * np.sqrt(1 + field**2 - 2 * field * np.cos(k)) for k in (k_a, k_p)]
        energies[1][0] = 2 * (field - 1)
        factors = [f(beta * e / 2) for e in energies for f in (np.cosh, np.sinh)]
        with np.errstate(divide="ignore"):  # a factor may be 0
            logs = np.array([np.log(2 * np.abs(f)).sum() for f in factors])
        signs = np.array([1, 1, 1, -1]) * [np.prod(np.sign(f)) for f in factors]
        return logs.max() + np.log(0.5 * (signs * np.exp(logs - logs.max())).sum())

    step = 1e-5
    energy = -(log_z(beta + step, field) - log_z(beta - step, field)) / (2 * step) / n
    x = (log_z(beta, field + step) - log_z(beta, field - step)) / (2 * step) / (beta * n)
    return energy, x, -energy - field * x


def test_ring_has_the_published_values():
    np.testing.assert_allclose(ring(0.5, 1.0), [-0.84923012, 0.29245108, 0.70300458], atol=1e-7)
    np.testing.assert_allclose(ring(1.0, 4.0), [-1.26498512, 0.63226439, 0.63272073], atol=1e-7)


@pytest.mark.parametrize(("field", "beta", "num_reads"), [(0.5, 1.0, 1000), (1.0, 4.0, 400)])
def test_continuous_time_agrees_with_free_fermions(field, beta, num_reads):
    n, limit = 64, norm.isf(FALSE_ALARM / 6)
    structure = Structure(n, np.array([(i, (i + 1) % n) for i in range(n)]))
    parameters = Parameters(np.zeros(n), np.ones(n))

    def errors(gamma):
        """Return the errors of E/n, `<X>` and `<ZZ>` in standard errors, from each read's means over the ring."""
        compiled = PathIntegralSampler().compile(
            structure, num_sweeps=200, beta=beta, gamma=gamma, imaginary_time="continuous"
        )
        state = compiled.step(parameters, compiled.init(num_reads, 2)).state
        _, pairs, x = (part.mean(axis=1) for part in compiled.average(parameters, state, slice(None)))
        means = np.array([-pairs - gamma * x, x, pairs])
        return np.abs(means.mean(axis=1) - ring(field, beta)) / means.std(axis=1) * num_reads**0.5

    assert errors(field).max() < limit
    # another field is seen in each
    assert errors(1.2 * field).min() > limit


def of_one_spin(h, gamma, beta):
    """Return `<Z>` and `<X>` of H = -h Z - gamma X."""
    energy = np.hypot(h, gamma)
    return np.array([h, gamma]) * np.tanh(beta * energy) / energy


@pytest.mark.parametrize(
    "keywords",
    [
        {"num_slices": 256, "num_sweeps": 1},
        {"num_slices": 256, "num_sweeps": 3},
        # segments are drawn, not lines: a few sweeps are needed
        {"imaginary_time": "continuous", "num_sweeps": 30},
    ],
)
def test_a_single_spin_is_right_after_a_sweep(keywords):
    bqm, limit = dimod.BQM({"a": -0.6}, {}, 0.0, "SPIN"), norm.isf(FALSE_ALARM / 2) / 40_000**0.5
    found = PathIntegralSampler().sample(bqm, num_reads=40_000, beta=1.3, gamma=0.4, seed=3, **keywords)
    mean = found.record.sample.mean()
    assert abs(mean - of_one_spin(0.6, 0.4, 1.3)[0]) < limit
    assert abs(mean - of_one_spin(0.6, 0.7, 1.3)[0]) > limit


@pytest.mark.parametrize(
    "keywords", [{"num_slices": 64}, {"imaginary_time": "continuous"}], ids=["discrete", "continuous"]
)
@pytest.mark.parametrize("gamma", [0.0, 1e-9, 1e-3, 0.01])
def test_a_weak_field_is_seen_where_no_read_has_a_kink(keywords, gamma):
    bqm = dimod.BQM({"a": -0.6}, {}, 0.0, "SPIN")
    found = PathIntegralSampler().observe(bqm, num_reads=64, num_sweeps=10, beta=1.3, gamma=gamma, seed=3, **keywords)
    np.testing.assert_allclose(found.transverse_moments, of_one_spin(0.6, gamma, 1.3)[1:], rtol=1e-3, atol=1e-15)


@pytest.mark.parametrize(
    "keywords", [{"num_slices": 64}, {"imaginary_time": "continuous"}], ids=["slices", "no slices"]
)
def test_free_spins_beside_a_clamped_one(keywords):
    # a clamped spin acts as a field; its own transverse field does nothing
    structure, parameters = Structure(2, np.array([[0, 1]])), Parameters(np.array([0.3, 5.0]), np.array([0.8]))
    compiled = PathIntegralSampler().compile(structure, num_sweeps=30, beta=1.3, gamma=0.5, want="moments", **keywords)
    state = compiled.init(20_000, 1)
    for held in (1, -1):
        clamp = Clamp(np.array([1]), np.full((20_000, 1), held, np.int8))
        moments = compiled.step(parameters, state, clamp).moments
        exact = of_one_spin(0.3 + 0.8 * held, 0.5, 1.3)[0]
        assert moments.spins[1] == held
        assert moments.pairs[0] == pytest.approx(held * moments.spins[0])
        assert abs(moments.spins[0] - exact) < 4.9 / 20_000**0.5
        assert abs(moments.spins[0] - of_one_spin(0.3, 0.5, 1.3)[0]) > 4.9 / 20_000**0.5


@pytest.mark.parametrize("imaginary_time", ["discrete", "continuous"])
@pytest.mark.parametrize("gamma", [0.0, 1e-6, 1e-3])
def test_a_weak_field_does_not_freeze(gamma, imaginary_time):
    bqm = dimod.BQM({"a": 0.5, "b": -0.2}, {"ab": -0.8}, 0.0, "SPIN")
    found = PathIntegralSampler().sample(
        bqm, num_reads=20_000, num_sweeps=60, beta=1.2, gamma=gamma, imaginary_time=imaginary_time, seed=4
    )
    assert boltzmann_pvalue(found, bqm, 1.2) > FALSE_ALARM
    assert boltzmann_pvalue(found, bqm, 1.3) < FALSE_ALARM


def test_a_field_of_its_own_for_each_variable():
    bqm = dimod.BQM({"z": -0.5, "b": -0.5, "a": -0.5}, {}, 0.0, "SPIN")
    gammas, limit = {"z": 0.1, "b": 0.5, "a": 4.0}, norm.isf(FALSE_ALARM / 6)
    for given in (gammas, list(gammas.values())):
        found = PathIntegralSampler().observe(bqm, num_reads=4_000, num_sweeps=20, beta=2.0, gamma=given, seed=5)
        assert found.samples.info["gamma"] == list(gammas.values())
        assert found.labels == tuple(gammas)
        exact = np.array([of_one_spin(0.5, gammas[label], 2.0) for label in found.labels])
        assert (np.abs(found.moments.spins - exact[:, 0]) < limit * found.moment_errors.spins).all()
        # of free spins X given the others is known without error, but for the slices
        np.testing.assert_allclose(found.transverse_moments, exact[:, 1], rtol=1e-2)


def test_slices_are_fine_enough_at_low_temperature():
    bqm = dimod.BQM({}, {"ab": -1.0}, 0.0, "SPIN")
    exact = TransverseIsing([0.0, 0.0], {(0, 1): 1.0}, 1.0).exact(100.0).moments.pairs[0]
    found = PathIntegralSampler().observe(bqm, num_reads=1_000, num_sweeps=40, beta=100.0, seed=6)
    assert found.samples.info["dtau"] <= 0.1
    assert abs(found.moments.pairs[0] - exact) < 0.006 + 4.9 * found.moment_errors.pairs[0]


@pytest.mark.parametrize("keywords", [{}, {"imaginary_time": "continuous"}, {"beta": 0.0}], ids=str)
def test_no_variables_and_no_couplings(keywords):
    for bqm in (dimod.BQM({}, {}, 0.5, "SPIN"), dimod.BQM({"a": 0.0, ("b", 1): 1.0}, {}, 0.5, "BINARY")):
        found = PathIntegralSampler().observe(bqm, num_reads=3, num_sweeps=2, seed=1, **keywords)
        assert found.samples.record.sample.shape == (3, bqm.num_variables)
        assert found.transverse_moments.shape == (bqm.num_variables,)
        if not bqm.num_variables:
            assert found.energy == (0.5, 0.0)


def test_simulated_quantum_annealing_reaches_the_ground_state():
    instance = INSTANCES[1]
    bqm = problem(instance)
    ground = dimod.ExactSolver().sample(bqm).first.energy
    found = SimulatedQuantumAnnealingSampler().sample(bqm, num_reads=100, num_sweeps=200, seed=1).record.energy
    assert np.mean(np.isclose(found, ground)) > 0.9
    # a field that stays on leaves it
    hot = SimulatedQuantumAnnealingSampler().sample(bqm, num_reads=100, num_sweeps=200, gamma_range=(3, 3), seed=1)
    assert np.mean(np.isclose(hot.record.energy, ground)) < 0.7
