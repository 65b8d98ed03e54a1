"""Series of known autocorrelation time, each check with a twin that must fail."""

import json

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import chi2, norm

from annealnn.diagnostics import (
    ValueWithError,
    effective_sample_size,
    energy_histogram,
    integrated_autocorrelation_time,
    split_r_hat,
)

FALSE_ALARM = 1e-6  # per test, by design; seeds are fixed, so a pass stays a pass
SIGMAS = norm.isf(FALSE_ALARM / 2)  # 4.9
REPEATS = 200
# of the variance of 200 z-scores: 0.57 and 1.57
NARROW, WIDE = chi2.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], REPEATS - 1) / (REPEATS - 1)

SERIES = [
    integrated_autocorrelation_time,
    effective_sample_size,
    split_r_hat,
    lambda x: effective_sample_size(x, rank_normalize=False),
    lambda x: split_r_hat(x, rank_normalize=False),
]


def ar1(correlation, shape, seed):
    """x(t) = correlation x(t-1) + noise, in equilibrium: time (1 + correlation) / (1 - correlation), variance 1."""
    noise = np.sqrt(1 - correlation**2) * np.random.default_rng(seed).normal(size=shape)
    noise[..., 0] /= np.sqrt(1 - correlation**2)
    return lfilter([1], [1, -correlation], noise, axis=-1)


def time_of(correlation):
    return (1 + correlation) / (1 - correlation)


@pytest.mark.parametrize("correlation", [-0.5, 0.0, 0.5, 0.9])
def test_autocorrelation_time_is_recovered(correlation):
    found = integrated_autocorrelation_time(ar1(correlation, (8, 10_000), seed=1))
    assert abs(found.value - time_of(correlation)) < SIGMAS * found.standard_error
    assert abs(found.value - 1.5 * time_of(correlation)) > SIGMAS * found.standard_error


@pytest.mark.parametrize("shape", [64, (4, 64)])
def test_autocorrelation_times_of_short_alternating_series_are_above_0(shape):
    for seed in range(REPEATS):
        value, error = integrated_autocorrelation_time(ar1(-0.7, shape, seed))
        assert value >= 1 / np.log10(np.prod(shape)) > time_of(-0.7)
        assert error > 0 or value == np.inf


def test_autocorrelation_time_of_one_read_is_that_of_its_row():
    x = ar1(0.5, 2_000, seed=2)
    assert integrated_autocorrelation_time(x) == integrated_autocorrelation_time(x[None])


def test_autocorrelation_time_is_the_sum_as_it_is_written():
    x = ar1(0.8, (3, 500), seed=3)
    y = x - x.mean()
    c = np.array([np.mean([row[: 500 - t] @ row[t:] / (500 - t) for row in y]) for t in range(250)])
    window = next(w for w in range(250) if w >= 3 * (2 * np.abs(c[: w + 1] / c[0]).sum() - 1))
    total = 2 * c[: window + 1].sum() - c[0]
    by_hand = (total + (2 * window + 1) * total / 1500) / (c[0] + total / 1500)
    found = integrated_autocorrelation_time(x)
    assert found.value == pytest.approx(by_hand, rel=1e-9)
    assert found.standard_error == pytest.approx(by_hand * np.sqrt(4 / 1500 * (window + 0.5 - by_hand / 2)), rel=1e-9)


@pytest.mark.parametrize("correlation", [0.0, 0.8])
@pytest.mark.parametrize("num_reads", [1, 4])
def test_errors_of_autocorrelation_times_are_as_stated(correlation, num_reads):
    z, halved = [], []
    for seed in range(REPEATS):
        value, error = integrated_autocorrelation_time(ar1(correlation, (num_reads, 8_000 // num_reads), seed))
        z.append((value - time_of(correlation)) / error)
        halved.append(2 * z[-1])
    assert NARROW < np.var(z) < WIDE
    assert abs(np.mean(z)) < 0.5  # 0.35 by chance; the rest is bias that one error hides
    assert not NARROW < np.var(halved) < WIDE


@pytest.mark.parametrize("correlation", [0.5, 0.8])
def test_errors_of_effective_sample_sizes_are_as_stated(correlation):
    z = []
    for seed in range(REPEATS):
        value, error = effective_sample_size(ar1(correlation, (4, 2_000), seed), rank_normalize=False)
        z.append((value - 8_000 / time_of(correlation)) / error)
    assert NARROW < np.var(z) < WIDE
    assert abs(np.mean(z)) < 0.5


@pytest.mark.parametrize("rank_normalize", [True, False])
def test_effective_sample_size_is_recovered(rank_normalize):
    # ranks of a normal series have nearly its correlations
    found = effective_sample_size(ar1(0.8, (8, 10_000), seed=4), rank_normalize=rank_normalize)
    assert abs(found.value - 80_000 / 9) < SIGMAS * found.standard_error
    assert abs(found.value - 1.5 * 80_000 / 9) > SIGMAS * found.standard_error


def test_effective_sample_size_is_of_any_distribution():
    # the mean of Cauchy numbers does not settle, that of their ranks does
    x = np.random.default_rng(5).standard_cauchy((4, 1_000))
    found = effective_sample_size(x)
    assert abs(found.value - 4_000) < SIGMAS * found.standard_error
    assert effective_sample_size(np.arctan(x)) == found


def test_reads_that_stay_apart_count_as_few():
    x = ar1(0.5, (4, 1_000), seed=6) + 10 * np.arange(4)[:, None]
    assert effective_sample_size(x).value < 10
    assert integrated_autocorrelation_time(x) == (np.inf, pytest.approx(np.nan, nan_ok=True))


def test_r_hat_of_equal_and_of_shifted_reads():
    x = np.random.default_rng(7).normal(size=(4, 1_000))
    shifted, spread = x.copy(), x.copy()
    shifted[0] += 0.5
    spread[0] *= 2
    for rank_normalize in (True, False):
        assert split_r_hat(x, rank_normalize=rank_normalize) < 1.01
        assert split_r_hat(shifted, rank_normalize=rank_normalize) > 1.01
    # a read that is only wider is seen by the folded ranks
    assert split_r_hat(spread) > 1.01
    assert split_r_hat(spread, rank_normalize=False) < 1.01
    assert split_r_hat(np.exp(x.clip(-8, 8))) == pytest.approx(split_r_hat(x), abs=0.002)


def test_r_hat_of_one_read_sees_a_drift():
    x = np.random.default_rng(8).normal(size=2_000)
    assert split_r_hat(x) < 1.01
    assert split_r_hat(x + np.linspace(0, 1, 2_000)) > 1.01


def test_plain_r_hat_is_the_formula():
    x = np.random.default_rng(9).normal(size=(3, 40))
    halves = x.reshape(6, 20)
    within, between = halves.var(axis=1, ddof=1).mean(), 20 * halves.mean(axis=1).var(ddof=1)
    by_hand = np.sqrt((19 / 20 * within + between / 20) / within)
    assert split_r_hat(x, rank_normalize=False) == pytest.approx(by_hand, rel=1e-12)


def test_series_that_do_not_move():
    constant = np.full((3, 50), -0.1)
    for found in (integrated_autocorrelation_time(constant), effective_sample_size(constant)):
        assert np.isnan(found).all()
    assert np.isnan(split_r_hat(constant))
    apart = constant + np.arange(3)[:, None]
    assert integrated_autocorrelation_time(apart).value == np.inf
    assert split_r_hat(apart, rank_normalize=False) == np.inf
    assert split_r_hat(apart) == np.inf


def test_the_mean_and_the_unit_do_not_show():
    x = ar1(0.7, (4, 501), seed=10)
    for of in SERIES:
        np.testing.assert_allclose(of(1e3 * x + 7), of(x), rtol=1e-6)


@pytest.mark.parametrize("of", SERIES)
def test_bad_series_are_refused(of):
    with pytest.raises(ValueError, match=r"at least 8 sweeps; got float64 of shape \(4, 7\)\. Record a number at"):
        of(np.zeros((4, 7)))
    with pytest.raises(ValueError, match=r"got float64 of shape \(2, 2, 20\)"):
        of(np.zeros((2, 2, 20)))
    with pytest.raises(ValueError, match=r"got float64 of shape \(0, 20\)"):
        of(np.zeros((0, 20)))
    with pytest.raises(ValueError, match=r"numbers in series have .* got complex128"):
        of(np.zeros((2, 20), complex))
    with pytest.raises(
        ValueError, match=r"numbers in series are finite; got nan at read 1, sweep 3 \(1 such values\)\. Find"
    ):
        of(np.where(np.arange(40).reshape(2, 20) == 23, np.nan, 1.0))


def test_a_value_with_its_error_reads_as_a_pair():
    value, error = ValueWithError(1.23456, 0.0123)
    assert (value, error) == (1.23456, 0.0123)
    assert str(ValueWithError(1.23456, 0.0123)) == "1.235 +- 0.012"


def test_histogram_counts_and_their_errors():
    rng = np.random.default_rng(11)
    first, second = rng.normal(size=1_000), rng.normal(1, 1, size=400)
    edges = np.histogram_bin_edges(np.concatenate([first, second]), 12)
    one, two = energy_histogram(first, bins=edges), energy_histogram(second, bins=edges)
    np.testing.assert_array_equal(one.edges, two.edges)
    np.testing.assert_array_equal(one.counts, np.histogram(first, edges)[0])
    assert (one.counts.sum(), two.counts.sum()) == (1_000, 400)
    assert energy_histogram(first).counts.shape == (32,)


def test_errors_of_counts_are_as_stated():
    rng, edges = np.random.default_rng(12), np.array([-9.0, -1, 0, 2, 9])
    expected = 1_000 * np.diff(norm.cdf(edges))
    found = [energy_histogram(rng.normal(size=1_000), bins=edges) for _ in range(REPEATS)]
    z = np.array([(one.counts - expected) / one.standard_errors for one in found])
    assert ((z.var(axis=0) > NARROW) & (z.var(axis=0) < WIDE)).all()
    assert (np.abs(z.mean(axis=0)) < 0.5).all()


def test_histograms_go_to_json_and_refuse_bad_input():
    found = energy_histogram([-2, -2, 0, 1], bins=[-3, -1, 1])
    assert json.loads(json.dumps(found.to_dict())) == {
        "edges": [-3, -1, 1],
        "counts": [2, 2],
        "standard_errors": [1, 1],
    }
    with pytest.raises(ValueError, match="edges cover every energy; got edges from -3 to 1 and energies from -2 to 4"):
        energy_histogram([-2.0, 4.0], bins=[-3, -1, 1])
    with pytest.raises(ValueError, match="ascending, finite edges; got"):
        energy_histogram([-2.0, 4.0], bins=[1, -1])
    with pytest.raises(ValueError, match="bins is a whole number of at least 1; got 0"):
        energy_histogram([-2.0, 4.0], bins=0)
    with pytest.raises(ValueError, match=r"one number for each read, shape \(num_reads,\); got shape \(2, 2\)"):
        energy_histogram(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="numbers in energies are finite; got inf"):
        energy_histogram([0.0, np.inf])
