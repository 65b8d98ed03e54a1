"""The distribution of overlaps of independent reads, and the Binder cumulant."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from annealnn.benchmark.statistics._bootstrap import percentile_interval, resample_instances
from annealnn.benchmark.statistics._interval import Interval
from annealnn.typing import AnyArray, Floats


class OverlapStatistics(NamedTuple):
    """P(q), mean over instances, and the Binder cumulant of the disorder's averages."""

    edges: Floats  #: (num_bins + 1,) the same from the middle on both sides
    density: Floats  #: (num_bins,), its integral is 1
    low: Floats  #: (num_bins,) 2.5 % of resamples
    high: Floats  #: (num_bins,) 97.5 %
    binder: Interval


def binder_cumulant(second: AnyArray, fourth: AnyArray) -> Floats:
    """Return U = `(1/2)(3 - <q^4> / <q^2>^2)`: 0 for Gaussian q, 1 where q^2 has one value.

    Parameters
    ----------
    second, fourth : (...)
        Moments of q, averaged over instances before the ratio is taken. nan where `<q^2>` is 0.
    """
    two, four = np.asarray(second, np.float64), np.asarray(fourth, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(two > 0, 0.5 * (3 - four / two**2), np.nan))


def overlap_statistics(
    values: Sequence[AnyArray],
    counts: Sequence[AnyArray],
    num_spins: Sequence[int],
    rng: np.random.Generator,
    *,
    num_resamples: int = 1000,
    max_bins: int = 41,
) -> OverlapStatistics:
    """Return P(q) and the Binder cumulant with intervals over instances, then pairs of reads.

    Parameters
    ----------
    values : num_instances of (num_values,)
        Sums over spins of s_i s'_i of pairs of reads that share none, q N.
    counts : num_instances of (num_values,)
        Pairs of each.
    num_spins : num_instances of int
        N.
    rng : Generator
    num_resamples : int
    max_bins : int
        At most so many bins, one more for evenness. Each holds equally many of the values that q of the largest N can
        have, and q and -q fall into mirrored bins: the outermost reach as far beyond -1 and 1 as that takes.

    Raises
    ------
    ValueError
        If there is no pair in some instance.
    """
    edges = _edges(max(num_spins), max_bins)
    num_bins = len(edges) - 1
    picks = resample_instances(len(values), num_resamples, rng)
    totals = np.zeros((1 + num_resamples, 2 + num_bins))  # <q^2>, <q^4>, shares of the bins
    times_drawn = np.stack([(picks == k).sum(axis=1) for k in range(len(values))])
    for k, (sums, given, n) in enumerate(zip(values, counts, num_spins, strict=True)):
        order = np.argsort(sums)
        q, c = np.asarray(sums, np.float64)[order] / n, np.asarray(given, np.int64)[order]
        pairs = int(c.sum())
        if pairs == 0:
            msg = f"overlaps are of at least one pair of reads in each instance; got none in instance {k}"
            raise ValueError(msg)
        # an instance that is drawn twice has its pairs drawn twice: the mean of both
        rows = np.flatnonzero(times_drawn[k])
        again = rng.multinomial(pairs * times_drawn[k, rows], c / pairs).astype(np.float64)
        again[0] = c
        again /= pairs * len(values)
        totals[rows, :2] += again @ np.column_stack([q**2, q**4])
        places = np.clip(np.searchsorted(edges, q, side="right") - 1, 0, num_bins - 1)
        bins, first = np.unique(places, return_index=True)
        totals[np.ix_(rows, 2 + bins)] += np.add.reduceat(again, first, axis=1)
    binder = binder_cumulant(totals[:, 0], totals[:, 1])
    density = totals[:, 2:] / (edges[1] - edges[0])
    low, high = np.quantile(density[1:], [0.025, 0.975], axis=0) if num_resamples else (density[0], density[0])
    return OverlapStatistics(edges, density[0], low, high, percentile_interval(binder))


def _edges(num_spins: int, max_bins: int) -> Floats:
    """Return edges half-way between values of q = -1, -1 + 2/N, ..., 1, equally many values apart, symmetric."""
    num_values = num_spins + 1
    each = -(-num_values // max_bins)
    each += each % 2 == 0 and num_values % 2 == 1  # an even number of values has no middle one
    num_bins = -(-num_values // each)
    num_bins += (num_bins * each - num_values) % 2
    half = num_bins * each / num_spins
    return np.linspace(-half, half, num_bins + 1)
