"""The inverse temperature that best explains reads.

Three estimators. Pseudo-likelihood asks whether each spin agrees with its neighbours, so it is local. Log-ratio and
moment look at energies of whole reads, so they are global. In equilibrium they agree. After a quench the local
temperature is the lower one (Raymond et al. 2016): spins have settled among their neighbours, domains have not.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

from annealnn._validation import check_pair
from annealnn.diagnostics._value import ValueWithError
from annealnn.models import IsingModel, Parameters, Structure
from annealnn.models._exact import basis_energies, check_enumerable
from annealnn.typing import AnyArray, Floats, Spins

_UNDEFINED = ValueWithError(float("inf"), float("nan"))


def effective_beta(structure: Structure, parameters: Parameters, spins: Spins) -> ValueWithError:
    """Estimate the effective beta of reads by maximum pseudo-likelihood (Besag 1975; Raymond et al. 2016).

    Parameters
    ----------
    structure, parameters
        The problem that was sampled, Eq. (1)'s sign.
    spins : (num_reads, num_variables)
        Independent reads.

    Returns
    -------
    ValueWithError
        The maximiser of sum_{r,i} ln P_beta(s_i | others), at least 0, 1/energy, and its standard error, reads taken
        as independent. `inf` and `nan` if every read is a local minimum: no finite beta explains that. The error of one
        read is `nan`.

    Raises
    ------
    ValueError
        If parameters or spins have another shape, a parameter is not finite, or a spin is neither -1 nor +1.
    """
    return fit_pulls(pulls_of(structure, parameters, _checked_spins(structure, parameters, spins))).beta


def pulls_of(structure: Structure, parameters: Parameters, spins: Spins) -> Floats:
    """Return half of what a flip of each spin would cost, (num_reads, num_variables): s_i times its local field."""
    s = spins.astype(np.float64)
    upper = csr_array((parameters.couplings, structure.ends), (structure.num_variables, structure.num_variables))
    return np.asarray(s * ((upper @ s.T + upper.T @ s.T).T + parameters.fields))


class LocalFit(NamedTuple):
    """An effective beta by pseudo-likelihood, and what each read had to do with it."""

    beta: ValueWithError  #: see `effective_beta`
    #: (num_reads,), to first order: beta is off by their mean. Zeros where beta is not defined, or is its least, 0
    influences: Floats


def fit_pulls(pull: Floats) -> LocalFit:
    """Return the effective beta that explains pulls (num_reads, num_variables) best; a pull of 0 says nothing."""
    if (pull >= 0).all():
        return LocalFit(_UNDEFINED, np.zeros(len(pull)))
    # in units of the strongest pull, so that the answer does not depend on the problem's scale
    scale = float(np.abs(pull).max())
    pull = pull / scale

    def slope_of_rows(beta: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.asarray((2 * pull * expit(-2 * beta * pull)).sum(axis=1))

    def slope(beta: float) -> float:
        return float(slope_of_rows(beta).sum())

    beta, top = 0.0, 1.0
    if slope(0.0) > 0:
        while slope(top) > 0:
            top *= 2
        beta = _root(slope, top)
    curvature = float((4 * pull**2 * expit(2 * beta * pull) * expit(-2 * beta * pull)).sum())
    rows = slope_of_rows(beta)
    known = curvature > 0 and len(pull) > 1
    error = float(np.sqrt((rows**2).sum())) / curvature / scale if known else float("nan")
    influences = rows * (len(pull) / curvature / scale) if curvature > 0 and beta > 0 else np.zeros(len(pull))
    return LocalFit(ValueWithError(beta / scale, error), influences)


def effective_beta_by_log_ratio(
    structure: Structure, parameters: Parameters, spins: Sequence[Spins], *, scales: tuple[float, float]
) -> ValueWithError:
    """Estimate the effective beta from reads of one problem at two scales (Benedetti et al. 2016, arXiv 1510.07611).

    At scale x a device draws states with weight exp(-beta x E), so the number of states at an energy cancels from the
    ratio of two histograms: ln [N1(E) / N2(E)] = constant - (x1 - x2) beta E. The slope is fitted by least squares,
    every energy weighted by what its counts say and the weights found again at each step. That is logistic regression
    of the set on the energy, which is maximum likelihood (Shirts 2013) and takes bins as narrow as one read.

    Parameters
    ----------
    structure, parameters
        The problem at scale 1, Eq. (1)'s sign.
    spins : two of (num_reads, num_variables)
        Independent reads of the problem at `scales[0]` and at `scales[1]`. The numbers of reads may differ.
    scales : (x1, x2)
        What the parameters were multiplied by for either set. Their difference times beta times the spread of the
        energies should be of order 1: less says little, more leaves no energies that both sets have.

    Returns
    -------
    ValueWithError
        Beta at scale 1, 1/energy, and its standard error, reads taken as independent. It may be below 0.

    Raises
    ------
    ValueError
        If parameters or spins have another shape, a parameter is not finite, a spin is neither -1 nor +1, the
        scales are equal, or the energies of the sets do not overlap.
    """
    first, second = check_pair("scales", scales)
    if first == second:
        msg = f"scales differ; got {first:g} twice. Draw one of the sets at another scale"
        raise ValueError(msg)
    if len(spins) != 2:
        msg = f"spins are two sets of reads, one for each scale; got {len(spins)}. Pass a pair of arrays"
        raise ValueError(msg)
    one, two = (structure.energies(parameters, _checked_spins(structure, parameters, s)) for s in spins)
    if one.max() <= two.min() or two.max() <= one.min():
        msg = (
            f"the energies of both sets overlap; got {one.min():g} to {one.max():g} at scale {first:g} and "
            f"{two.min():g} to {two.max():g} at scale {second:g}. Draw at scales closer together, or smaller"
        )
        raise ValueError(msg)
    energies = np.concatenate([one, two])
    center, spread = float(energies.mean()), float(energies.std())
    slope, error = _logistic_slope((energies - center) / spread, len(one))
    contrast = (first - second) * spread
    return ValueWithError(-slope / contrast, error / abs(contrast))


def effective_beta_by_moment(
    structure: Structure,
    parameters: Parameters,
    spins: Spins,
    *,
    mean_energy: Callable[[float], float] | None = None,
) -> ValueWithError:
    """Estimate the effective beta as the one whose thermal mean energy is that of the reads.

    Of all Boltzmann distributions it is the one that reads are most likely under.

    Parameters
    ----------
    structure, parameters
        The problem that was sampled, Eq. (1)'s sign.
    spins : (num_reads, num_variables)
        Independent reads.
    mean_energy : callable from beta to energy, optional
        The thermal mean of the energy, without offset, falling in beta; its own error should be well below that of the
        reads. By enumeration if None, of as many variables as `IsingModel.exact` takes.

    Returns
    -------
    ValueWithError
        Beta, at least 0, 1/energy, and its standard error: that of the reads' mean over the slope of the thermal mean.
        `inf` and `nan` if no finite beta has an energy so low. The error of one read is `nan`.

    Raises
    ------
    ValueError
        If parameters or spins have another shape, a parameter is not finite, a spin is neither -1 nor +1, all
        parameters are zero, there are too many variables to enumerate, or `mean_energy` returns a number that is not
        finite.
    """
    energies = structure.energies(parameters, _checked_spins(structure, parameters, spins))
    # the standard deviation of the energy at beta = 0: every product of spins has variance 1
    scale = float(np.sqrt(np.square(parameters.fields).sum() + np.square(parameters.couplings).sum()))
    if scale == 0:
        msg = "parameters are not all zero; got zeros, and reads of equal energies say nothing of beta"
        raise ValueError(msg)
    target = float(energies.mean())
    error = float(energies.std(ddof=1)) / np.sqrt(len(energies)) if len(energies) > 1 else float("nan")
    if mean_energy is None:
        check_enumerable(structure.num_variables)
        levels = basis_energies(structure, parameters)
        if target <= levels.min() + 1e-12 * scale:
            return _UNDEFINED
        beta = _solve(lambda b: _mean_and_variance(levels, b)[0] - target, 1 / scale)
        return ValueWithError(beta, error / _mean_and_variance(levels, beta)[1])
    beta = _solve(lambda b: _checked_energy(mean_energy, b) - target, 1 / scale)
    if not np.isfinite(beta):
        return _UNDEFINED
    step = 0.01 * max(beta, 1 / scale)
    below = max(0.0, beta - step)
    fall = _checked_energy(mean_energy, below) - _checked_energy(mean_energy, beta + step)
    return ValueWithError(beta, error * (beta + step - below) / fall if fall > 0 else float("nan"))


def _checked_spins(structure: Structure, parameters: Parameters, spins: AnyArray) -> Spins:
    IsingModel.from_parameters(structure, parameters)  # refuses parameters of another shape, or not finite
    s = np.asarray(spins)
    if s.ndim != 2 or s.shape[1] != structure.num_variables or len(s) == 0:
        msg = f"spins have shape (num_reads, {structure.num_variables}), at least one read; got shape {s.shape}"
        raise ValueError(msg)
    if not (np.abs(s) == 1).all():
        msg = f"spins are -1 or +1; got values {np.unique(s)[:4]}. For bits, use bits_to_spins"
        raise ValueError(msg)
    return s.astype(np.int8)


def _logistic_slope(x: Floats, num_first: int) -> tuple[float, float]:
    """Return slope and standard error of the log odds that a read is of the first set, against x.

    The sets are given and the energies drawn, so scores are centred within each set: the slope's variance is then that
    of Prentice & Pyke (1979), and stays right if the log odds are no straight line.
    """
    is_first = np.arange(len(x)) < num_first
    design = np.column_stack([np.ones_like(x), x])

    def gain(terms: Floats) -> float:
        return float(-np.logaddexp(0, np.where(is_first, -1, 1) * (design @ terms)).sum())

    terms = np.array([np.log(num_first / (len(x) - num_first)), 0.0])
    for _ in range(100):
        odds = expit(design @ terms)
        information = (design * (odds * (1 - odds))[:, None]).T @ design
        step = np.linalg.solve(information, design.T @ (is_first - odds))
        # far from the maximum a full step may overshoot
        while gain(terms + step) < gain(terms) - 1e-9 and np.abs(step).max() > 1e-12:
            step /= 2
        terms = terms + step
        if np.abs(step).max() < 1e-10:
            break
    odds = expit(design @ terms)
    inverse = np.linalg.inv((design * (odds * (1 - odds))[:, None]).T @ design)
    scores = design * (is_first - odds)[:, None]
    for part in (scores[:num_first], scores[num_first:]):
        part -= part.mean(axis=0)
    return float(terms[1]), float(np.sqrt((inverse @ (scores.T @ scores) @ inverse)[1, 1]))


def _mean_and_variance(levels: Floats, beta: float) -> tuple[float, float]:
    above = levels - levels.min()
    weights = np.exp(-beta * above)
    weights /= weights.sum()
    mean = float(weights @ above)
    return float(mean + levels.min()), float(weights @ (above - mean) ** 2)


def _checked_energy(mean_energy: Callable[[float], float], beta: float) -> float:
    energy = float(mean_energy(beta))
    if not np.isfinite(energy):
        msg = f"mean_energy returns finite numbers; got {energy} at beta = {beta:g}"
        raise ValueError(msg)
    return energy


def _solve(excess: Callable[[float], float], unit: float) -> float:
    """Return the zero of a falling function of beta: 0 if it starts below, inf if it stays above up to 2^40 units."""
    if excess(0.0) <= 0:
        return 0.0
    top = 1.0
    while excess(top * unit) > 0:
        top *= 2
        if top > 2.0**40:
            return float("inf")
    return unit * _root(lambda x: excess(x * unit), top)


def _root(function: Callable[[float], float], top: float) -> float:
    """Return where a falling function is 0, between 0 and `top`."""
    # samplers load this module, and need not wait for it
    from scipy.optimize import brentq

    return float(brentq(function, 0.0, top))
