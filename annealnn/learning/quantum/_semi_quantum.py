"""Semi-quantum restricted Boltzmann machines: only Z on visible units, any Pauli on hidden ones (Demidik et al. 2025).

::

    H = - sum_i a_i Z_i - sum_j sum_P B_j^P P_j,   B_j^P = b_j^P + sum_i w_ij^P Z_i,   P in {X, Y, Z}
    p(v) is proportional to exp(a.v) prod_j 2 cosh|B_j(v)|

With one Pauli it is the classical restricted Boltzmann machine; a rotation of a hidden unit changes nothing, so which
one does not matter.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, logsumexp

from annealnn.learning.likelihood._hidden import log_two_cosh
from annealnn.learning.quantum._clamped import mean_over_field
from annealnn.learning.quantum._machine import check_distribution
from annealnn.models._exact import basis_spins
from annealnn.samplers import SamplerState, uniforms
from annealnn.typing import AnyArray, Floats

MAX_ENUMERATED_VISIBLE = 16


class SemiQuantumParameters(NamedTuple):
    """Parameters of the machine, num_paulis 1, 2 or 3; or a gradient with respect to them."""

    fields: Floats  #: a, (num_visible,)
    hidden_fields: Floats  #: b, (num_paulis, num_hidden)
    weights: Floats  #: w, (num_paulis, num_visible, num_hidden)


def hidden_unit_fields(parameters: SemiQuantumParameters, rows: AnyArray) -> Floats:
    """Return B_j^P(v) of rows of visible spins (num_rows, num_visible): (num_paulis, num_rows, num_hidden)."""
    return np.asarray(parameters.hidden_fields[:, None, :] + np.asarray(rows, dtype=np.float64) @ parameters.weights)


def semi_quantum_log_weights(parameters: SemiQuantumParameters, rows: AnyArray) -> Floats:
    """Return ln p(v) + ln Z of rows of visible spins (num_rows, num_visible): (num_rows,)."""
    log_hidden = log_two_cosh(_length(hidden_unit_fields(parameters, rows)))
    return np.asarray(np.asarray(rows, dtype=np.float64) @ parameters.fields + log_hidden.sum(axis=1))


def semi_quantum_hidden_means(parameters: SemiQuantumParameters, rows: AnyArray) -> Floats:
    """Return the means of the Paulis of hidden units given rows of visible spins (num_rows, num_visible).

    (num_paulis, num_rows, num_hidden): `(B_j^P / |B_j|) tanh|B_j|`.
    """
    field = hidden_unit_fields(parameters, rows)
    return np.asarray(field * mean_over_field(_length(field)))


def semi_quantum_moments(
    parameters: SemiQuantumParameters, rows: AnyArray, weights: Floats | None = None
) -> SemiQuantumParameters:
    """Return the gradient of the mean of ln p(v) + ln Z over rows: the moments of the positive phase.

    The derivative by w_ij^P is the mean of `(B_j^P / |B_j|) tanh|B_j| v_i`. `rows` (num_rows, num_visible) are visible
    spins; `weights` (num_rows,) add up to 1, uniform if None.
    """
    visible = np.asarray(rows, dtype=np.float64)
    weights = np.full(len(visible), 1 / len(visible)) if weights is None else weights
    means = semi_quantum_hidden_means(parameters, visible) * weights[:, None]
    return SemiQuantumParameters(weights @ visible, means.sum(axis=1), visible.T @ means)


def semi_quantum_log_probabilities(parameters: SemiQuantumParameters) -> Floats:
    """Return ln p(v) of every basis state of up to 16 visible units, (2**num_visible,).

    Raises
    ------
    ValueError
        If there are more visible units.
    """
    n = len(parameters.fields)
    if n > MAX_ENUMERATED_VISIBLE:
        msg = f"enumeration reaches {MAX_ENUMERATED_VISIBLE} visible units; got {n}. Sample with semi_quantum_sweeps"
        raise ValueError(msg)
    log_weights = semi_quantum_log_weights(parameters, basis_spins(n))
    return np.asarray(log_weights - logsumexp(log_weights))


def semi_quantum_loss(parameters: SemiQuantumParameters, distribution: Floats) -> tuple[float, SemiQuantumParameters]:
    """Return - sum_v q(v) ln p(v), nats, and its gradient, by enumeration of up to 16 visible units.

    Raises
    ------
    ValueError
        If there are more visible units, or `distribution` (2**num_visible,) is none over them.
    """
    n = len(parameters.fields)
    log_p = semi_quantum_log_probabilities(parameters)
    if check_distribution(distribution, n) != n:
        msg = f"the distribution is over {n} visible units; got {len(distribution)} probabilities"
        raise ValueError(msg)
    # the moments are linear in the weights of rows
    gradient = semi_quantum_moments(parameters, basis_spins(n), np.exp(log_p) - distribution)
    return -float(distribution @ log_p), gradient


def semi_quantum_sweeps(
    parameters: SemiQuantumParameters, state: SamplerState, num_sweeps: int, *, held: AnyArray | None = None
) -> SamplerState:
    """Return the state after heat-bath sweeps of p(v) over the visible units; `state` is left as it was.

    Parameters
    ----------
    parameters : SemiQuantumParameters
    state : SamplerState
        Spins (num_particles, num_visible) and streams (num_particles, 4), as `streams_from_seed` gives.
    num_sweeps : int
    held : bool, (num_particles, num_visible), optional
        True for spins to leave as they are.

    Returns
    -------
    SamplerState
    """
    # particles last: the sums over Paulis and hidden units run along them
    visible, streams = state.spins.T.astype(np.float64, order="C"), state.streams.copy()
    field = np.moveaxis(hidden_unit_fields(parameters, state.spins), 1, 2).copy()
    for _ in range(num_sweeps):
        draws = uniforms(streams, len(visible)).T
        for i, (spins, own, weights, draw) in enumerate(
            zip(visible, parameters.fields, np.moveaxis(parameters.weights, 1, 0), draws, strict=True)
        ):
            pull = weights[:, :, None]
            rest = field - spins * pull
            up, down = (log_two_cosh(_length(rest + sign * pull)).sum(axis=0) for sign in (1, -1))
            drawn = np.where(draw < expit(2 * own + up - down), 1.0, -1.0)
            spins[:] = drawn if held is None else np.where(held[:, i], spins, drawn)
            field = rest + spins * pull
    return state._replace(spins=visible.T.astype(np.int8, order="C"), streams=streams)


def _length(field: Floats) -> Floats:
    return np.asarray(np.sqrt(np.square(field).sum(axis=0)))
