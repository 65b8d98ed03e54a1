"""A quantum Boltzmann machine rho = exp(-H) / Z with H of Eq. (1), and the data it is given.

Visible units are variables 0..num_visible-1 of the graph, hidden units come after. Basis order of distributions:
variable 0 is most significant, basis digit 0 is spin +1.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from annealnn.models import Moments, Parameters, Structure
from annealnn.models._exact import basis_moments, basis_numbers
from annealnn.models._transverse import dense_hamiltonian, transverse_moments
from annealnn.typing import AnyArray, Floats


class QuantumParameters(NamedTuple):
    """What H of Eq. (1) is made of, beta = 1; or a gradient with respect to it."""

    fields: Floats  #: (num_units,)
    couplings: Floats  #: (num_edges,)
    gamma: Floats  #: transverse fields, (num_units,)

    @property
    def diagonal(self) -> Parameters:
        """Fields and couplings."""
        return Parameters(self.fields, self.couplings)


class QuantumMoments(NamedTuple):
    """Means of the operators that the parameters multiply."""

    spins: Floats  #: `<Z_i>`, (num_units,)
    pairs: Floats  #: `<Z_i Z_j>` along the edges, (num_edges,)
    transverse: Floats  #: `<X_i>`, (num_units,)


class GibbsState(NamedTuple):
    """The state exp(-H) / Z by diagonalisation, num_states = 2**num_units."""

    levels: Floats  #: eigenvalues of H, (num_states,)
    vectors: Floats  #: eigenvectors in columns, (num_states, num_states)
    log_z: float
    weights: Floats  #: exp(-levels) / Z, (num_states,)

    def density_matrix(self) -> Floats:
        """Return rho, (num_states, num_states)."""
        return (self.vectors * self.weights) @ self.vectors.T


def gibbs_state(structure: Structure, parameters: QuantumParameters) -> GibbsState:
    """Return exp(-H) / Z of up to 12 units. Transverse fields may have either sign.

    Raises
    ------
    ValueError
        If there are more units, or if shapes do not fit the graph.
    """
    check_shapes(structure, parameters)
    levels, vectors = np.linalg.eigh(dense_hamiltonian(structure, parameters.diagonal, parameters.gamma))
    log_z = float(logsumexp(-levels))
    return GibbsState(levels, vectors, log_z, np.exp(-levels - log_z))


def operator_means(structure: Structure, matrix: Floats) -> QuantumMoments:
    """Return Tr[matrix O] of every operator O of Eq. (1), of a symmetric matrix (num_states, num_states)."""
    diagonal = basis_moments(structure, np.ascontiguousarray(np.diagonal(matrix)))
    return QuantumMoments(diagonal.spins, diagonal.pairs, transverse_moments(matrix))


def difference(negative: QuantumMoments, positive: QuantumMoments) -> QuantumParameters:
    """Return the gradient of a loss: the moments of the negative phase less those of the positive one."""
    return QuantumParameters(*(n - p for n, p in zip(negative, positive, strict=True)))


def visible_distribution(rows: AnyArray) -> Floats:
    """Return the empirical distribution over basis states, (2**num_visible,), of rows of spins (num_rows, num_visible).

    Raises
    ------
    ValueError
        If there are no rows, or a value is neither -1 nor +1.
    """
    spins = np.asarray(rows)
    if spins.ndim != 2 or not len(spins) or not np.isin(spins, (-1, 1)).all():
        msg = f"data are rows of spins, -1 or +1, shape (num_rows, num_visible); got {spins.dtype} of {spins.shape}"
        raise ValueError(msg)
    n = spins.shape[1]
    return np.bincount(basis_numbers(spins), minlength=2**n) / len(spins)


def check_distribution(distribution: Floats, num_units: int) -> int:
    """Return the number of visible units that a distribution over their basis states speaks of.

    Raises
    ------
    ValueError
        If it is no distribution over 2**num_visible states, or of more than `num_units` units.
    """
    num_states, num_visible = np.size(distribution), np.size(distribution).bit_length() - 1
    if np.ndim(distribution) != 1 or num_states != 2**num_visible or num_visible > num_units:
        msg = (
            f"a distribution has one probability for each basis state of 0 to {num_units} visible units; "
            f"got shape {np.shape(distribution)}"
        )
        raise ValueError(msg)
    if not (np.min(distribution) >= 0 and abs(np.sum(distribution) - 1) < 1e-9):
        msg = (
            "probabilities are at least 0 and add up to 1; "
            f"got a least one of {np.min(distribution)} and a sum of {np.sum(distribution)}. Divide by the sum"
        )
        raise ValueError(msg)
    return num_visible


def check_shapes(structure: Structure, parameters: QuantumParameters) -> None:
    """Raise ValueError if the shapes of parameters do not fit a graph."""
    wanted = [(structure.num_variables,), (structure.num_edges,), (structure.num_variables,)]
    if (got := [np.shape(part) for part in parameters]) != wanted:
        msg = f"fields, couplings and gamma have shapes {wanted} on this graph; got {got}"
        raise ValueError(msg)


def data_moments(structure: Structure, distribution: Floats) -> QuantumMoments:
    """Return the moments of the pure state with real amplitudes sqrt(distribution), all units visible.

    `<X_i>` is the sum over basis states of sqrt(q(b) q(b with i flipped)).
    """
    amplitudes = np.sqrt(distribution)
    diagonal: Moments = basis_moments(structure, distribution)
    n = structure.num_variables
    folded = [amplitudes.reshape(2**i, 2, -1) for i in range(n)]
    transverse = np.array([2 * float((a[:, 0] * a[:, 1]).sum()) for a in folded])
    return QuantumMoments(diagonal.spins, diagonal.pairs, transverse)
