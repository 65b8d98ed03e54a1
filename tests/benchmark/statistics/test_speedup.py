"""Ratios of times, and what is left of them where instances are not solved."""

import numpy as np
import pytest

from annealnn.benchmark.statistics import (
    Times,
    quantile_of_ratios,
    quantile_of_times,
    ratio_of_quantiles,
    resample_instances,
    resample_runs,
)


def exactly(*values):
    times = np.array([values], float)
    return Times(times, times)


def unsolved(bound):
    return Times(np.array([np.inf]), np.array([bound]))


def test_both_kinds_by_hand():
    # three instances, the reference's hard one is not the contestant's
    reference, contestant = exactly(1, 10, 100), exactly(50, 1, 10)
    medians = [Times(*(quantile_of_times(part, 0.5) for part in times)) for times in (reference, contestant)]
    assert ratio_of_quantiles(*medians).ratio.value == pytest.approx(1.0)
    assert quantile_of_ratios(reference, contestant, 0.5).ratio.value == pytest.approx(10.0)


def test_what_is_not_solved_is_a_bound():
    known = Times(np.array([10.0]), np.array([10.0]))
    lower, upper = ratio_of_quantiles(unsolved(70.0), known), ratio_of_quantiles(known, unsolved(70.0))
    assert (lower.bound, lower.ratio.value, lower.ratio.is_bound, lower.ratio.high) == ("lower", 7.0, True, np.inf)
    assert (upper.bound, upper.ratio.value, upper.ratio.is_bound, upper.ratio.low) == ("upper", 1 / 7, False, 0.0)
    neither = ratio_of_quantiles(unsolved(70.0), unsolved(70.0))
    assert neither.bound == "undefined"
    assert np.isnan(neither.ratio.value)
    assert neither.ratio[1:3] == (0.0, np.inf)


def test_quantile_of_ratios_with_unsolved_instances():
    reference = Times(np.array([[1.0, np.inf, np.inf]]), np.array([[1.0, 5.0, 6.0]]))
    contestant = exactly(1, 1, 2)
    found = quantile_of_ratios(reference, contestant, 0.5)
    assert (found.bound, found.ratio.value) == ("lower", 3.0)
    mirrored = quantile_of_ratios(contestant, reference, 0.5)
    assert (mirrored.bound, mirrored.ratio.value) == ("upper", pytest.approx(1 / 3))


def test_a_bound_on_an_unsolved_instance_is_no_time_in_the_value():
    """Two of five are unsolved by the contestant after few reads: their bounds, not times, are below the median."""
    reference = exactly(40, 40, 40, 40, 40)
    contestant = Times(*(np.tile([10.0, 20, 40, *unknown], (2, 1)) for unknown in ((np.inf, np.inf), (2, 2))))
    medians = [Times(*(quantile_of_times(part, 0.5) for part in times)) for times in (reference, contestant)]
    for found in (ratio_of_quantiles(*medians), quantile_of_ratios(reference, contestant, 0.5)):
        assert (found.bound, found.ratio.value) == ("none", pytest.approx(1.0))
        # and the interval does not know better than the bound
        assert found.ratio[1:3] == (pytest.approx(1.0), pytest.approx(4.0))


def test_an_instance_that_neither_solves_favours_neither():
    reference = Times(np.array([[8.0, 1, np.inf]]), np.array([[8.0, 1, 3]]))
    contestant = Times(np.array([[1.0, 8, np.inf]]), np.array([[1.0, 8, 3]]))
    one, other = quantile_of_ratios(reference, contestant, 0.5), quantile_of_ratios(contestant, reference, 0.5)
    assert (one.bound, other.bound) == ("none", "none")
    assert one.ratio.value == pytest.approx(1.0)
    assert other.ratio.value == pytest.approx(1.0)


@pytest.mark.parametrize("paired", [True, False])
def test_pairs_by_instance_tell_more(paired):
    """The same instances are hard for both: resampled together their ratio is known better than by each alone."""
    rng = np.random.default_rng(0)
    hardness = np.exp(1.5 * rng.standard_normal((40, 1)))
    reads = np.full((40, 1), 4000)
    hits = [rng.binomial(4000, -np.expm1(-1 / (scale * hardness))) for scale in (30.0, 10.0)]
    picks = [resample_instances(40, 400, np.random.default_rng(seed)) for seed in ((1, 1) if paired else (1, 2))]
    quantiles = []
    for successes, pick in zip(hits, picks, strict=True):
        runs = resample_runs(successes, reads, pick, rng)
        quantiles.append(Times(*(quantile_of_times(part[..., 0], 0.5) for part in (runs.upper, runs.lower))))
    ratio = ratio_of_quantiles(*quantiles).ratio
    assert 3.0 in ratio
    assert (np.log(ratio.high / ratio.low) < 1.0) == paired
