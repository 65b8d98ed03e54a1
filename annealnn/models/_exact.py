"""Exact statistics of a classical Ising model, by enumeration."""

from dataclasses import dataclass
from typing import final

import numpy as np

from annealnn.models._encodings import basis_digits_to_spins
from annealnn.models._structure import Moments, Parameters, Structure
from annealnn.typing import AnyArray, Floats, Indices, Spins

MAX_ENUMERATED = 24


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
        msg = (
            f"enumeration reaches {MAX_ENUMERATED} variables; got {num_variables}. Sample instead, with ExactSampler "
            "if the graph is sparse"
        )
        raise ValueError(msg)


def check_exponents(parameters: Parameters, beta: float) -> None:
    """Raise ValueError if beta times an energy can overflow."""
    with np.errstate(over="ignore"):
        # four times: what is added up is a difference of two differences
        bound = 4 * beta * float(np.abs(parameters.fields).sum() + np.abs(parameters.couplings).sum())
    if not np.isfinite(bound):
        msg = f"beta times an energy is a finite number; got beta={beta} and fields and couplings that overflow with it"
        raise ValueError(msg)


def basis_energies(structure: Structure, parameters: Parameters) -> Floats:
    """Return the energy of every basis state, (2**num_variables,), in Eq. (1)'s sign."""
    n = structure.num_variables
    fields, couplings = np.asarray(parameters.fields), structure.dense(parameters.couplings)
    out = np.zeros(2**n)
    for i in range(n - 1, -1, -1):
        # the pull on variable i in every state of the later ones
        pull = fields[i : i + 1]
        for coupling in couplings[i, :i:-1]:
            pull = np.concatenate([pull + coupling, pull - coupling])
        np.add(out[: len(pull)], pull, out=out[len(pull) : 2 * len(pull)])
        out[: len(pull)] -= pull
    return out


def first_moments(values: Floats) -> Floats:
    """Return sum_b s_i(b) values[b] for every variable i, of values over basis states (2**num_variables,)."""
    out = np.empty(len(values).bit_length() - 1)
    for i in range(len(out)):
        upper, lower = values.reshape(2, -1)
        out[i] = upper.sum() - lower.sum()
        values = upper + lower
    return out


def basis_moments(structure: Structure, probabilities: Floats) -> Moments:
    """Return the moments of a distribution over basis states (2**num_variables,)."""
    spins, n = first_moments(probabilities), structure.num_variables
    products = np.zeros((n, n))
    for i in range(n - 1):
        upper, lower = probabilities.reshape(2, -1)
        products[i, i + 1 :] = first_moments(upper - lower)
        probabilities = upper + lower
    return Moments(spins, products[structure.edges[:, 0], structure.edges[:, 1]])


def basis_spins(num_variables: int, indices: AnyArray | None = None) -> Spins:
    """Return the spins of basis states, (num_states, num_variables); of all of them if `indices` is None."""
    states = np.arange(2**num_variables) if indices is None else np.asarray(indices, dtype=np.int64)
    spins = np.empty((len(states), num_variables), dtype=np.int8)
    for i in range(num_variables):
        spins[:, i] = basis_digits_to_spins((states >> (num_variables - 1 - i)) & 1)
    return spins


def basis_numbers(spins: Spins) -> Indices:
    """Return the numbers of the basis states that rows of spins (num_rows, num_variables) are: (num_rows,)."""
    return np.asarray((np.asarray(spins) < 0) @ (1 << np.arange(spins.shape[1] - 1, -1, -1)), dtype=np.intp)


def enumerate_boltzmann(structure: Structure, parameters: Parameters, beta: float) -> ExactStatistics:
    """Return the exact statistics at inverse temperature `beta`."""
    check_enumerable(structure.num_variables)
    energies = basis_energies(structure, parameters)
    probabilities, log_z = boltzmann_weights(energies, parameters, beta)
    probabilities /= probabilities.sum()
    mean, ground = float(probabilities @ energies), float(energies.min())
    # in place: at 24 variables each array takes 128 MiB
    energies -= mean
    energies *= energies
    return ExactStatistics(
        beta=beta,
        log_z=log_z,
        energy=mean,
        energy_variance=float(probabilities @ energies),
        ground_energy=ground,
        moments=basis_moments(structure, probabilities),
        probabilities=probabilities,
    )


def boltzmann_weights(energies: Floats, parameters: Parameters, beta: float) -> tuple[Floats, float]:
    """Return exp(-beta E) of basis states, the largest scaled to 1, and ln Z."""
    check_exponents(parameters, beta)
    weights = -beta * energies
    top = float(weights.max())
    weights -= top
    np.exp(weights, out=weights)
    return weights, top + float(np.log(weights.sum()))
