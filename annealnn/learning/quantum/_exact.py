"""Losses of a quantum Boltzmann machine of few units, by diagonalisation."""

import numpy as np
from scipy.special import exprel

from annealnn.learning.quantum._clamped import clamped_phase
from annealnn.learning.quantum._machine import (
    QuantumParameters,
    check_distribution,
    data_moments,
    difference,
    gibbs_state,
    operator_means,
)
from annealnn.models import Structure
from annealnn.models._exact import basis_spins
from annealnn.typing import Floats

# a probability that underflows still has a logarithm
_TINY = np.finfo(np.float64).tiny


def visible_probabilities(structure: Structure, parameters: QuantumParameters, num_visible: int) -> Floats:
    """Return P(v) = Tr[Lambda_v rho] of every basis state of the visible units, (2**num_visible,)."""
    state = gibbs_state(structure, parameters)
    diagonal = np.square(state.vectors) @ state.weights
    return np.asarray(diagonal.reshape(2**num_visible, -1).sum(axis=1))


def exact_loss(
    structure: Structure, parameters: QuantumParameters, distribution: Floats
) -> tuple[float, QuantumParameters]:
    """Return L = - sum_v q(v) ln P(v) and its gradient (Amin et al. 2018).

    With H = V diag(E) V^T and H = - sum_k theta_k O_k::

        dL/dtheta_k = Tr[rho O_k] - Tr[W O_k],   W = V (A o Phi) V^T,   A = V^T (sum_v q(v)/P(v) Lambda_v) V / Z
        Phi_ij = (exp(-E_i) - exp(-E_j)) / (E_j - E_i), exp(-E_i) where they are equal

    Parameters
    ----------
    structure : Structure
        Up to 12 units.
    parameters : QuantumParameters
    distribution : (2**num_visible,)
        q over basis states of the visible units; see `visible_distribution`.

    Returns
    -------
    loss : float
        In nats.
    gradient : QuantumParameters
        With respect to each parameter; that of one gamma shared by all units is the sum over them.

    Raises
    ------
    ValueError
        If there are more units, or shapes do not fit.
    """
    num_visible = check_distribution(distribution, structure.num_variables)
    state = gibbs_state(structure, parameters)
    vectors = state.vectors
    diagonal = np.square(vectors) @ state.weights
    marginal = np.maximum(diagonal.reshape(2**num_visible, -1).sum(axis=1), _TINY)
    ratio = np.repeat(distribution / marginal, len(diagonal) // len(marginal))
    apart = np.abs(state.levels[:, None] - state.levels)
    # Phi / Z, from the larger of the two weights so that nothing overflows
    kernel = np.maximum(state.weights[:, None], state.weights) * exprel(-apart)
    kernel *= (vectors.T * ratio) @ vectors
    kernel[np.diag_indices_from(kernel)] -= state.weights
    weighted = operator_means(structure, vectors @ kernel @ vectors.T)
    occurs = distribution > 0
    loss = -float(distribution[occurs] @ np.log(marginal[occurs]))
    return loss, QuantumParameters(*(-part for part in weighted))


def bound_loss(
    structure: Structure, parameters: QuantumParameters, distribution: Floats
) -> tuple[float, QuantumParameters]:
    """Return the Golden-Thompson bound - sum_v q(v) ln(Tr exp(-H_v) / Tr exp(-H)) >= L and its gradient.

    H_v is H with visible Z set to v and visible X dropped (Amin et al. 2018). The bound is L where the
    visible units' transverse fields are 0. Its derivative with respect to one of them is `<X_a>`, which has the sign
    of gamma_a: descent drives it to 0. All units visible, it is the relative entropy to diagonal data.

    Parameters, returns and raises as `exact_loss`.
    """
    num_visible = check_distribution(distribution, structure.num_variables)
    state = gibbs_state(structure, parameters)
    occurs = np.flatnonzero(distribution)
    positive = clamped_phase(structure, parameters, basis_spins(num_visible, occurs), distribution[occurs])
    negative = operator_means(structure, state.density_matrix())
    loss = state.log_z - float(distribution[occurs] @ positive.log_partition)
    return loss, difference(negative, positive.moments)


def pure_state_loss(
    structure: Structure, parameters: QuantumParameters, distribution: Floats
) -> tuple[float, QuantumParameters]:
    """Return -Tr[eta ln rho] and its gradient, eta = `|psi><psi|` with amplitudes sqrt(q) (Kappen 2020).

    Relative entropy to a pure state: S(eta||rho), for eta has no entropy. It is convex and its derivatives are
    differences of moments, `<O>_rho - <O>_eta`. Every unit is visible.

    Parameters, returns and raises as `exact_loss`.
    """
    num_visible = check_distribution(distribution, structure.num_variables)
    if num_visible != structure.num_variables:
        msg = (
            f"relative entropy has no hidden units: the distribution is over all {structure.num_variables}; "
            f"got one over {num_visible}"
        )
        raise ValueError(msg)
    state = gibbs_state(structure, parameters)
    positive = data_moments(structure, distribution)
    negative = operator_means(structure, state.density_matrix())
    loss = state.log_z - sum(float(p @ m) for p, m in zip(parameters, positive, strict=True))
    return loss, difference(negative, positive)
