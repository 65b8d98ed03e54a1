"""The transverse-field Ising model, Eq. (1) at one instant."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import final

import dimod
import numpy as np
from scipy.special import logsumexp

from annealnn._validation import check_number, check_real
from annealnn.models._exact import basis_energies, basis_moments
from annealnn.models._ising import Couplings, Fields, IsingModel
from annealnn.models._structure import Moments, Parameters, Structure
from annealnn.typing import AnyArray, Floats

MAX_DIAGONALISED = 12


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TransverseStatistics:
    """Thermal values of rho = exp(-beta H) / Z. Basis order: qubit 0 most significant, 0 is spin +1."""

    beta: float
    log_z: float
    energy: float  #: `<H>`
    energy_variance: float
    problem_energy: float  #: thermal mean of the diagonal part of H
    ground_energy: float
    gap: float
    moments: Moments  #: `<Z_i>`, and `<Z_i Z_j>` along the edges
    transverse_moments: Floats  #: `<X_i>`, (num_variables,)
    probabilities: Floats  #: diagonal of rho, `(2**num_variables,)`


@final
class TransverseIsing:
    """H = - sum_{i<j} J_ij Z_i Z_j - sum_i h_i Z_i - sum_i gamma_i X_i (Markovic & Grollier 2020, Eq. (1)). Immutable.

    Parameters
    ----------
    h, J, labels
        As in `IsingModel`.
    gamma : float or array of shape (num_variables,)
        Transverse field, at least 0, energy units.
    """

    __slots__ = ("gamma", "problem")

    problem: IsingModel
    gamma: Floats

    def __init__(
        self, h: Fields, J: Couplings, gamma: float | Floats, *, labels: Iterable[Hashable] | None = None
    ) -> None:
        problem = IsingModel(h, J, labels=labels)
        object.__setattr__(self, "problem", problem)
        object.__setattr__(self, "gamma", _checked_gamma(gamma, problem.structure.num_variables))

    @classmethod
    def of(cls, problem: IsingModel, gamma: float | Floats) -> "TransverseIsing":
        """Return `problem` under a transverse field."""
        model = cls.__new__(cls)
        object.__setattr__(model, "problem", problem)
        object.__setattr__(model, "gamma", _checked_gamma(gamma, problem.structure.num_variables))
        return model

    @property
    def structure(self) -> Structure:
        """The graph of the couplings."""
        return self.problem.structure

    @property
    def labels(self) -> tuple[Hashable, ...]:
        """Names of the variables."""
        return self.problem.labels

    @property
    def h(self) -> Floats:
        """Fields, (num_variables,)."""
        return self.problem.h

    @property
    def J(self) -> Floats:  # noqa: N802 - the field's name
        """Couplings as a symmetric matrix, (num_variables, num_variables)."""
        return self.problem.J

    def energy(self, spins: AnyArray) -> Floats:
        """Return the diagonal part of H at spins, (..., num_variables) -> (...); see `IsingModel.energy`."""
        return self.problem.energy(spins)

    def to_bqm(self, vartype: str = "SPIN") -> dimod.BinaryQuadraticModel:
        """Return dimod's model of the diagonal part of H; a BQM has no transverse field."""
        return self.problem.to_bqm(vartype)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TransverseIsing):
            return NotImplemented
        return self.problem == other.problem and np.array_equal(self.gamma, other.gamma)

    __hash__ = None  # type: ignore[assignment]

    def __setattr__(self, name: str, value: object) -> None:
        msg = f"TransverseIsing is immutable; build another instead of setting {name!r}"
        raise AttributeError(msg)

    def __reduce__(self) -> tuple[object, ...]:
        return TransverseIsing.of, (self.problem, self.gamma)

    def __repr__(self) -> str:
        graph = self.problem.structure
        return f"TransverseIsing({graph.num_variables} variables, {graph.num_edges} edges)"

    def hamiltonian(self) -> Floats:
        """Return H as a dense matrix, (2**n, 2**n), up to 12 variables.

        Raises
        ------
        ValueError
            If there are more variables.
        """
        return dense_hamiltonian(self.problem.structure, self.problem.parameters, self.gamma)

    def exact(self, beta: float = 1.0) -> TransverseStatistics:
        """Return the exact thermal statistics by dense diagonalisation, up to 12 variables."""
        check_number("beta", beta, low=0.0)
        structure = self.problem.structure
        levels, vectors = np.linalg.eigh(self.hamiltonian())
        log_z = float(logsumexp(-beta * levels))
        weights = np.exp(-beta * levels - log_z)
        mean = float(weights @ levels)
        rho = (vectors * weights) @ vectors.T
        diagonal = np.ascontiguousarray(np.diagonal(rho))
        return TransverseStatistics(
            beta=beta,
            log_z=log_z,
            energy=mean,
            energy_variance=float(weights @ (levels - mean) ** 2),
            problem_energy=float(diagonal @ basis_energies(structure, self.problem.parameters)),
            ground_energy=float(levels[0]),
            gap=float(levels[1] - levels[0]) if len(levels) > 1 else float("nan"),
            moments=basis_moments(structure, diagonal),
            transverse_moments=transverse_moments(rho),
            probabilities=diagonal,
        )


def _checked_gamma(gamma: float | Floats, num_variables: int) -> Floats:
    field = check_real("gamma", gamma)
    if field.shape not in ((), (num_variables,)):
        msg = f"gamma is one number or one per variable, shape ({num_variables},); got shape {field.shape}"
        raise ValueError(msg)
    if not np.isfinite(field).all() or (field < 0).any():
        msg = f"the transverse field is finite and at least 0; got {gamma!r}"
        raise ValueError(msg)
    field = np.broadcast_to(field, (num_variables,)).copy()
    field.setflags(write=False)
    return field


def dense_hamiltonian(structure: Structure, parameters: Parameters, gamma: Floats) -> Floats:
    """Return H of Eq. (1) as a dense matrix, (2**n, 2**n), for transverse fields (n,) of either sign; n is at most 12.

    Raises
    ------
    ValueError
        If there are more variables.
    """
    n = structure.num_variables
    if n > MAX_DIAGONALISED:
        msg = f"dense diagonalisation reaches {MAX_DIAGONALISED} variables; got {n}"
        raise ValueError(msg)
    matrix = np.diag(basis_energies(structure, parameters))
    states = np.arange(2**n)
    for i, field in enumerate(gamma):
        matrix[states, _flipped(states, i, n)] -= field
    return matrix


def transverse_moments(matrix: Floats) -> Floats:
    """Return Tr[matrix X_i] of every variable, (n,), of a matrix (2**n, 2**n)."""
    n = len(matrix).bit_length() - 1
    states = np.arange(2**n)
    return np.array([matrix[states, _flipped(states, i, n)].sum() for i in range(n)])


def _flipped(states: AnyArray, i: int, n: int) -> AnyArray:
    return states ^ (1 << (n - 1 - i))
