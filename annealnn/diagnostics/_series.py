"""How much series along Markov chains say: autocorrelation time, effective sample size, R-hat."""

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.stats import norm, rankdata

from annealnn.diagnostics._value import ValueWithError
from annealnn.typing import AnyArray, Floats

MIN_SWEEPS = 8

# Sokal asks for a window of c autocorrelation times, c from 4 to 10, where white noise has time 1/2; ours has time 1
_WINDOW = 3.0


def check_series(name: str, series: AnyArray, *, min_sweeps: int = MIN_SWEEPS) -> Floats:
    """Return finite numbers of shape (num_reads, num_sweeps); a vector is one read."""
    given = np.asarray(series)
    x = given[None, :] if given.ndim == 1 else given
    if x.ndim != 2 or x.shape[0] < 1 or x.shape[1] < min_sweeps or x.dtype.kind not in "biuf":
        msg = (
            f"numbers in {name} have shape (num_reads, num_sweeps) or (num_sweeps,), at least {min_sweeps} sweeps; "
            f"got {given.dtype} of shape {given.shape}. Record a number at every sweep, one row for each read"
        )
        raise ValueError(msg)
    x = x.astype(np.float64)
    if (wrong := ~np.isfinite(x)).any():
        where = tuple(int(k) for k in np.argwhere(wrong)[0])
        msg = (
            f"numbers in {name} are finite; got {x[where]} at read {where[0]}, sweep {where[1]} "
            f"({int(wrong.sum())} such values). Find where it was recorded, or leave that read out"
        )
        raise ValueError(msg)
    return x


def is_constant(x: Floats) -> bool:
    """Return whether all values are one value, up to rounding."""
    return bool(np.ptp(x) <= 1e-12 * np.abs(x).max())


def integrated_autocorrelation_time(series: AnyArray) -> ValueWithError:
    """Estimate the integrated autocorrelation time, 1 + 2 sum_{t>0} rho(t), in sweeps.

    Sweeps that are independent have time 1, and a mean over N sweeps has the variance of one over N / time. The sum
    stops at Sokal's self-consistent window, the first W of at least 3 times the time summed so far, autocorrelations
    taken by size (Sokal 1997; c = 6 in his convention, where independent sweeps have time 1/2). Error and correction
    for the subtracted mean are those of Wolff (2004, hep-lat/0306017, Eqs. (42) and (49)). All reads share one mean, so
    that reads stuck apart are seen. The time of a series that alternates is taken to be at least 1 / log10(number of
    values), as in `effective_sample_size`: what is less cannot be told from 0.

    Parameters
    ----------
    series : (num_reads, num_sweeps) or (num_sweeps,)
        A number recorded along the sweeps of independent reads, in equilibrium. At least 8 sweeps.

    Returns
    -------
    ValueWithError
        Time and standard error, sweeps; of a series that alternates, the error is about a quarter too small. `inf`
        and `nan` if no window closes within half the sweeps: the series is too short to say. `nan` twice if the
        series is constant.

    Raises
    ------
    ValueError
        If the shape is wrong, there are too few sweeps, or a value is not finite.
    """
    x = check_series("series", series)
    if is_constant(x):
        return ValueWithError(float("nan"), float("nan"))
    num_sweeps = x.shape[1]
    lags = np.arange(num_sweeps // 2 + 1)
    covariance = _autocovariance(x - x.mean())[:, : len(lags)].mean(axis=0) * num_sweeps / (num_sweeps - lags)
    sums = 2 * np.cumsum(covariance) - covariance[0]
    # by size, so that a series that alternates is not cut where its sum crosses zero
    sizes = 2 * np.cumsum(np.abs(covariance)) - covariance[0]
    closed = np.flatnonzero(lags * covariance[0] >= _WINDOW * sizes)
    if not len(closed):
        return ValueWithError(float("inf"), float("nan"))
    window, total = int(closed[0]), x.size
    # the subtracted mean lowers every covariance by the variance of the mean
    lost = sums[window] / total
    time = _bounded(float((sums[window] + (2 * window + 1) * lost) / (covariance[0] + lost)), total)
    return ValueWithError(time, _time_error(time, window, total))


def effective_sample_size(series: AnyArray, *, rank_normalize: bool = True) -> ValueWithError:
    """Estimate how many independent draws say as much of the mean as all reads together.

    Every read is split in two, autocorrelations are those within and between the halves, and their sum stops at Geyer's
    initial monotone sequence (Vehtari et al. 2021, Section 3.2).

    Parameters
    ----------
    series : (num_reads, num_sweeps) or (num_sweeps,)
        A number recorded along the sweeps of independent reads. At least 8 sweeps; of an odd number, the middle one is
        left out.
    rank_normalize : bool
        Of the normal scores of ranks ("bulk ESS"), which any distribution has; else of the numbers as they are.

    Returns
    -------
    ValueWithError
        Size and standard error, that of Wolff (2004, Eq. (42)) for the sum's length. `nan` twice if the series is
        constant.

    Raises
    ------
    ValueError
        If the shape is wrong, there are too few sweeps, or a value is not finite.
    """
    x = _halves(check_series("series", series))
    if is_constant(x):
        return ValueWithError(float("nan"), float("nan"))
    if rank_normalize:
        x = _normal_scores(x)
    num_sweeps, total = x.shape[1], x.size
    covariance = _autocovariance(x - x.mean(axis=1, keepdims=True)).mean(axis=0)
    within = covariance[0] * num_sweeps / (num_sweeps - 1)
    variance = covariance[0] + x.mean(axis=1).var(ddof=1)
    correlation = 1 - (within - covariance) / variance
    correlation[0] = 1.0
    pairs = correlation[: num_sweeps // 2 * 2].reshape(-1, 2).sum(axis=1)
    num_pairs = int(np.argmax(pairs <= 0)) if (pairs <= 0).any() else len(pairs)
    time = 2 * float(np.minimum.accumulate(pairs[:num_pairs]).sum()) - 1
    if 2 * num_pairs < num_sweeps:
        time += max(0.0, float(correlation[2 * num_pairs]))
    time = _bounded(time, total)
    size = total / time
    return ValueWithError(size, size * _time_error(time, 2 * num_pairs, total) / time)


def split_r_hat(series: AnyArray, *, rank_normalize: bool = True) -> float:
    """Return split R-hat: near 1 if the halves of all reads have one distribution, larger if they have not.

    The square root of the variance of all halves together over the variance within them. Values below 1.01 are taken
    as agreement (Vehtari et al. 2021, Eqs. (1)-(4) and Section 4). One read is compared with itself: early and late.

    Parameters
    ----------
    series : (num_reads, num_sweeps) or (num_sweeps,)
        A number recorded along the sweeps of independent reads. At least 8 sweeps; of an odd number, the middle one is
        left out.
    rank_normalize : bool
        The larger of two values: of normal scores of the ranks, and of the ranks of distances from the median, which
        sees reads that differ in spread alone. Else plain split R-hat of the numbers (Gelman et al. 2013).

    Returns
    -------
    float
        `inf` if every half is constant and the halves differ; `nan` if the series is constant. It has no standard
        error of its own.

    Raises
    ------
    ValueError
        If the shape is wrong, there are too few sweeps, or a value is not finite.
    """
    x = _halves(check_series("series", series))
    if not rank_normalize:
        return _r_hat(x)
    folded = np.abs(x - np.median(x))
    values = [_r_hat(_normal_scores(part)) for part in (x, folded) if not is_constant(part)]
    return max(values, default=float("nan"))


def _autocovariance(centred: Floats) -> Floats:
    """Return sum_u x(u) x(u + t) / num_sweeps for every read and lag t, by FFT."""
    num_sweeps = centred.shape[1]
    size = next_fast_len(2 * num_sweeps, real=True)
    power = np.abs(rfft(centred, size, axis=1)) ** 2
    return np.asarray(irfft(power, size, axis=1)[:, :num_sweeps] / num_sweeps, dtype=np.float64)


def _bounded(time: float, total: int) -> float:
    """Return an autocorrelation time of at least 1 / log10(total), as in Vehtari et al. (2021, Section 3.2).

    Series that alternate have times below 1, and estimates of these may fall to 0 and below.
    """
    return max(time, 1 / float(np.log10(total)))


def _time_error(time: float, window: int, total: int) -> float:
    """Return the standard error of an autocorrelation time that is summed up to `window`, Wolff's Eq. (42)."""
    return float(time * np.sqrt(4 / total * max(window + 0.5 - time / 2, 0.5)))


def _halves(x: Floats) -> Floats:
    half = x.shape[1] // 2
    return np.concatenate([x[:, :half], x[:, -half:]])


def _normal_scores(x: Floats) -> Floats:
    """Return normal scores of the ranks of all values together, ties at their mean rank (Blom 1958)."""
    return np.asarray(norm.ppf((rankdata(x).reshape(x.shape) - 0.375) / (x.size + 0.25)), dtype=np.float64)


def _r_hat(x: Floats) -> float:
    if is_constant(x):
        return float("nan")
    num_sweeps = x.shape[1]
    within = float(x.var(axis=1, ddof=1).mean())
    if within <= 1e-24 * float(np.square(x).max()):
        return float("inf")
    between = float(x.mean(axis=1).var(ddof=1))
    return float(np.sqrt((num_sweeps - 1) / num_sweeps + between / within))
