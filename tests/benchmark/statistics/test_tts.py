"""Time to solution, against its formula and exact binomials."""

import numpy as np
import pytest
from scipy.stats import binom

from annealnn.benchmark.statistics import quantile_of_times, runs_to_solution, success_limit, time_to_solution


def test_runs_by_the_formula():
    p = np.array([0.01, 0.1, 0.5, 0.9])
    np.testing.assert_allclose(1 - (1 - p) ** runs_to_solution(p), 0.99, rtol=1e-12)


def test_one_run_where_one_suffices_and_none_where_none_does():
    np.testing.assert_array_equal(runs_to_solution([0.99, 0.999, 1.0, 0.0]), [1, 1, 1, np.inf])


def test_is_not_time_over_probability():
    # the two differ by ln 100 where p is small, and are never to be mixed
    assert time_to_solution(1e-6, 1.0) * 1e-6 == pytest.approx(np.log(100), rel=1e-5)


def test_copies_that_fill_a_processor_share_its_time():
    assert time_to_solution(0.5, 20.0, share_of_processor=0.25) == pytest.approx(time_to_solution(0.5, 5.0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"probability": 1.2}, r"from 0 to 1; got 1\.2"),
        ({"probability": np.nan}, "from 0 to 1; got nan"),
        ({"probability": 0.5, "target": 1.0}, "below 1, for certainty takes infinitely many reads; got 1"),
        ({"probability": 0.5, "target": 0.0}, "above 0 and at most 1; got 0"),
        ({"probability": 0.5, "share_of_processor": 2.0}, r"at most 1; got 2\.0"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        time_to_solution(time_per_read=1.0, **arguments)


def test_limit_of_a_probability_is_exact():
    # at the limit as few successes as were seen have a chance of 5 %
    s, r = np.array([0, 1, 3, 50]), np.array([20, 20, 100, 60])
    np.testing.assert_allclose(binom.cdf(s, r, success_limit(s, r)), 0.05, rtol=1e-9)
    assert success_limit(0, 1000) == pytest.approx(1 - 0.05**0.001, rel=1e-12)
    np.testing.assert_array_equal(success_limit([0, 7], [0, 7]), [1, 1])


def test_quantiles_between_and_among_infinities():
    times = np.array([1.0, 4.0, 16.0, np.inf])
    assert quantile_of_times(times, 0.5) == pytest.approx(8.0)  # halfway in the logarithm
    assert quantile_of_times(times, 1 / 3) == pytest.approx(4.0)
    assert quantile_of_times(times, 2 / 3) == pytest.approx(16.0)
    assert quantile_of_times(times, 0.7) == np.inf
    assert quantile_of_times([5.0], 0.99) == 5.0


def test_quantiles_over_an_axis_are_those_of_numpy():
    times = np.random.default_rng(1).lognormal(size=(3, 17, 2))
    for q in (0.0, 0.31, 0.9, 1.0):
        np.testing.assert_allclose(
            quantile_of_times(times, q, axis=1), np.exp(np.quantile(np.log(times), q, axis=1)), rtol=1e-12
        )
    with pytest.raises(ValueError, match=r"at least one time; got an array of shape \(0,\)"):
        quantile_of_times([], 0.5)
