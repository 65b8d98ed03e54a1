"""Residual energy against effort, and its exponent kappa."""

from typing import NamedTuple

import numpy as np

from annealnn.benchmark.statistics._interval import Interval
from annealnn.benchmark.statistics._scaling import fit_scaling
from annealnn.typing import AnyArray, Floats


class ResidualFit(NamedTuple):
    """Residual energy ~ effort^-kappa."""

    kappa: Interval
    chi_square: float
    degrees_of_freedom: int


def residual_energy(
    energies: AnyArray, counts: AnyArray, lowest: float, num_variables: int, *, strength: float = 1.0
) -> tuple[float, float]:
    """Return the residual energy `<H - E0>` / (N J) of one instance's reads, and its standard error.

    Parameters
    ----------
    energies, counts : (num_levels,)
        The histogram of reads.
    lowest : float
        E0.
    num_variables : int
        N.
    strength : float
        J, the unit of energy.

    Returns
    -------
    (residual, error) : per variable
        The error of one read is nan.
    """
    e, c = np.asarray(energies, np.float64), np.asarray(counts, np.float64)
    reads = c.sum()
    mean = float(c @ e / reads)
    unit = num_variables * strength
    variance = float(c @ (e - mean) ** 2 / (reads - 1)) if reads > 1 else np.nan
    return (mean - lowest) / unit, float(np.sqrt(variance / reads)) / unit


def fit_kappa(efforts: AnyArray, residuals: Floats) -> ResidualFit:
    """Fit ln residual = constant - kappa ln effort by weighted least squares, in the data and in each resample.

    At a critical point kappa = (d_s - 1/nu) / mu (King et al. 2023, arXiv 2207.13800).

    Parameters
    ----------
    efforts : (num_efforts,)
        At least two, above 0.
    residuals : (1 + num_resamples, num_efforts)
        The data's first, above 0. Resamples of 0 or less count as not known.

    Raises
    ------
    ValueError
        If there are fewer than two efforts, or a residual energy of the data is not above 0.
    """
    positive = np.where(np.asarray(residuals) > 0, residuals, np.inf)
    fit = fit_scaling(np.asarray(efforts, np.float64), positive)
    slope = fit.exponent
    return ResidualFit(Interval(-slope.value, -slope.high, -slope.low), fit.chi_square, fit.degrees_of_freedom)
