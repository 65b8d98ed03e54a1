"""The inverse temperature that best explains reads."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from annealnn.models import Parameters, Structure
from annealnn.typing import Spins


def effective_beta(structure: Structure, parameters: Parameters, spins: Spins) -> tuple[float, float]:
    """Estimate the effective beta of reads by maximum pseudo-likelihood (Besag 1975; Raymond et al. 2016).

    Parameters
    ----------
    structure, parameters
        The problem that was sampled, Eq. (1)'s sign.
    spins : (num_reads, num_variables)
        Independent reads.

    Returns
    -------
    beta, standard_error : float
        The maximiser of sum_{r,i} ln P_beta(s_i | others), at least 0, and its standard error, reads taken as
        independent. `inf` and `nan` if every read is a local minimum: no finite beta explains that.
    """
    s = np.asarray(spins, dtype=np.float64)
    pull = s * (s @ structure.dense(parameters.couplings) + parameters.fields)
    if (pull >= 0).all():
        return float("inf"), float("nan")
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
        beta = float(brentq(slope, 0.0, top))
    curvature = float((4 * pull**2 * expit(2 * beta * pull) * expit(-2 * beta * pull)).sum())
    spread = float(np.sqrt((slope_of_rows(beta) ** 2).sum()))
    return beta / scale, spread / curvature / scale if curvature > 0 else float("nan")
