"""Exact statistics of a classical Ising model, by enumeration."""

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import logsumexp

from annealnn.models._encodings import basis_digits_to_spins
from annealnn.models._structure import Moments, Parameters, Structure
from annealnn.typing import Floats, Indices, Spins

MAX_ENUMERATED = 22


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExactStatistics:
    """A Boltzmann distribution P(s) = exp(-beta E(s)) / Z, enumerated.

    Basis order: variable 0 is most significant, basis digit 0 is spin +1.
    """

    beta: float
    log_z: float
    energy: float  #: thermal mean of E
    energy_variance: float
    ground_energy: float
    moments: Moments
    probabilities: Floats  #: of basis states, `(2**num_variables,)`


def check_enumerable(num_variables: int) -> None:
    """Raise ValueError if there are too many variables to enumerate."""
    if num_variables > MAX_ENUMERATED:
        msg = f"enumeration reaches {MAX_ENUMERATED} variables; got {num_variables}. Sample instead"
        raise ValueError(msg)


def _walsh(values: Floats) -> Floats:
    """Return the Walsh-Hadamard transform of (2**n,): out[b] = sum_m (-1)^popcount(b & m) values[m].

    A product of spins over the variables in a mask m is (-1)^popcount(b & m) in basis state b, so one transform takes
    coefficients of products to energies of states, and another takes probabilities of states to moments.
    """
    out = np.array(values, dtype=np.float64)
    block = 1
    while block < len(out):
        pairs = out.reshape(-1, 2, block)
        upper, lower = pairs[:, 0], pairs[:, 1]
        pairs[:, 0], pairs[:, 1] = upper + lower, upper - lower
        block *= 2
    return out


def _masks(structure: Structure) -> tuple[Indices, Indices]:
    """Return the masks of single variables (num_variables,) and of edges (num_edges,)."""
    single = 1 << np.arange(structure.num_variables - 1, -1, -1)
    return single, single[structure.edges[:, 0]] | single[structure.edges[:, 1]]


def basis_energies(structure: Structure, parameters: Parameters) -> Floats:
    """Return the energy of every basis state, (2**num_variables,), in Eq. (1)'s sign."""
    coefficients = np.zeros(2**structure.num_variables)
    singles, pairs = _masks(structure)
    coefficients[singles] = -np.asarray(parameters.fields)
    coefficients[pairs] = -np.asarray(parameters.couplings)
    return _walsh(coefficients)


def basis_moments(structure: Structure, probabilities: Floats) -> Moments:
    """Return the moments of a distribution over basis states (2**num_variables,)."""
    transformed = _walsh(probabilities)
    singles, pairs = _masks(structure)
    return Moments(transformed[singles], transformed[pairs])


def basis_spins(num_variables: int, indices: Floats | None = None) -> Spins:
    """Return the spins of basis states, (num_states, num_variables); of all of them if `indices` is None."""
    states = np.arange(2**num_variables) if indices is None else np.asarray(indices, dtype=np.int64)
    shifts = np.arange(num_variables - 1, -1, -1)
    return basis_digits_to_spins((states[:, None] >> shifts) & 1)


def enumerate_boltzmann(structure: Structure, parameters: Parameters, beta: float) -> ExactStatistics:
    """Return the exact statistics at inverse temperature `beta`."""
    check_enumerable(structure.num_variables)
    energies = basis_energies(structure, parameters)
    log_z = float(logsumexp(-beta * energies))
    probabilities = np.exp(-beta * energies - log_z)
    mean = float(probabilities @ energies)
    return ExactStatistics(
        beta=beta,
        log_z=log_z,
        energy=mean,
        energy_variance=float(probabilities @ (energies - mean) ** 2),
        ground_energy=float(energies.min()),
        moments=basis_moments(structure, probabilities),
        probabilities=probabilities,
    )
