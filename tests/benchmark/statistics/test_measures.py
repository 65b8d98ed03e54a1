"""Residual energies, overlaps, sampling quality, valleys and joules, against exact values and limits."""

from itertools import combinations

import numpy as np
import pytest

from annealnn.benchmark.statistics import (
    Interval,
    Target,
    binder_cumulant,
    chance_of_finding,
    compare_valleys,
    energy_per_solution,
    fit_kappa,
    kl_bias,
    mean_interval,
    overlap_statistics,
    resample_instances,
    residual_energy,
    sampling_quality,
)
from annealnn.benchmark.statistics._quality import spins_of_indices
from annealnn.models import IsingModel

# lopsided, so that no swapped index or sign can hide
LOPSIDED = IsingModel(
    {0: 0.7, 1: -0.3, 2: 0.1, 3: 0.0, 4: -0.5}, {(0, 1): 0.9, (1, 2): -0.4, (2, 3): 0.6, (3, 4): -1.1, (0, 4): 0.35}
)


def test_residual_energy_of_a_histogram():
    residual, error = residual_energy([-10.0, -8.0], [3, 1], -10.0, 5)
    assert residual == pytest.approx(0.5 / 5)
    assert error == pytest.approx(np.std([-10, -10, -10, -8], ddof=1) / 2 / 5)
    assert residual_energy([-10.0, -8.0], [3, 1], -10.0, 5, strength=2.0)[0] == pytest.approx(0.05)
    assert np.isnan(residual_energy([-8.0], [1], -10.0, 5)[1])


def test_kappa_comes_back():
    efforts = np.array([1.0, 4.0, 16.0, 64.0])
    rng, hits = np.random.default_rng(0), 0
    for _ in range(100):
        spread = np.array([0.02, 0.05, 0.05, 0.1])
        data = 0.3 * efforts**-0.45 * np.exp(spread * rng.standard_normal(4))
        fit = fit_kappa(efforts, np.vstack([data, data * np.exp(spread * rng.standard_normal((400, 4)))]))
        hits += 0.45 in fit.kappa
    assert 86 <= hits <= 100  # 95 % coverage falls below 86 with a chance of 2e-4
    assert fit.degrees_of_freedom == 2


def test_mean_over_instances_covers_and_one_level_does_not():
    hits, without = 0, 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        values = 1.0 + rng.standard_normal(20) + 0.3 * rng.standard_normal(20)
        picks = resample_instances(20, 200, rng)
        hits += 1.0 in mean_interval(values, np.full(20, 0.3), picks, rng)
        without += 1.0 in mean_interval(values, np.full(20, 0.3), np.tile(np.arange(20), (201, 1)), rng)
    assert hits >= 176
    assert without < 120


def overlaps_of(spins):
    """Return what the measure keeps of reads (num_reads, num_spins)."""
    values, counts = np.unique((spins[0::2].astype(int) * spins[1::2]).sum(axis=1), return_counts=True)
    return values, counts


def test_binder_of_independent_spins_is_one_over_n():
    n, rng = 16, np.random.default_rng(3)
    told = [overlaps_of(rng.choice([-1, 1], size=(4000, n))) for _ in range(8)]
    found = overlap_statistics([v for v, _ in told], [c for _, c in told], [n] * 8, rng, num_resamples=300)
    sigma = (found.binder.high - found.binder.low) / 3.92
    assert abs(found.binder.value - 1 / n) < 5 * sigma  # exact: <q^4> / <q^2>^2 = 3 - 2/n
    assert sigma < 0.03
    assert (found.density * np.diff(found.edges)).sum() == pytest.approx(1.0)
    assert found.density[len(found.density) // 2] == found.density.max()  # around 0


def test_binder_of_frozen_spins_is_one():
    rng = np.random.default_rng(4)
    up_or_down = np.repeat(rng.choice([-1, 1], size=(500, 1)), 12, axis=1)
    values, counts = overlaps_of(up_or_down)
    found = overlap_statistics([values], [counts], [12], rng, num_resamples=50)
    assert found.binder[:3] == (1.0, 1.0, 1.0)
    np.testing.assert_array_equal(np.flatnonzero(found.density), [0, len(found.density) - 1])


@pytest.mark.parametrize("n", [1, 12, 32, 41, 64, 127, 128, 500])
def test_bins_hold_equally_many_values_of_q(n):
    values = np.arange(-n, n + 1, 2)
    found = overlap_statistics([values], [np.ones(n + 1, int)], [n], np.random.default_rng(0), num_resamples=0)
    assert len(found.density) <= 42
    np.testing.assert_allclose(found.edges, -found.edges[::-1], atol=1e-12)
    inside = np.histogram(values / n, found.edges)[0][1:-1]
    assert len(set(inside)) <= 1
    # flat but for the two ends, which reach beyond -1 and 1
    assert np.ptp(found.density[1:-1]) < 1e-9 if n > 1 else len(found.density) == 2


def test_binder_averages_moments_before_their_ratio():
    # one frozen instance and one at half its overlap: <q^2> = (1 + 1/4) / 2, <q^4> = (1 + 1/16) / 2
    found = overlap_statistics([[4], [2]], [[10], [10]], [4, 4], np.random.default_rng(0), num_resamples=10)
    assert found.binder.value == pytest.approx(float(binder_cumulant(0.625, 0.53125)))
    assert np.isnan(binder_cumulant(0.0, 0.0))
    with pytest.raises(ValueError, match="at least one pair of reads in each instance; got none in instance 1"):
        overlap_statistics([[4], []], [[1], []], [4, 4], np.random.default_rng(0))


def test_the_exact_distribution_is_the_model_s():
    target = Target(LOPSIDED, 0.8)
    spins = spins_of_indices(np.arange(32), 5)
    np.testing.assert_array_equal(spins[0b10000], [1, -1, -1, -1, -1])  # variable 0 is most significant, bit 1 is +1
    weights = np.exp(-0.8 * LOPSIDED.energy(spins))
    np.testing.assert_allclose(target.probabilities, weights / weights.sum(), rtol=1e-12)
    np.testing.assert_allclose(np.exp(target.log_probabilities), target.probabilities, rtol=1e-12)


def test_distances_by_hand():
    target = Target(IsingModel({0: 0.0, 1: 0.0}, {(0, 1): 0.0}), 1.0)
    found = target.distances([0b11, 0b10], [3, 1])
    assert found.kl == pytest.approx(0.75 * np.log(3) + 0.25 * np.log(1))
    assert found.total_variation == pytest.approx(0.5)
    assert found.worst_mean == pytest.approx(1.0)  # variable 0 is always up
    assert found.worst_correlation == pytest.approx(0.5)


def reads_at(beta, num_reads, rng):
    return np.unique(Target(LOPSIDED, beta).draw(num_reads, rng), return_counts=True)


def test_perfect_reads_are_at_the_floor_and_others_are_not():
    rng, target = np.random.default_rng(6), Target(LOPSIDED, 0.8)
    perfect = sampling_quality(target, *reads_at(0.8, 4000, rng), rng)
    wrong = sampling_quality(target, *reads_at(1.1, 4000, rng), rng)
    for value, floor, spread in zip(perfect.distances, perfect.floor, perfect.floor_spread, strict=True):
        assert abs(value - floor) < 6 * spread
    # a third more beta shows in all four
    for value, floor, spread in zip(wrong.distances, wrong.floor, wrong.floor_spread, strict=True):
        assert value > floor + 6 * spread


def test_floor_is_the_known_bias_where_every_state_is_read():
    rng = np.random.default_rng(7)
    found = sampling_quality(Target(LOPSIDED, 0.2), *reads_at(0.2, 20000, rng), rng)
    error = found.floor_spread.kl / np.sqrt(32)
    assert abs(found.floor.kl - kl_bias(32, 20000)) < 5 * error
    # and far below it where states are many and reads few
    few = sampling_quality(Target(LOPSIDED, 2.0), *reads_at(2.0, 10, rng), rng)
    assert few.floor.kl < 0.7 * kl_bias(32, 10)


def test_distributions_of_many_variables_are_refused():
    with pytest.raises(ValueError, match="up to 20 variables; got 21"):
        Target(IsingModel(np.zeros(21), {(0, 1): 1.0}), 1.0)


def test_rarefaction_is_that_of_all_draws():
    reads = ["a"] * 4 + ["b"] * 2 + ["c"]
    for drawn in range(8):
        every = list(combinations(reads, drawn))
        exact = [np.mean([name in draw for draw in every]) for name in "abc"]
        np.testing.assert_allclose(chance_of_finding([4, 2, 1], 7, drawn), exact, atol=1e-12)
    with pytest.raises(ValueError, match="at most those there are; got 9 of 7"):
        chance_of_finding([1], 7, 9)


def test_valleys_are_compared_at_equal_reads():
    counts = {"many": {"a": 60, "b": 30, "c": 10}, "few": {"a": 5, "d": 5}}
    found = compare_valleys(counts, {"many": 100, "few": 10}, np.random.default_rng(8))
    chances = chance_of_finding([60, 30, 10], 100, 10)
    assert found["few"].found.value == pytest.approx(2.0)
    assert found["many"].found.value == pytest.approx(chances.sum())
    assert found["many"].found.value < 3  # with all its reads it has three
    assert found["many"].missed_by_others == pytest.approx(chances[1:].sum())
    assert found["many"].missed == pytest.approx(2 - chances[0])  # d, and a where it misses that
    assert found["few"].missed == pytest.approx(chances[1:].sum())
    assert found["many"].found.low < found["many"].found.value < found["many"].found.high


def test_valleys_alone_and_too_many():
    alone = compare_valleys({"one": {"a": 3}}, {"one": 3}, np.random.default_rng(0))["one"]
    assert (alone.found.value, alone.missed_by_others, alone.missed) == (1.0, 1.0, 0.0)
    with pytest.raises(ValueError, match="'one' has 4 of 3"):
        compare_valleys({"one": {"a": 4}}, {"one": 3}, np.random.default_rng(0))


def test_joules_are_power_times_time():
    time = Interval(2.0, 1.0, np.inf, is_bound=True)
    assert energy_per_solution(time, 30.0) == (60.0, 30.0, np.inf, True)
    with pytest.raises(ValueError, match=r"power_w is a finite number, above 0; got 0\.0"):
        energy_per_solution(time, 0.0)
