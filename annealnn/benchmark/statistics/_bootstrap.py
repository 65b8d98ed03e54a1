"""The bootstrap over instances, then over reads, with the choice of the best effort inside each resample.

All functions keep the data themselves as row 0 and resamples as rows 1 and on, so that an estimate and its resamples
go through the same steps. What is drawn for instances is shared by contestants: ratios are paired.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from annealnn._validation import check_count
from annealnn.benchmark.statistics._interval import Interval
from annealnn.benchmark.statistics._tts import quantile_of_times, quantiles_of_times, runs_to_solution, success_limit
from annealnn.typing import AnyArray, Floats, Indices


class Runs(NamedTuple):
    """Reads to solution in the data (row 0) and in resamples, (1 + num_resamples, num_instances, num_efforts)."""

    upper: Floats  #: infinite where no read succeeded
    lower: Floats  #: there, the bound at 95 %; elsewhere the same; the same array if all are solved


class Times(NamedTuple):
    """A time in the data (element 0) and in resamples; what no read solved is infinite in one, a bound in the other."""

    upper: Floats
    lower: Floats

    def interval(self) -> Interval:
        """Return the estimate and its interval by percentiles of the resamples.

        The value is a bound if the data's own time is infinite.
        """
        is_bound = not np.isfinite(self.upper[0])
        value = float(self.lower[0] if is_bound else self.upper[0])
        if len(self.upper) == 1:
            return Interval(value, 0.0, np.inf, is_bound)
        low, high = ends(self.lower[1:])[0], ends(self.upper[1:])[1]
        return Interval(value, min(low, value), np.inf if is_bound else max(high, value), is_bound)


class Optimised(NamedTuple):
    """Times at the best effort of each row, and which effort that was."""

    times: Times
    chosen: Indices  #: (1 + num_resamples,) numbers of efforts


def percentile_interval(values: Floats) -> Interval:
    """Return the interval of resampled values: (1 + num_resamples,), the estimate first; those of nan do not count."""
    again = values[1:][~np.isnan(values[1:])]
    if len(again) == 0:
        return Interval(float(values[0]), -np.inf, np.inf)
    return Interval(float(values[0]), *ends(again))


def ends(resamples: Floats) -> tuple[float, float]:
    """Return the k-th lowest and the k-th highest of resamples (num_resamples,), k = (num_resamples + 1) / 40.

    Of that many draws from the estimate's own distribution, 5 % lie outside (Davison & Hinkley 1997, section 2.4).
    """
    ordered = np.sort(resamples)
    k = max(1, (len(ordered) + 1) // 40)
    return float(ordered[k - 1]), float(ordered[-k])


def resample_instances(num_instances: int, num_resamples: int, rng: np.random.Generator) -> Indices:
    """Return numbers of instances drawn with replacement, (1 + num_resamples, num_instances); row 0 is all in order.

    One instance stays as it is: intervals are then of its reads only.
    """
    check_count("num_instances", num_instances)
    check_count("num_resamples", num_resamples, minimum=0)
    picks = rng.integers(0, num_instances, size=(1 + num_resamples, num_instances))
    picks[0] = np.arange(num_instances)
    return picks


def resample_runs(
    successes: AnyArray,
    reads: AnyArray,
    picks: Indices,
    rng: np.random.Generator,
    *,
    target: float = 0.99,
) -> Runs:
    """Return reads to solution of picked instances, their successes drawn again from the observed share.

    Instances that no read solved stay unsolved, and those solved once or twice have a chance to be so.

    Parameters
    ----------
    successes, reads : (num_instances, num_efforts)
        No read at all counts as unsolved.
    picks : (1 + num_resamples, num_instances)
        From `resample_instances`. Row 0 is not drawn again.
    rng : Generator
    target : float

    Raises
    ------
    ValueError
        If there are more successes than reads.
    """
    s, r = np.asarray(successes), np.asarray(reads)
    if (s > r).any() or (s < 0).any():
        where = tuple(int(k) for k in np.argwhere((s > r) | (s < 0))[0])
        msg = f"successes are at most as many as reads; got {s[where]} of {r[where]} at {where}"
        raise ValueError(msg)
    total = r[picks]
    again = s[picks] / np.maximum(total, 1)
    again[1:] = rng.binomial(total[1:], again[1:]) / np.maximum(total[1:], 1)
    upper = runs_to_solution(again, target=target)
    unsolved = again == 0
    if not unsolved.any():
        return Runs(upper, upper)
    lower = upper.copy()
    lower[unsolved] = runs_to_solution(success_limit(0, total[unsolved]), target=target)
    return Runs(upper, lower)


def times_by_effort(runs: Runs, time_per_read: Floats, picks: Indices, quantiles: Sequence[float]) -> list[Times]:
    """Return quantiles over instances of the times at each effort, (1 + num_resamples, num_efforts) each.

    Parameters
    ----------
    runs : Runs
    time_per_read : (num_instances, num_efforts)
    picks : (1 + num_resamples, num_instances)
    quantiles : sequence of float
    """
    each = time_per_read[picks]
    upper = quantiles_of_times(runs.upper * each, quantiles, axis=1)
    lower = upper if runs.lower is runs.upper else quantiles_of_times(runs.lower * each, quantiles, axis=1)
    return [Times(*pair) for pair in zip(upper, lower, strict=True)]


def choose_effort(times: Times) -> Indices:
    """Return the effort with the least time in each row; where all are infinite, that with the least bound."""
    unknown = ~np.isfinite(times.upper).any(axis=1)
    best = np.where(unknown, times.lower.argmin(axis=1), times.upper.argmin(axis=1))
    return np.asarray(best, np.intp)


def optimise(times: Times, scored: Times | None = None) -> Optimised:
    """Choose the best effort anew in each row.

    Parameters
    ----------
    times : Times
        Of each effort, (1 + num_resamples, num_efforts).
    scored : Times, optional
        The times that are returned; those that chose if None. With times of one half of the reads that choose and of
        the other that are scored, no luck that chose an effort is counted for it.
    """
    chosen = choose_effort(times)
    rows = np.arange(len(chosen))
    scored = times if scored is None else scored
    return Optimised(Times(scored.upper[rows, chosen], scored.lower[rows, chosen]), chosen)


def halves(successes: AnyArray, reads: AnyArray, rng: np.random.Generator) -> tuple[AnyArray, AnyArray]:
    """Return the successes (num_instances, num_efforts) of a random half of the reads, and how many those are."""
    s, r = np.asarray(successes), np.asarray(reads)
    half = r // 2
    return rng.hypergeometric(s, r - s, half), half


def optimism(
    successes: AnyArray,
    reads: AnyArray,
    time_per_read: Floats,
    quantile: float,
    rng: np.random.Generator,
    *,
    target: float = 0.99,
    num_splits: int = 32,
) -> float:
    """Return how far choosing the best effort flatters: the factor between honest and chosen times.

    Reads are split at random; one half chooses the effort. Its time by the other half, over the least time of that
    other half, geometric mean over splits: above 1 by as much as the least of several noisy times is too low. Each half
    has half the reads, so with all of them the factor is smaller. nan if no split is finite.

    Parameters
    ----------
    successes, reads, time_per_read : (num_instances, num_efforts)
    quantile : float
    rng : Generator
    target : float
    num_splits : int
    """
    s, r = np.asarray(successes), np.asarray(reads)
    if s.shape[1] == 1:
        return 1.0
    half = np.broadcast_to(r // 2, (num_splits, *r.shape))
    one = rng.hypergeometric(s, r - s, half)
    choosing, scoring = (
        quantile_of_times(runs_to_solution(hits / np.maximum(of, 1), target=target) * time_per_read, quantile, axis=1)
        for hits, of in ((one, half), (s - one, r - half))
    )
    honest = scoring[np.arange(num_splits), choosing.argmin(axis=1)]
    known = np.isfinite(honest)
    return float(np.exp(np.log(honest[known] / scoring[known].min(axis=1)).mean())) if known.any() else float("nan")
