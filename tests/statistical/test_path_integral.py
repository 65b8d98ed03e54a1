"""Thermal states of a transverse field against exact values, at a stated false-alarm rate.

Reads are independent, so an estimate's error in standard errors is normal. Of many estimates the largest is looked at,
each at an equal share of the alarm rate. Every check has a twin that must fail.
"""

import json
from pathlib import Path

import dimod
import numpy as np
import pytest
from scipy.special import ellipe
from scipy.stats import norm

from annealnn.models import IsingModel
from annealnn.samplers import PathIntegralSampler, SimulatedQuantumAnnealingSampler

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
    assert all(0.1 < chance < 1 for chance in found.samples.info["swap_acceptance"])
    error, limit = largest_error(found, trotter)
    assert error < limit
    # the read is the replica at the weakest field, and not the next
    (other,) = (t for t in INSTANCES[0]["thermal"][0]["trotter"] if t["M"] == 8)
    if instance is INSTANCES[0]:
        assert largest_error(found, other)[0] > limit


def test_replicas_at_other_fields_cross_a_barrier():
    # two wells far apart: with few sweeps at a weak field reads stay in the well that they fell into
    n = 12
    bqm = dimod.BQM.from_ising({0: -0.05}, {(i, j): -0.5 for i in range(n) for j in range(i)})
    keywords = {"num_reads": 2_000, "num_sweeps": 100, "beta": 2.0, "gamma": 0.5, "num_slices": 8, "seed": 2}
    exact = PathIntegralSampler().observe(
        bqm, **keywords | {"num_sweeps": 20_000, "gamma_ladder": [6, 4, 2.5, 1.5, 1.0]}
    )
    helped = PathIntegralSampler().observe(bqm, **keywords, gamma_ladder=[6, 4, 2.5, 1.5, 1.0])
    alone = PathIntegralSampler().observe(bqm, **keywords)
    error = np.hypot(exact.moment_errors.spins[0], helped.moment_errors.spins[0])
    assert abs(helped.moments.spins.mean() - exact.moments.spins.mean()) < 4.9 * error
    assert abs(alone.moments.spins.mean() - exact.moments.spins.mean()) > 4.9 * error


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"gamma": -1.0}, r"gamma is a finite number, at least 0; got -1.0"),
        ({"gamma": float("nan")}, r"gamma is a finite number, at least 0; got nan"),
        ({"gamma": "strong"}, r"gamma is a finite number, at least 0; got 'strong'"),
        ({"gamma": {"a": 1.0}}, r"gamma has a value for every variable; got none for 'b'"),
        ({"gamma": [1.0]}, r"gamma is one number or one per variable, shape \(2,\); got shape \(1,\)"),
        ({"gamma": [1.0, -2.0]}, r"gamma is a finite number, at least 0; got -2.0"),
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
    found = observe(instance, beta, imaginary_time=imaginary_time, num_slices=32, num_reads=4_000, **changed)
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
    # the ground state of the infinite critical ring: -4 / pi
    assert -(2 / np.pi) * 2 * ellipe(1.0) == pytest.approx(-4 / np.pi)
    assert ring(1.0, 20.0)[0] == pytest.approx(-4 / np.pi, abs=1e-3)


@pytest.mark.parametrize(("field", "beta", "num_reads"), [(0.5, 1.0, 2000), (1.0, 4.0, 400)])
def test_continuous_time_agrees_with_free_fermions(field, beta, num_reads):
    n = 64
    bqm = dimod.BQM.from_ising({}, {(i, (i + 1) % n): -1.0 for i in range(n)})
    found = PathIntegralSampler().observe(
        bqm, num_reads=num_reads, num_sweeps=200, beta=beta, gamma=field, imaginary_time="continuous", seed=2
    )
    energy, x, zz = ring(field, beta)
    # sites are alike and reads independent: the error of a mean over sites is at most the mean of their errors
    assert abs(found.energy.value / n - energy) < 5 * found.energy.standard_error / n
    assert abs(found.transverse_moments.mean() - x) < 5 * found.transverse_moment_errors.mean()
    assert abs(found.moments.pairs.mean() - zz) < 5 * found.moment_errors.pairs.mean()
    # a field off by a tenth would be seen: far sites are independent, so that their mean has a smaller error by far
    error = found.transverse_moment_errors.mean() / n**0.5
    assert abs(found.transverse_moments.mean() - ring(1.1 * field, beta)[1]) > 5 * error


@pytest.mark.parametrize("num_sweeps", [1, 3])
def test_a_single_spin_is_right_after_one_sweep(num_sweeps):
    # the whole worldline is drawn at once: P(up) = (1 + h tanh(beta e) / e) / 2, e**2 = h**2 + gamma**2
    bqm, beta, gamma = dimod.BQM({"a": -0.6}, {}, 0.0, "SPIN"), 1.3, 0.4
    energy = np.hypot(0.6, gamma)
    for keywords in ({"num_slices": 64}, {"imaginary_time": "continuous"}):
        if "num_slices" not in keywords:
            num_sweeps = 30  # segments are drawn, not lines: a few sweeps are needed
        found = PathIntegralSampler().sample(
            bqm, num_reads=40_000, num_sweeps=num_sweeps, beta=beta, gamma=gamma, seed=3, **keywords
        )
        expected = 0.6 * np.tanh(beta * energy) / energy
        assert abs(found.record.sample.mean() - expected) < 4.9 / 40_000**0.5


def test_no_field_gives_the_classical_distribution_and_a_weak_one_does_not_freeze():
    bqm = dimod.BQM({"a": 0.5, "b": -0.2}, {"ab": -0.8}, 0.0, "SPIN")
    exact = IsingModel.from_bqm(bqm).exact(1.2).moments.spins
    for gamma in (0.0, 1e-6, 1e-3):
        for imaginary_time in ("discrete", "continuous"):
            found = PathIntegralSampler().sample(
                bqm, num_reads=20_000, num_sweeps=60, beta=1.2, gamma=gamma, imaginary_time=imaginary_time, seed=4
            )
            error = found.record.sample.mean(axis=0) - exact
            assert np.abs(error).max() < 5 / 20_000**0.5


def test_a_field_of_its_own_for_each_variable():
    bqm = dimod.BQM({"a": -0.5, "b": -0.5, "c": -0.5}, {}, 0.0, "SPIN")
    gammas = {"a": 0.0, "b": 0.5, "c": 4.0}
    found = PathIntegralSampler().observe(bqm, num_reads=4_000, num_sweeps=20, beta=2.0, gamma=gammas, seed=5)
    for k, label in enumerate(found.labels):
        energy = np.hypot(0.5, gammas[label])
        x, z = (value * np.tanh(2 * energy) / energy for value in (gammas[label], 0.5))
        assert abs(found.transverse_moments[k] - x) < max(6 * found.transverse_moment_errors[k], 1e-3)
        assert abs(found.moments.spins[k] - z) < 6 * found.moment_errors.spins[k]


def test_simulated_quantum_annealing_reaches_the_ground_state():
    instance = INSTANCES[1]
    bqm = problem(instance)
    ground = dimod.ExactSolver().sample(bqm).first.energy
    found = SimulatedQuantumAnnealingSampler().sample(bqm, num_reads=100, num_sweeps=200, seed=1).record.energy
    assert np.mean(np.isclose(found, ground)) > 0.9
    # a field that stays on leaves it
    hot = SimulatedQuantumAnnealingSampler().sample(bqm, num_reads=100, num_sweeps=200, gamma_range=(3, 3), seed=1)
    assert np.mean(np.isclose(hot.record.energy, ground)) < 0.7
