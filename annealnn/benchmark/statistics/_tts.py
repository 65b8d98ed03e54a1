"""Time to solution: from probabilities that one read succeeds, and quantiles of it over instances."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import beta as beta_distribution

from annealnn._validation import check_number
from annealnn.typing import AnyArray, Floats


def runs_to_solution(probability: Any, *, target: float = 0.99) -> Floats:
    """Return how many reads it takes to succeed once with the target's probability.

    R = ln(1 - target) / ln(1 - p), at least 1 (Ronnow et al. 2014, arXiv 1401.2910): one read where p is the target or
    more, infinitely many where p is 0. It is not rounded up.

    Parameters
    ----------
    probability : (...), between 0 and 1
        That one read succeeds.
    target : float
        Above 0 and below 1.

    Raises
    ------
    ValueError
        If the target is not between 0 and 1, or a probability is not from 0 to 1.
    """
    if check_number("target", target, low=0.0, high=1.0, open_low=True) == 1.0:
        msg = "target is below 1, for certainty takes infinitely many reads; got 1"
        raise ValueError(msg)
    p = np.asarray(probability, np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        msg = f"probabilities are from 0 to 1; got {p[~((p >= 0) & (p <= 1))][0]}"
        raise ValueError(msg)
    with np.errstate(divide="ignore"):
        return np.asarray(np.maximum(1.0, np.log1p(-target) / np.log1p(-p)))


def time_to_solution(
    probability: Any, time_per_read: Any, *, target: float = 0.99, share_of_processor: float = 1.0
) -> Floats:
    """Return the time to succeed once with the target's probability: the reads it takes, times a read's time.

    Parameters
    ----------
    probability : (...), between 0 and 1
        That one read succeeds. Infinite times where it is 0: see `success_limit` for a lower bound.
    time_per_read : broadcast with it
        Any unit.
    target : float
    share_of_processor : float
        N / N_max, where copies of the problem fill a processor and run at once (Ronnow et al. 2014).

    Raises
    ------
    ValueError
        If a probability, the target or the share is out of its range.
    """
    share = check_number("share_of_processor", share_of_processor, low=0.0, high=1.0, open_low=True)
    return np.asarray(runs_to_solution(probability, target=target) * np.asarray(time_per_read) * share)


def success_limit(successes: Any, reads: Any, *, level: float = 0.95) -> Floats:
    """Return the upper limit of a probability at a one-sided level (Clopper & Pearson 1934).

    For no success in R reads it is 1 - (1 - level)^(1/R), about 3/R at 95 %; for no read it is 1. Times to solution at
    the limit are lower bounds at that level.

    Parameters
    ----------
    successes, reads : (...)
    level : float
    """
    s, r = np.broadcast_arrays(np.asarray(successes), np.asarray(reads))
    limit = np.ones(s.shape)
    none = (s == 0) & (r > 0)
    limit[none] = -np.expm1(np.log1p(-level) / r[none])
    some = (s > 0) & (s < r)
    limit[some] = beta_distribution.ppf(level, s[some] + 1, r[some] - s[some])
    return limit


def quantile_of_times(times: AnyArray, quantile: float, *, axis: int = -1) -> Floats:
    """Return a quantile of positive times over an axis; infinite where it falls among infinite ones.

    Between two order statistics, at (n - 1) quantile, it is interpolated in the logarithm. Times of 0 and infinity are
    taken as they are.

    Raises
    ------
    ValueError
        If the quantile is not from 0 to 1, or there are no times.
    """
    return quantiles_of_times(times, [quantile], axis=axis)[0]


def quantiles_of_times(times: AnyArray, quantiles: Sequence[float], *, axis: int = -1) -> list[Floats]:
    """Return several quantiles of positive times over an axis; see `quantile_of_times`."""
    t = np.moveaxis(np.asarray(times, np.float64), axis, -1)
    n = t.shape[-1]
    if n == 0:
        msg = f"a quantile is of at least one time; got an array of shape {np.shape(times)}"
        raise ValueError(msg)
    places = [(n - 1) * check_number("quantile", q, low=0.0, high=1.0) for q in quantiles]
    ordered = np.sort(t, axis=-1)  # of tens of times this takes a third of what a partition does
    return [_between(ordered[..., int(p)], ordered[..., min(int(p) + 1, n - 1)], p - int(p)) for p in places]


def _between(low: Floats, high: Floats, weight: float) -> Floats:
    if weight < 1e-9:  # (n - 1) q is whole but for rounding
        return low.copy()
    if weight > 1 - 1e-9:
        return high.copy()
    with np.errstate(divide="ignore", invalid="ignore"):
        between = np.exp((1 - weight) * np.log(low) + weight * np.log(high))
    # 0 beside infinity: nothing is known but the lower one
    return np.asarray(np.where(np.isnan(between), low, between))
