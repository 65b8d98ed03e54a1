"""The transverse field that a device's reads speak of, against the exact model."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from annealnn._validation import check_count, check_number
from annealnn.diagnostics import ValueWithError
from annealnn.models import IsingModel, TransverseIsing
from annealnn.models._exact import basis_energies, basis_numbers
from annealnn.models._transverse import MAX_DIAGONALISED, dense_hamiltonian
from annealnn.typing import AnyArray, Floats

_SMALLEST = 1e-300
# of gamma squared and of beta; no reads tell a gamma of 1e-4 from none
_SQUARES, _BETAS = (1e-8, 1e4), (1e-3, 1e2)
_FEW = 8


class AchievedGamma(NamedTuple):
    """The thermal state that best explains reads: rho = exp(-(beta E - gamma sum_i X_i)) / Z.

    A plan asks for its gamma and for beta = 1. A quench that takes time gives a smaller gamma and a larger beta.
    """

    gamma: ValueWithError  #: in units of k_B T
    beta: ValueWithError  #: what multiplies the model's own energies; exact if it was given
    log_likelihood: float  #: of a read, nats
    num_reads: int

    def __str__(self) -> str:
        return f"gamma {self.gamma}, beta {self.beta}, maximum likelihood, {self.num_reads} reads"


def estimate_gamma(reads: AnyArray, model: IsingModel | TransverseIsing, *, beta: float | None = None) -> AchievedGamma:
    """Return the gamma and the beta that best explain reads of a small problem, by maximum likelihood.

    Maximises `sum_r ln <z_r| rho |z_r>` over rho = exp(-(beta E - gamma sum_i X_i)) / Z, diagonalised exactly. Standard
    errors are those of the Fisher information; they hold for independent reads of such a state, and say nothing of
    reads that no such state explains.

    Parameters
    ----------
    reads : (num_reads, num_variables)
        Spins, in the order of the model's variables.
    model : IsingModel or TransverseIsing
        At most 12 variables; seconds up to 10. A transverse field of its own is not looked at.
    beta : float, optional
        Hold beta at this. None estimates it too.

    Returns
    -------
    AchievedGamma
        Where reads speak of no transverse field, gamma is 0, and its error the gamma that is one error above it.

    Raises
    ------
    ValueError
        If reads are no spins of the model's variables, or there are too many of these.
    """
    problem = model.problem if isinstance(model, TransverseIsing) else model
    n = problem.structure.num_variables
    rows = np.asarray(reads)
    if rows.ndim != 2 or rows.shape[1] != n or not len(rows) or not np.isin(rows, (-1, 1)).all():
        msg = f"reads are spins, -1 or +1, (num_reads, {n}); got {rows.dtype} of shape {rows.shape}"
        raise ValueError(msg)
    if check_count("num_variables", n) > MAX_DIAGONALISED:
        msg = f"gamma is estimated on models of up to {MAX_DIAGONALISED} variables; got {n}. Sample a smaller one"
        raise ValueError(msg)
    counts = np.bincount(basis_numbers(rows), minlength=2**n).astype(np.float64)
    fixed = None if beta is None else check_number("beta", beta, low=0.0, open_low=True)

    energies = basis_energies(problem.structure, problem.parameters)
    flips = dense_hamiltonian(problem.structure, problem.structure.zeros(), np.full(n, -1.0))

    # gamma enters by its square: the information about that does not vanish at 0
    def cost(point: Floats) -> tuple[float, Floats]:
        p, slopes = _diagonal(energies, flips, *(point if fixed is None else (point[0], fixed)))
        return -float(counts @ np.log(p)) / len(rows), -((slopes / p) @ counts / len(rows))[: len(point)]

    bounds = [_SQUARES, _BETAS][: 1 if fixed is not None else 2]
    # matrices are small: the threads of BLAS would wait for each other longer than they work
    with threadpool_limits(1 if n <= _FEW else None, "blas"):
        found = minimize(cost, np.ones(len(bounds)), jac=True, bounds=bounds, method="L-BFGS-B")
        p, slopes = _diagonal(energies, flips, *(found.x if fixed is None else (found.x[0], fixed)))
    slopes = slopes[: len(bounds)]
    information = len(rows) * (slopes / p) @ slopes.T
    errors = np.sqrt(np.diag(np.linalg.pinv(information)))
    square, error = float(found.x[0]), float(errors[0])
    none = square <= 2 * _SQUARES[0]
    gamma = ValueWithError(0.0, error**0.5) if none else ValueWithError(square**0.5, error / (2 * square**0.5))
    best = ValueWithError(fixed, 0.0) if fixed is not None else ValueWithError(float(found.x[1]), float(errors[1]))
    return AchievedGamma(gamma, best, -float(found.fun), len(rows))


def _diagonal(energies: Floats, flips: Floats, square: float, beta: float) -> tuple[Floats, Floats]:
    """Return the diagonal of rho, (num_states,), and its derivatives by gamma squared and by beta, (2, num_states).

    d exp(-M) = - V (Phi o V^T dM V) V^T, M = beta diag(energies) - gamma flips = V diag(l) V^T, and
    Phi_ij = (exp(-l_i) - exp(-l_j)) / (l_j - l_i), exp(-l_i) where they are equal.
    """
    gamma = square**0.5
    levels, vectors = np.linalg.eigh(np.diag(beta * energies) - gamma * flips)
    levels -= levels[0]
    weights = np.exp(-levels)
    gaps = levels[None, :] - levels[:, None]
    phi = weights[:, None] * np.divide(-np.expm1(-gaps), gaps, out=np.ones_like(gaps), where=gaps != 0)
    z = weights.sum()
    p = np.maximum(vectors**2 @ weights / z, _SMALLEST)
    changes = []
    for turned in (flips @ vectors / (-2 * gamma), energies[:, None] * vectors):
        change = -((vectors @ (phi * (vectors.T @ turned))) * vectors).sum(axis=1) / z
        changes.append(change - p * change.sum())
    return p, np.array(changes)
