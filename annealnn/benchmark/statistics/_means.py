"""Means over instances of what is estimated from reads."""

import numpy as np

from annealnn.benchmark.statistics._bootstrap import percentile_interval
from annealnn.benchmark.statistics._interval import Interval
from annealnn.typing import AnyArray, Floats, Indices


def resampled_means(values: AnyArray, errors: AnyArray, picks: Indices, rng: np.random.Generator) -> Floats:
    """Return the mean over instances in the data and in resamples, (1 + num_resamples,).

    Instances are drawn with replacement; each drawn one's value is drawn from a normal distribution of its standard
    error, which stands for drawing its reads again.

    Parameters
    ----------
    values, errors : (num_instances,)
        A standard error that is not known (nan) counts as 0.
    picks : (1 + num_resamples, num_instances)
        From `resample_instances`.
    rng : Generator
    """
    noise = rng.standard_normal(picks.shape) * np.nan_to_num(np.asarray(errors, np.float64))[picks]
    noise[0] = 0.0
    return np.asarray((np.asarray(values, np.float64)[picks] + noise).mean(axis=1))


def mean_interval(values: AnyArray, errors: AnyArray, picks: Indices, rng: np.random.Generator) -> Interval:
    """Return the mean over instances with its interval over instances, then reads. See `resampled_means`."""
    return percentile_interval(resampled_means(values, errors, picks, rng))
