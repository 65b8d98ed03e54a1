"""Fits of scaling laws, and the exponent that a contestant of known truth comes back with."""

import numpy as np
import pytest
from scipy.stats import binom

from annealnn.benchmark import _cells
from annealnn.benchmark._analyse import analyse
from annealnn.benchmark.statistics import fit_scaling, synthetic, usable_sizes

SIZES = np.array([8.0, 16.0, 32.0, 64.0])


def cover(repetitions=200):
    """Return in how many repetitions the exponent 1.7 lies within its interval, from records to table."""
    hits = 0
    for seed in range(repetitions):
        records = synthetic(
            exponent=1.7, sizes=(8, 16, 32, 64), num_instances=16, efforts=(1.0, 4.0, 16.0, 64.0), seed=seed
        )
        shown = analyse(
            records,
            clocks=("effort",),
            epsilons=(0.0,),
            quantiles=(0.5,),
            tables=("scalings",),
            num_resamples=119,
            seed=seed,
        )
        [row] = [row for row in shown.scalings if (row.policy, row.form) == ("optimised", "power")]
        hits += 1.7 in row.exponent
    return hits


def test_an_exponent_comes_back_within_its_interval():
    # 95 % coverage falls outside 180 to 198 of 200 with a chance of 0.2 %; seeds are fixed
    assert binom.cdf(179, 200, 0.95) + binom.sf(198, 200, 0.95) < 2e-3
    assert 180 <= cover() <= 198


def test_the_check_has_teeth(monkeypatch):
    # reads alone are drawn again, and instances taken as given
    def forgetful(num_instances, num_resamples, rng):
        return np.tile(np.arange(num_instances), (1 + num_resamples, 1))

    monkeypatch.setattr(_cells, "resample_instances", forgetful)
    assert cover(40) < 30


@pytest.mark.parametrize(
    ("form", "times"),
    [
        ("power", 3 * SIZES**1.7),
        ("exponential", 3 * np.exp(0.05 * SIZES)),
        ("root exponential", 3 * np.exp(0.7 * np.sqrt(SIZES))),
    ],
)
def test_finds_what_the_form_is(form, times):
    rng = np.random.default_rng(0)
    noisy = times * np.exp(0.05 * rng.standard_normal((400, 4)))
    noisy[0] = times
    fits = {name: fit_scaling(SIZES, noisy, form=name) for name in ("power", "exponential", "root exponential")}
    truth = {"power": 1.7, "exponential": 0.05, "root exponential": 0.7}[form]
    assert fits[form].exponent.value == pytest.approx(truth)
    assert fits[form].prefactor.value == pytest.approx(3.0)
    assert fits[form].chi_square == pytest.approx(0.0, abs=1e-9)
    assert min(fit.chi_square for name, fit in fits.items() if name != form) > 6


def test_weights_follow_the_spread():
    rng = np.random.default_rng(1)
    spread = np.array([0.01, 0.01, 0.01, 3.0])
    times = SIZES**2 * np.exp(spread * rng.standard_normal((500, 4)))
    times[0] = SIZES**2 * [1, 1, 1, 100]
    assert fit_scaling(SIZES, times).exponent.value == pytest.approx(2.0, abs=0.01)


def test_resamples_without_a_size_are_fitted_without_it():
    times = np.tile(SIZES**1.5, (300, 1))
    times[1:6, 3] = np.inf
    times[7, 1:] = np.inf
    fit = fit_scaling(SIZES, times)
    np.testing.assert_allclose(np.delete(fit.exponents, 7), 1.5)
    assert np.isnan(fit.exponents[7])
    assert fit.exponent.value == pytest.approx(1.5)


def test_sizes_that_are_often_unsolved_are_not_fitted():
    times = np.ones((101, 3))
    times[0, 0] = np.inf
    times[1:10, 1] = np.inf
    np.testing.assert_array_equal(usable_sizes(times), [False, False, True])


@pytest.mark.parametrize(
    ("sizes", "times", "form", "message"),
    [
        ([8.0, 8.0], [[1.0, 2.0]], "power", r"at least two sizes; got \[8\.0, 8\.0\]"),
        ([8.0, 16.0], [[1.0, np.inf]], "power", r"finite and above 0; got \[1\.0, inf\]"),
        ([8.0, 16.0], [[1.0, 2.0]], "cubic", "got 'cubic'"),
    ],
)
def test_refuses(sizes, times, form, message):
    with pytest.raises(ValueError, match=message):
        fit_scaling(sizes, times, form=form)
