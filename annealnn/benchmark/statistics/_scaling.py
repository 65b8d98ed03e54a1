"""Fits of times over sizes, and the difference of two contestants' exponents."""

from typing import Literal, NamedTuple

import numpy as np

from annealnn._validation import check_choice
from annealnn.benchmark.statistics._bootstrap import percentile_interval
from annealnn.benchmark.statistics._interval import Interval
from annealnn.typing import Bools, Floats

Form = Literal["power", "exponential", "root exponential"]
FORMS: tuple[Form, ...] = ("power", "exponential", "root exponential")

_LEAST_ERROR = 0.01  # of a logarithm: times are not known better than 1 %, whatever the resamples say


class ScalingFit(NamedTuple):
    """A fitted scaling law."""

    exponent: Interval
    prefactor: Interval
    chi_square: float
    degrees_of_freedom: int
    exponents: Floats  #: (1 + num_resamples,), the estimate first; nan where fewer than two sizes were left


def usable_sizes(times: Floats) -> Bools:
    """Return which columns of times (1 + num_resamples, num_sizes) can be fitted.

    Those whose own time is finite and at most 5 % of whose resamples are infinite: else the upper end is not known.
    """
    return np.asarray(np.isfinite(times[0]) & (np.isfinite(times).mean(axis=0) >= 0.95))


def fit_scaling(num_variables: Floats, times: Floats, *, form: Form = "power") -> ScalingFit:
    """Fit ln T = ln c + exponent x by weighted least squares, in the data and in each resample.

    x is ln N ("power"), N ("exponential") or sqrt N ("root exponential"). Weights are the inverse variances of ln T
    over resamples. Resamples in which a size is infinite are fitted without that size.

    Parameters
    ----------
    num_variables : (num_sizes,)
    times : (1 + num_resamples, num_sizes)
        The data's times first; all of those finite.
    form : str

    Raises
    ------
    ValueError
        If there are fewer than two different sizes, a time of the data is not finite and above 0, or the form is not
        known.
    """
    check_choice("form", form, FORMS)
    n, t = np.asarray(num_variables, np.float64), np.asarray(times, np.float64)
    if len(np.unique(n)) < 2:
        msg = f"a scaling law is fitted over at least two sizes; got {n.tolist()}"
        raise ValueError(msg)
    if not (np.isfinite(t[0]) & (t[0] > 0)).all():
        msg = f"times to fit are finite and above 0; got {t[0].tolist()}. Leave sizes out that are not solved"
        raise ValueError(msg)
    x = {"power": np.log(n), "exponential": n, "root exponential": np.sqrt(n)}[form]
    finite = np.isfinite(t)
    y = np.log(np.where(finite, t, 1.0))
    weights = 1 / _errors(y, finite) ** 2
    w = np.where(finite, weights, 0.0)
    total = w.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        center = (w * x).sum(axis=1) / total
        spread = (w * (x - center[:, None]) ** 2).sum(axis=1)
        slopes = (w * (x - center[:, None]) * y).sum(axis=1) / spread
        logs = (w * y).sum(axis=1) / total - slopes * center
    # a resample with a single size left says nothing of a slope
    slopes[finite.sum(axis=1) < 2] = np.nan
    misfit = y[0] - logs[0] - slopes[0] * x
    return ScalingFit(
        percentile_interval(slopes),
        percentile_interval(np.where(np.isnan(slopes), np.nan, logs)).map(_exponential),
        float((weights * misfit**2).sum()),
        len(n) - 2,
        slopes,
    )


def _errors(y: Floats, finite: Bools) -> Floats:
    """Return the standard errors of log times (num_sizes,) over resamples; equal ones if there are none."""
    if len(y) < 3:
        return np.ones(y.shape[1])
    columns = zip(y[1:].T, finite[1:].T, strict=True)
    return np.array([max(_LEAST_ERROR, float(np.std(values[known]))) for values, known in columns])


def _exponential(value: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.exp(value))
