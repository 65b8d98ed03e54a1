"""Speed-ups of one contestant over another: the ratio of quantiles, and the quantile of ratios."""

from typing import Literal, NamedTuple

import numpy as np

from annealnn.benchmark.statistics._bootstrap import Times, ends
from annealnn.benchmark.statistics._interval import Interval
from annealnn.benchmark.statistics._tts import quantile_of_times
from annealnn.typing import AnyArray, Floats

Bound = Literal["none", "lower", "upper", "undefined"]


class Speedup(NamedTuple):
    """A ratio of times, reference over contestant, and what of it is a bound."""

    ratio: Interval
    bound: Bound


def ratio_of_quantiles(reference: Times, contestant: Times) -> Speedup:
    """Return [T_reference]_q / [T_contestant]_q (Ronnow et al. 2014, arXiv 1401.2910).

    Parameters
    ----------
    reference, contestant : Times, (1 + num_resamples,) each
        Quantiles over the same instances, resampled together.

    Returns
    -------
    Speedup
        A lower bound if the reference's quantile is unsolved, an upper bound if the contestant's is, undefined and nan
        if both are. Otherwise unsolved instances are infinite times in the value, and at their bounds in the interval.
    """
    value = _ratio(reference.upper[0], contestant.upper[0])
    return _judge(float(value), reference.lower / contestant.upper, reference.upper / contestant.lower)


def quantile_of_ratios(reference: Times, contestant: Times, quantile: float) -> Speedup:
    """Return [T_reference / T_contestant]_q, ratios taken instance by instance (Ronnow et al. 2014).

    Parameters
    ----------
    reference, contestant : Times, (1 + num_resamples, num_instances) each
        Of the same instances, in the same order. In the value, neither is the faster on one that neither solves.
    quantile : float
    """
    most = quantile_of_times(reference.upper / contestant.lower, quantile)
    if reference.lower is reference.upper and contestant.lower is contestant.upper:
        return _judge(float(most[0]), most, most)
    value = quantile_of_times(_ratio(reference.upper[0], contestant.upper[0]), quantile)
    return _judge(float(value), quantile_of_times(reference.lower / contestant.upper, quantile), most)


def _ratio(reference: AnyArray, contestant: AnyArray) -> Floats:
    """Return reference / contestant, and 1 where both are infinite."""
    neither = np.isinf(reference) & np.isinf(contestant)
    return np.asarray(np.where(neither, 1.0, reference) / np.where(neither, 1.0, contestant))


def _judge(value: float, least: Floats, most: Floats) -> Speedup:
    """Return what is known of a ratio whose least and most possible values are given, the data's first."""
    bound: Bound = "none"
    if least[0] == 0 and np.isinf(most[0]):
        bound, value = "undefined", float("nan")
    elif np.isinf(most[0]):
        bound, value = "lower", float(least[0])
    elif least[0] == 0:
        bound, value = "upper", float(most[0])
    low, high = 0.0, np.inf
    if len(least) > 1:
        low, high = ends(least[1:])[0], ends(most[1:])[1]
    if bound == "none":
        low, high = min(low, float(least[0])), max(high, float(most[0]))
    else:
        low, high = (low if bound == "lower" else 0.0), (high if bound == "upper" else np.inf)
    return Speedup(Interval(value, low, high, bound == "lower"), bound)
