"""The bootstrap: coverage of a known median, and what it says of instances that no read solves."""

import numpy as np
import pytest
from scipy.stats import binom

from annealnn.benchmark.statistics import (
    halves,
    optimise,
    optimism,
    percentile_interval,
    resample_instances,
    resample_runs,
    time_to_solution,
    times_by_effort,
)

EFFORTS = np.array([1.0, 4.0, 16.0])


def cover(*, instances=True, repetitions=200):
    """Return how often the median time, optimised, lies within its interval."""
    hits, num_instances, num_reads, median = 0, 25, 200, 100.0
    slower = np.array([2.0, 1.0, 2.0])  # the best effort is 4
    for seed in range(repetitions):
        rng = np.random.default_rng(seed)
        times = median * np.exp(rng.standard_normal(num_instances))[:, None] * slower
        successes = rng.binomial(num_reads, -np.expm1(-np.log(100) * EFFORTS / times))
        picks = resample_instances(num_instances, 200, rng)
        if not instances:
            picks[:] = np.arange(num_instances)
        runs = resample_runs(successes, np.full_like(successes, num_reads), picks, rng)
        [curve] = times_by_effort(runs, np.broadcast_to(EFFORTS, successes.shape), picks, [0.5])
        hits += median in optimise(curve).times.interval()
    return hits


def test_covers_the_optimised_median():
    # a procedure that covers 95 % of the time has fewer than 179 or more than 199 of 200 with a chance of 0.1 %; one
    # that resamples both levels may cover more than 95 %, so that only the lower end is asked
    assert binom.cdf(178, 200, 0.95) < 1e-3
    assert cover() >= 179


def test_the_check_has_teeth():
    # without the spread of instances
    assert cover(instances=False, repetitions=40) < 30


def test_an_instance_that_no_read_solves_is_a_bound_and_never_dropped():
    successes = np.array([[50], [20], [0], [0], [0]])
    reads = np.full((5, 1), 100)
    picks = resample_instances(5, 500, np.random.default_rng(2))
    runs = resample_runs(successes, reads, picks, np.random.default_rng(3))
    curves = times_by_effort(runs, np.ones((5, 1)), picks, [0.25, 0.5])
    lower, middle = (optimise(curve).times.interval() for curve in curves)
    assert lower.value == pytest.approx(time_to_solution(0.2, 1.0))
    assert not lower.is_bound
    assert lower.high == np.inf  # in some resamples the quantile is unsolved
    assert middle.is_bound
    assert middle.value == pytest.approx(time_to_solution(1 - 0.05**0.01, 1.0))
    assert middle.high == np.inf
    # dropped, the median would be that of the two that are solved: below the bound
    dropped = resample_runs(successes[:2], reads[:2], np.arange(2)[None], np.random.default_rng(4))
    [flattering] = times_by_effort(dropped, np.ones((2, 1)), np.arange(2)[None], [0.5])
    assert flattering.upper[0, 0] < middle.value


def test_no_read_counts_as_unsolved():
    runs = resample_runs([[0]], [[0]], np.zeros((3, 1), int), np.random.default_rng(0))
    np.testing.assert_array_equal(runs.upper, np.full((3, 1, 1), np.inf))
    np.testing.assert_array_equal(runs.lower, np.ones((3, 1, 1)))


def test_one_instance_is_not_resampled():
    np.testing.assert_array_equal(resample_instances(1, 5, np.random.default_rng(0)), np.zeros((6, 1)))


def test_row_zero_is_the_data():
    picks = resample_instances(4, 3, np.random.default_rng(0))
    np.testing.assert_array_equal(picks[0], np.arange(4))
    runs = resample_runs([[1], [2], [3], [4]], np.full((4, 1), 8), picks, np.random.default_rng(0))
    np.testing.assert_allclose(runs.upper[0, :, 0], time_to_solution(np.arange(1, 5) / 8, 1.0))


def test_refuses_more_successes_than_reads():
    with pytest.raises(ValueError, match=r"at most as many as reads; got 3 of 2 at \(0, 0\)"):
        resample_runs([[3]], [[2]], np.zeros((1, 1), int), np.random.default_rng(0))


def test_choosing_the_best_effort_flatters_and_halves_do_not():
    """Eight efforts that are equally good: the least of eight noisy times is too low, by what `optimism` says."""
    rng, num_reads, p = np.random.default_rng(5), 100, 0.1
    truth = float(time_to_solution(p, 1.0))
    shape = (30, 8)
    everyone = np.arange(30)[None]
    flattered, honest, told = [], [], []
    for _ in range(150):
        successes, reads = rng.binomial(num_reads, p, shape), np.full(shape, num_reads)

        def curve(hits, of):
            runs = resample_runs(hits, of, everyone, rng)
            return times_by_effort(runs, np.ones(shape), everyone, [0.5])[0]

        one, half = halves(successes, reads, rng)
        flattered.append(np.log(optimise(curve(successes, reads)).times.upper[0] / truth))
        honest.append(np.log(optimise(curve(one, half), curve(successes - one, reads - half)).times.upper[0] / truth))
        told.append(np.log(optimism(successes, reads, np.ones(shape), 0.5, rng, num_splits=8)))
    error = np.std(honest) / np.sqrt(150)
    assert abs(np.mean(honest)) < 5 * error + 0.01  # a median of noisy times is off by less than 1 %
    assert np.mean(flattered) < -5 * error
    assert np.mean(told) > -np.mean(flattered)  # halves have more noise: it tells no less than there is


def test_one_effort_cannot_flatter():
    assert optimism(np.ones((3, 1), int), np.full((3, 1), 4), np.ones((3, 1)), 0.5, np.random.default_rng(0)) == 1.0


@pytest.mark.parametrize("num_resamples", [1, 39, 119, 1000])
def test_ends_hold_95_percent_of_draws(num_resamples):
    # the next draw is as likely in any place among them
    values = np.concatenate([[0.0], np.arange(1.0, num_resamples + 1)])
    interval = percentile_interval(values)
    below = interval.low - 1
    assert interval.high == num_resamples - below
    assert (below + 1) / (num_resamples + 1) == pytest.approx(0.025, abs=0.001) or num_resamples < 39
