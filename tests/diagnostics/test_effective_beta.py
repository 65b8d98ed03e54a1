"""Three estimators of one temperature, on reads that have one and on reads that have none."""

import numpy as np
import pytest
from scipy.stats import chi2, norm

from annealnn import ExactSampler, IsingModel, SimulatedAnnealingSampler
from annealnn.diagnostics import effective_beta, effective_beta_by_log_ratio, effective_beta_by_moment
from annealnn.models import Parameters, Structure

FALSE_ALARM = 1e-6  # per test, by design; seeds are fixed, so a pass stays a pass
SIGMAS = norm.isf(FALSE_ALARM / 2)  # 4.9
REPEATS = 200
NARROW, WIDE = chi2.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], REPEATS - 1) / (REPEATS - 1)

# far enough apart for a slope, near enough for common energies
SCALES = (0.5, 1.5)


def dense(num_variables, width=0.3):
    rng = np.random.default_rng(1)
    structure = Structure.complete(num_variables)
    fields, couplings = rng.normal(0, width, num_variables), rng.normal(0, width, structure.num_edges)
    return structure, Parameters(fields, couplings)


def exact_reads(structure, parameters, beta, num_reads, seed):
    compiled = ExactSampler().compile(structure, beta=beta)
    return compiled.step(parameters, compiled.init(num_reads, seed)).spins


def pair_of_reads(structure, parameters, beta, num_reads, seed, scales=SCALES):
    return tuple(exact_reads(structure, parameters, beta * x, num_reads, 2 * seed + k) for k, x in enumerate(scales))


def by_pseudo_likelihood(structure, parameters, beta, num_reads, seed):
    return effective_beta(structure, parameters, exact_reads(structure, parameters, beta, num_reads, seed))


def by_moment(structure, parameters, beta, num_reads, seed):
    return effective_beta_by_moment(structure, parameters, exact_reads(structure, parameters, beta, num_reads, seed))


def by_log_ratio(structure, parameters, beta, num_reads, seed):
    reads = pair_of_reads(structure, parameters, beta, num_reads, seed)
    return effective_beta_by_log_ratio(structure, parameters, reads, scales=SCALES)


ESTIMATORS = [by_pseudo_likelihood, by_moment, by_log_ratio]


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_estimators_agree_on_boltzmann_reads(beta):
    found = [estimate(*dense(10), beta, 100_000, seed=3) for estimate in ESTIMATORS]
    for value, error in found:
        assert abs(value / beta - 1) < 0.02
        assert abs(value - beta) < SIGMAS * error
        assert abs(value - 1.1 * beta) > SIGMAS * error


@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_errors_are_as_stated(estimate):
    found = np.array([estimate(*dense(5), 0.8, 1_000, seed) for seed in range(REPEATS)])
    z = (found[:, 0] - 0.8) / found[:, 1]
    assert NARROW < z.var() < WIDE
    assert abs(z.mean()) < 0.35
    assert not NARROW < (2 * z).var() < WIDE


def torus():
    """A 4x4 ferromagnet, periodic: domains outlive a quench."""
    site = np.arange(16).reshape(4, 4)
    edges = [(a, b) for shift in (0, 1) for a, b in zip(site.flat, np.roll(site, -1, shift).flat, strict=True)]
    structure = Structure(16, np.array(edges))
    return structure, Parameters(np.zeros(16), np.ones(structure.num_edges))


def test_a_quench_is_colder_locally_than_globally():
    structure, parameters = torus()
    bqm = IsingModel.from_parameters(structure, parameters).to_bqm()
    reads = SimulatedAnnealingSampler().sample(bqm, num_reads=8_000, num_sweeps=8, beta_range=(0.1, 3.0), seed=4)
    quench = reads.record.sample[:, [reads.variables.index(v) for v in range(16)]]
    thermal = exact_reads(structure, parameters, 0.5, 4_000, seed=4)

    def excess(spins):
        local, whole = (
            effective_beta(structure, parameters, spins),
            effective_beta_by_moment(structure, parameters, spins),
        )
        return (local.value - whole.value) / np.hypot(local.standard_error, whole.standard_error)

    assert excess(quench) > SIGMAS
    assert abs(excess(thermal)) < SIGMAS


def test_moment_takes_a_mean_energy_from_elsewhere():
    structure, parameters = dense(8)
    reads = exact_reads(structure, parameters, 1.3, 2_000, seed=5)
    model = IsingModel.from_parameters(structure, parameters)
    exact = effective_beta_by_moment(structure, parameters, reads)
    found = effective_beta_by_moment(structure, parameters, reads, mean_energy=lambda beta: model.exact(beta).energy)
    assert found.value == pytest.approx(exact.value, rel=1e-6)
    assert found.standard_error == pytest.approx(exact.standard_error, rel=1e-3)


def test_moment_matches_the_mean_energy():
    structure, parameters = dense(6)
    reads = exact_reads(structure, parameters, 0.7, 500, seed=6)
    found = effective_beta_by_moment(structure, parameters, reads)
    thermal = IsingModel.from_parameters(structure, parameters).exact(found.value)
    energies = structure.energies(parameters, reads)
    assert thermal.energy == pytest.approx(energies.mean(), abs=1e-9)
    by_hand = energies.std(ddof=1) / np.sqrt(500) / thermal.energy_variance
    assert found.standard_error == pytest.approx(by_hand, rel=1e-9)


def test_log_ratio_is_the_slope_of_two_histograms():
    # one spin has two energies, so the slope is that of a line through two log ratios
    structure, parameters = Structure(1, np.zeros((0, 2), int)), Parameters(np.array([0.7]), np.zeros(0))
    counts = np.array([[600, 400], [950, 250]])  # up and down at either scale
    reads = tuple(np.repeat([[1], [-1]], row, axis=0) for row in counts)
    found = effective_beta_by_log_ratio(structure, parameters, reads, scales=(0.5, 2.0))
    logs = np.log(counts[0] / counts[1])
    assert found.value == pytest.approx(-(logs[0] - logs[1]) / (-1.4) / (0.5 - 2.0), rel=1e-9)
    assert found.standard_error == pytest.approx(np.sqrt((1 / counts).sum()) / 1.4 / 1.5, rel=1e-6)


def test_log_ratio_takes_sets_of_different_sizes_in_either_order():
    structure, parameters = dense(8)
    one, two = pair_of_reads(structure, parameters, 0.8, 20_000, seed=7)
    found = effective_beta_by_log_ratio(structure, parameters, (one[:5_000], two), scales=SCALES)
    assert abs(found.value - 0.8) < SIGMAS * found.standard_error
    turned = effective_beta_by_log_ratio(structure, parameters, (two, one[:5_000]), scales=SCALES[::-1])
    np.testing.assert_allclose(turned, found, rtol=1e-8)
    wrong = effective_beta_by_log_ratio(structure, parameters, (one[:5_000], two), scales=(0.5, 2.0))
    assert abs(wrong.value - 0.8) > SIGMAS * wrong.standard_error


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_the_unit_of_energy_does_not_show(unit):
    structure, parameters = dense(6)
    other = Parameters(unit * parameters.fields, unit * parameters.couplings)
    reads = pair_of_reads(structure, parameters, 1.0, 500, seed=8)
    for estimate in (
        lambda p: effective_beta(structure, p, reads[0]),
        lambda p: effective_beta_by_moment(structure, p, reads[0]),
        lambda p: effective_beta_by_log_ratio(structure, p, reads, scales=SCALES),
    ):
        np.testing.assert_allclose(unit * np.array(estimate(other)), estimate(parameters), rtol=1e-6)


def test_log_ratio_stands_a_small_overlap():
    # two spins without fields have two energies; one read of the first set is of the second's kind
    structure, parameters = Structure.complete(2), Parameters(np.zeros(2), np.array([1.0]))
    low, high = [[1, 1]], [[1, -1]]
    reads = (np.array(9_999 * low + high), np.array(low + 9_999 * high))
    found = effective_beta_by_log_ratio(structure, parameters, reads, scales=(2.0, 1.0))
    assert found.value == pytest.approx(np.log(9_999), rel=1e-6)


def test_extreme_reads():
    structure, parameters = Structure.complete(2), Parameters(np.zeros(2), np.array([1.0]))
    low, high = np.array([[1, 1]] * 5), np.array([[1, -1]] * 5)
    model = IsingModel.from_parameters(structure, parameters)
    for mean_energy in (None, lambda beta: -np.tanh(beta) if beta < 20 else -1 + 1e-15):
        assert effective_beta_by_moment(structure, parameters, low, mean_energy=mean_energy).value == np.inf
        assert effective_beta_by_moment(structure, parameters, high, mean_energy=mean_energy).value == 0.0
    assert model.exact(1.0).energy == pytest.approx(-np.tanh(1))
    assert np.isnan(effective_beta(structure, parameters, high[:1]).standard_error)
    assert np.isnan(effective_beta_by_moment(structure, parameters, high[:1]).standard_error)


def test_bad_reads_are_refused():
    structure, parameters = dense(3)
    good = np.ones((4, 3), np.int8)
    for estimate in (
        lambda s: effective_beta(structure, parameters, s),
        lambda s: effective_beta_by_moment(structure, parameters, s),
        lambda s: effective_beta_by_log_ratio(structure, parameters, (good, s), scales=SCALES),
    ):
        with pytest.raises(ValueError, match=r"spins have shape \(num_reads, 3\), at least one read; got shape \(3,\)"):
            estimate(np.ones(3))
        with pytest.raises(ValueError, match=r"got shape \(0, 3\)"):
            estimate(np.ones((0, 3)))
        with pytest.raises(ValueError, match=r"spins are -1 or \+1; got values \[0 1\]. For bits, use bits_to_spins"):
            estimate(np.array([[0, 1, 1]]))
        with pytest.raises(ValueError, match=r"spins are -1 or \+1; got values"):
            estimate(np.array([[np.nan, 1, 1]]))


def test_bad_parameters_are_refused():
    structure, (fields, couplings) = dense(3)
    good = np.ones((4, 3), np.int8)
    for estimate in (
        lambda p: effective_beta(structure, p, good),
        lambda p: effective_beta_by_moment(structure, p, good),
        lambda p: effective_beta_by_log_ratio(structure, p, (good, good), scales=SCALES),
    ):
        with pytest.raises(ValueError, match="fields are finite; got nan"):
            estimate(Parameters(np.array([0, np.nan, 0]), couplings))
        with pytest.raises(ValueError, match=r"couplings of shape \(3,\); got \(3,\) and \(2,\)"):
            estimate(Parameters(fields, couplings[:2]))


def test_bad_experiments_are_refused():
    structure, parameters = dense(3)
    reads = exact_reads(structure, parameters, 1.0, 50, seed=9)
    still = np.ones((4, 3), np.int8)
    with pytest.raises(ValueError, match=r"scales differ; got 1 twice\. Draw"):
        effective_beta_by_log_ratio(structure, parameters, (reads, reads), scales=(1, 1))
    with pytest.raises(ValueError, match="scales is a pair of numbers; got 1"):
        effective_beta_by_log_ratio(structure, parameters, (reads, reads), scales=1)
    with pytest.raises(ValueError, match=r"two sets of reads, one for each scale; got 50\. Pass"):
        effective_beta_by_log_ratio(structure, parameters, reads, scales=(1, 2))
    with pytest.raises(ValueError, match=r"the energies of both sets overlap; got .* at scale 2\. Draw at scales"):
        effective_beta_by_log_ratio(structure, parameters, (still, still), scales=(1, 2))
    with pytest.raises(ValueError, match="parameters are not all zero; got zeros"):
        effective_beta_by_moment(structure, structure.zeros(), reads)
    with pytest.raises(ValueError, match="mean_energy returns finite numbers; got nan at beta = 0"):
        effective_beta_by_moment(structure, parameters, reads, mean_energy=lambda beta: np.nan)
    large = Structure.complete(25)
    ones = Parameters(np.ones(25), np.ones(large.num_edges))
    with pytest.raises(ValueError, match="enumeration reaches 24 variables; got 25"):
        effective_beta_by_moment(large, ones, np.ones((4, 25)))


def test_pseudo_likelihood_takes_large_sparse_problems():
    # a dense matrix of couplings would take 75 GiB
    n = 100_000
    structure = Structure(n, np.column_stack([np.arange(n - 1), np.arange(1, n)]))
    rng = np.random.default_rng(0)
    # a chain without fields: each bond is satisfied or not by itself, at beta 0.6
    bonds = np.where(rng.random((3, n - 1)) < 1 / (1 + np.exp(-2 * 0.6)), 1, -1)
    spins = np.cumprod(np.column_stack([np.ones((3, 1), int), bonds]), axis=1).astype(np.int8)
    found = effective_beta(structure, Parameters(np.zeros(n), np.ones(n - 1)), spins)
    assert abs(found.value - 0.6) < 0.01
    assert abs(found.value - 0.66) > 0.01
