"""The positive phase: hidden units of a quantum Boltzmann machine with the visible ones clamped to data.

Clamped, a visible Z is a number and a visible X is dropped (Amin et al. 2018). Hidden units without couplings among
themselves are then independent spins in a field (gamma_i, 0, B_i(v)), B_i = b_i + sum_a w_ia v_a, of length D_i::

    Tr exp(-H_v) = exp(v-terms) prod_i 2 cosh D_i,   <Z_i>_v = (B_i/D_i) tanh D_i,   <X_i>_v = (gamma_i/D_i) tanh D_i
"""

from typing import NamedTuple

import numpy as np

from annealnn.learning.likelihood._hidden import log_two_cosh
from annealnn.learning.quantum._machine import (
    QuantumMoments,
    QuantumParameters,
    check_shapes,
    gibbs_state,
    operator_means,
)
from annealnn.models import Structure
from annealnn.typing import AnyArray, Floats


class ClampedPhase(NamedTuple):
    """What clamped rows give."""

    log_partition: Floats  #: ln Tr exp(-H_v) of every row, (num_rows,)
    moments: QuantumMoments  #: averaged over rows; `<X>` of visible units is 0


def clamped_moments(structure: Structure, parameters: QuantumParameters, rows: AnyArray) -> QuantumMoments:
    """Return the moments of the clamped machine, averaged over rows of visible spins (num_rows, num_visible).

    In closed form if no two hidden units are coupled, whatever the number of units; else by diagonalisation of the
    hidden part for every row, up to 12 hidden units. `<X_i>` of visible units is 0.

    Raises
    ------
    ValueError
        If there are no rows, shapes do not fit, or too many hidden units are coupled among themselves.
    """
    return clamped_phase(structure, parameters, rows).moments


def clamped_phase(
    structure: Structure, parameters: QuantumParameters, rows: AnyArray, weights: Floats | None = None
) -> ClampedPhase:
    """Return partition functions and averaged moments; `weights` (num_rows,) add up to 1, uniform if None."""
    check_shapes(structure, parameters)
    visible = np.asarray(rows, dtype=np.float64)
    if visible.ndim != 2 or not len(visible) or visible.shape[1] > structure.num_variables:
        msg = (
            f"rows are spins of visible units, shape (num_rows, num_visible), of {structure.num_variables} units; "
            f"got shape {visible.shape}"
        )
        raise ValueError(msg)
    weights = np.full(len(visible), 1 / len(visible)) if weights is None else weights
    n = visible.shape[1]
    heads, tails = structure.ends
    couplings = structure.dense(parameters.couplings)
    field = parameters.fields[n:] + visible @ couplings[:n, n:]
    among = heads >= n  # couplings between two hidden units: the lower one is hidden
    log_partition = visible @ parameters.fields[:n] + ((visible @ np.triu(couplings[:n, :n])) * visible).sum(axis=1)
    if among.any():
        hidden = Structure(structure.num_variables - n, structure.edges[among] - n)
        coupled = parameters.couplings[among]
        # one row after another: their matrices together would not fit
        each = [_hidden_phase(hidden, QuantumParameters(pull, coupled, parameters.gamma[n:])) for pull in field]
        log_z, spins, pairs, transverse = (np.stack(parts) for parts in zip(*each, strict=True))
        log_partition += log_z
    else:
        length = np.hypot(parameters.gamma[n:], field)
        log_partition += log_two_cosh(length).sum(axis=1)
        ratio = mean_over_field(length)
        spins, transverse = ratio * field, ratio * parameters.gamma[n:]
    units = np.hstack([visible, spins])
    products = (units.T * weights) @ units
    averaged = products[heads, tails]
    if among.any():
        averaged[among] = weights @ pairs
    return ClampedPhase(
        log_partition,
        QuantumMoments(weights @ units, averaged, np.concatenate([np.zeros(n), weights @ transverse])),
    )


def _hidden_phase(structure: Structure, parameters: QuantumParameters) -> tuple[float, Floats, Floats, Floats]:
    state = gibbs_state(structure, parameters)
    return state.log_z, *operator_means(structure, state.density_matrix())


def mean_over_field(length: Floats) -> Floats:
    """Return tanh(D) / D of the lengths D of fields, any shape; times the field, it is the mean of the spin."""
    out = np.ones_like(length)
    np.divide(np.tanh(length), length, out=out, where=length > 0)
    return out
