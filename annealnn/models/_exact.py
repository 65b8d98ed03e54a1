"""Exact statistics of a classical Ising model, by enumeration."""

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import logsumexp

from annealnn.models._encodings import basis_digits_to_spins
from annealnn.models._structure import Moments, Parameters, Structure
from annealnn.typing import Floats, Spins

MAX_ENUMERATED = 22

_SIGN = np.array([1.0, -1.0])


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExactStatistics:
    """A Boltzmann distribution P(s) = exp(-beta E(s)) / Z, enumerated.

    Basis order: variable 0 is most significant, basis digit 0 is spin +1.
    """

    beta: float
    log_z: float
    energy: float  # thermal mean of E
    energy_variance: float
    ground_energy: float
    moments: Moments
    probabilities: Floats  # (2**num_variables,)


def check_enumerable(num_variables: int) -> None:
    """Raise ValueError if there are too many variables to enumerate."""
    if num_variables > MAX_ENUMERATED:
        msg = f"enumeration reaches {MAX_ENUMERATED} variables; got {num_variables}. Sample instead"
        raise ValueError(msg)


def _axes(num_variables: int, *variables: int) -> tuple[int, ...]:
    """Return the shape that gives each of the ascending `variables` an axis of its own in basis order."""
    shape, last = [], -1
    for v in variables:
        shape += [2 ** (v - last - 1), 2]
        last = v
    return (*shape, 2 ** (num_variables - last - 1))


def basis_energies(structure: Structure, parameters: Parameters) -> Floats:
    """Return the energy of every basis state, (2**num_variables,), in Eq. (1)'s sign."""
    n = structure.num_variables
    energies = np.zeros(2**n)
    for i, h in enumerate(parameters.fields):
        view = energies.reshape(_axes(n, i))
        view -= h * _SIGN[:, None]
    pair_sign = np.outer(_SIGN, _SIGN)[:, None, :, None]
    for (i, j), coupling in zip(structure.edges, parameters.couplings, strict=True):
        view = energies.reshape(_axes(n, int(i), int(j)))
        view -= coupling * pair_sign
    return energies


def basis_moments(structure: Structure, probabilities: Floats) -> Moments:
    """Return the moments of a distribution over basis states (2**num_variables,)."""
    n = structure.num_variables
    spins = np.array([_SIGN @ probabilities.reshape(_axes(n, i)).sum(axis=(0, 2)) for i in range(n)])
    pairs = [
        _SIGN @ probabilities.reshape(_axes(n, int(i), int(j))).sum(axis=(0, 2, 4)) @ _SIGN for i, j in structure.edges
    ]
    return Moments(spins, np.array(pairs, dtype=np.float64))


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
