"""Likelihoods under a transverse field at beta = 1: ln P(v) = ln Tr[Lambda_v exp(-H)] - ln Tr exp(-H).

Both traces are those of worldlines in discrete imaginary time, M slices each (Suzuki 1976): Lambda_v pins the visible
units to v at one slice and leaves them free at the others. Annealed importance sampling turns the problem on while the
transverse field stays; at its start worldlines are independent, and their traces known.
"""

import numpy as np
from scipy.special import logsumexp

from annealnn._rng import child_seed
from annealnn._validation import check_count
from annealnn.learning.likelihood._annealed import Effort, anneal_worldlines
from annealnn.learning.likelihood._estimate import Estimate, RowEstimates, log_mean_weights
from annealnn.learning.likelihood._hidden import HiddenUnits
from annealnn.learning.likelihood._partition import check_spins, log_partition, start_fields
from annealnn.learning.likelihood._rows import log_likelihood
from annealnn.models import IsingModel, Parameters, Structure, TransverseIsing
from annealnn.models._exact import basis_numbers, check_exponents
from annealnn.samplers._control import Progress
from annealnn.typing import AnyArray, Floats

DIAGONALISED_UP_TO = 10  # variables


def transverse_log_partition(
    structure: Structure,
    parameters: Parameters,
    gammas: float | Floats,
    *,
    num_slices: int = 16,
    num_runs: int = 500,
    num_steps: int = 1000,
    start_means: Floats | None = None,
    exact: bool | None = None,
    seed: int = 0,
    num_threads: int | None = None,
    progress: Progress = False,
) -> Estimate:
    """Estimate ln Tr exp(-H), H of Eq. (1): by dense diagonalisation up to 10 variables, else over worldlines.

    Parameters
    ----------
    structure : Structure
    parameters : Parameters
        Eq. (1)'s sign.
    gammas : float or (num_variables,)
        Transverse fields, at least 0. Where all are 0 this is `log_partition`.
    num_slices : int
        Slices of imaginary time. The error that they leave is not in the standard error; it falls by 4 as they double.
    num_runs, num_steps : int
        Runs, and steps of each from independent worldlines to the model.
    start_means : (num_variables,), optional
        `<Z>` of the independent worldlines to start from, such as the data's means; zero if None.
    exact : bool, optional
        True asks for diagonalisation or an error, False for annealed importance sampling; None chooses.
    seed, num_threads, progress
        As in `log_partition`.

    Returns
    -------
    Estimate
        Low on average, as `log_partition` is, where it is not exact.

    Raises
    ------
    ValueError
        If an argument breaks its rule, or an exact sum is asked for where there is none.
    """
    model = _model(structure, parameters, gammas)
    if not model.gamma.any():
        return log_partition(
            structure,
            parameters,
            num_runs=num_runs,
            num_steps=num_steps,
            start_means=start_means,
            exact=exact,
            seed=seed,
            num_threads=num_threads,
            progress=progress,
        )
    if _is_diagonalised(structure, exact):
        return Estimate(model.exact().log_z, 0.0, "diagonalisation")
    check_count("num_runs", num_runs, minimum=2)
    check_count("num_slices", num_slices, minimum=2)
    effort = Effort(check_count("num_steps", num_steps, minimum=2), seed, num_threads, progress)
    start = _start_fields(model.gamma, start_means)
    log_weights = anneal_worldlines(structure, parameters, model.gamma, start, num_slices, num_runs, effort)
    value, error = log_mean_weights(log_weights)
    log_start = logsumexp(_line_weights(model.gamma, start, num_slices), axis=1).sum()
    method = f"annealed importance sampling of {num_slices} slices, {num_runs} runs x {num_steps} steps"
    return Estimate(float(log_start + value), float(error), method)


def transverse_log_likelihood(
    structure: Structure,
    parameters: Parameters,
    gammas: float | Floats,
    rows: AnyArray,
    *,
    log_z: Estimate | None = None,
    num_slices: int = 16,
    num_runs: int = 500,
    num_steps: int = 1000,
    num_row_runs: int = 32,
    num_row_steps: int = 200,
    start_means: Floats | None = None,
    exact: bool | None = None,
    seed: int = 0,
    num_threads: int | None = None,
    progress: Progress = False,
) -> RowEstimates:
    """Return ln P(v) of every row under a transverse field, nats: P(v) = Tr[Lambda_v exp(-H)] / Tr exp(-H).

    By dense diagonalisation up to 10 variables, else over worldlines.

    Parameters
    ----------
    structure : Structure
        Variables 0..num_visible-1 are visible, the others hidden.
    parameters : Parameters
        Eq. (1)'s sign.
    gammas : float or (num_variables,)
        Transverse fields, at least 0. Where all are 0 this is `log_likelihood`.
    rows : (num_rows, num_visible)
        Spins.
    log_z : Estimate, optional
        As `transverse_log_partition` gave it, with as many slices; estimated if None.
    num_slices
        As in `transverse_log_partition`.
    num_runs, num_steps, start_means
        Of ln Tr exp(-H), as in `transverse_log_partition`.
    num_row_runs, num_row_steps : int
        Runs for each row's ln Tr[Lambda_v exp(-H)], and steps of each.
    exact, seed, num_threads, progress
        As in `transverse_log_partition`.

    Returns
    -------
    RowEstimates
        `common_error` is that of ln Tr exp(-H). Both logarithms of means are low on average, by about half the squares
        of their errors; the slices' error comes on top of both.

    Raises
    ------
    ValueError
        If an argument breaks its rule, or an exact sum is asked for where there is none.
    """
    spins = check_spins("rows", rows)
    model = _model(structure, parameters, gammas)
    units = HiddenUnits(structure, parameters, spins.shape[1])
    if not model.gamma.any() and exact is not False:
        return log_likelihood(
            structure,
            parameters,
            spins,
            log_z=log_z,
            num_runs=num_runs,
            num_steps=num_steps,
            num_row_runs=num_row_runs,
            num_row_steps=num_row_steps,
            start_means=start_means,
            exact=exact,
            seed=seed,
            num_threads=num_threads,
            progress=progress,
        )
    if _is_diagonalised(structure, exact):
        marginals = model.exact().probabilities.reshape(2**units.num_visible, -1).sum(axis=1)
        values = np.log(marginals[basis_numbers(spins)])
        return RowEstimates(values, np.zeros(len(spins)), 0.0, "diagonalisation")
    check_count("num_row_runs", num_row_runs, minimum=2)
    check_count("num_slices", num_slices, minimum=2)
    effort = Effort(check_count("num_row_steps", num_row_steps, minimum=2), child_seed(seed, 1), num_threads, progress)
    if log_z is None:
        log_z = transverse_log_partition(
            structure,
            parameters,
            model.gamma,
            num_slices=num_slices,
            num_runs=num_runs,
            num_steps=num_steps,
            start_means=start_means,
            exact=False,
            seed=child_seed(seed, 0),
            num_threads=num_threads,
            progress=progress,
        )
    start = _start_fields(model.gamma, start_means)
    num_runs = len(spins) * num_row_runs
    log_weights = anneal_worldlines(
        structure, parameters, model.gamma, start, num_slices, num_runs, effort, pinned=spins
    )
    values, errors = log_mean_weights(log_weights.reshape(len(spins), num_row_runs))
    weights = _line_weights(model.gamma, start, num_slices)
    visible, hidden = weights[: units.num_visible], weights[units.num_visible :]
    pinned = np.where(spins > 0, visible[:, 0], visible[:, 1]).sum(axis=1)
    values = values + pinned + logsumexp(hidden, axis=1).sum() - log_z.value
    method = (
        f"rows: annealed importance sampling of {num_slices} slices, {num_row_runs} runs x {num_row_steps} steps a row"
        f"; ln Z: {log_z.method}"
    )
    return RowEstimates(values, errors, log_z.standard_error, method)


def _model(structure: Structure, parameters: Parameters, gammas: float | Floats) -> TransverseIsing:
    check_exponents(parameters, 1.0)
    return TransverseIsing.of(IsingModel.from_parameters(structure, parameters), gammas)


def _is_diagonalised(structure: Structure, exact: bool | None) -> bool:
    few = structure.num_variables <= DIAGONALISED_UP_TO
    if exact and not few:
        msg = (
            f"diagonalisation reaches {DIAGONALISED_UP_TO} variables here; got {structure.num_variables}. "
            "Pass exact=None"
        )
        raise ValueError(msg)
    return few and exact is not False


def _line_weights(gammas: Floats, fields: Floats, num_slices: int) -> Floats:
    """Return ln <s|exp(field Z + gamma X)|s> of M slices, (num_variables, 2): s up, s down.

    Diagonal of the M-th power of A^(1/2) B A^(1/2), A = exp(field Z / M), B = exp(gamma X / M); A B has the same.
    """
    half = np.exp(np.outer(fields / (2 * num_slices), [1.0, -1.0]))
    hops = np.stack([np.cosh(gammas / num_slices), np.sinh(gammas / num_slices)], axis=1)
    matrices = half[:, :, None] * half[:, None, :] * hops[:, [[0, 1], [1, 0]]]
    levels, vectors = np.linalg.eigh(matrices)
    return np.asarray(logsumexp(num_slices * np.log(levels)[:, None, :], axis=2, b=vectors**2))


def _start_fields(gammas: Floats, means: Floats | None) -> Floats:
    """Return the fields at which single spins under `gammas` have these means, brought inside +-0.99; zero if None.

    A spin in field a has <Z> = (a / d) tanh d, d = sqrt(a^2 + gamma^2), which rises with a.
    """
    classical = start_fields(len(gammas), means)
    wanted = np.tanh(np.abs(classical))
    low, high = np.abs(classical), np.abs(classical) + gammas * np.sinh(np.abs(classical)) + gammas
    for _ in range(60):
        middle = 0.5 * (low + high)
        d = np.hypot(middle, gammas)
        reached = np.where(d > 0, middle / np.maximum(d, 1e-300) * np.tanh(d), 0.0) >= wanted
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return np.asarray((np.sign(classical) * high).astype(np.float32), dtype=np.float64)
