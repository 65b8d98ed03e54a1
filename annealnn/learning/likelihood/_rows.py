"""What rows of visible units are worth to a machine: free energies, likelihoods, pseudo-likelihoods."""

import numpy as np
from scipy.sparse import csr_array

from annealnn._rng import child_seed
from annealnn._validation import check_count
from annealnn.learning.likelihood._annealed import Effort, anneal
from annealnn.learning.likelihood._estimate import Estimate, RowEstimates, log_mean_weights
from annealnn.learning.likelihood._hidden import HiddenUnits, blocks_of, log_two_cosh
from annealnn.learning.likelihood._partition import check_spins, log_partition
from annealnn.models import Parameters, Structure
from annealnn.models._exact import check_exponents
from annealnn.samplers._control import Progress
from annealnn.typing import AnyArray, Floats, Spins


def free_energies(structure: Structure, parameters: Parameters, rows: AnyArray) -> Floats:
    """Return F(v) = -ln sum_h exp(-E(v, h)) of every row, exactly, nats.

    Parameters
    ----------
    structure : Structure
        Variables 0..num_visible-1 are visible, the others hidden.
    parameters : Parameters
        Eq. (1)'s sign.
    rows : (num_rows, num_visible)
        Spins.

    Returns
    -------
    (num_rows,)
        In closed form where hidden units are not coupled to each other; else by elimination, one after another.

    Raises
    ------
    ValueError
        If hidden units are coupled in a graph of width above 10, or an argument breaks its rule.
    """
    units, spins = _checked(structure, parameters, rows)
    return units.exact_rows(spins).values


def estimate_free_energies(
    structure: Structure,
    parameters: Parameters,
    rows: AnyArray,
    *,
    num_runs: int = 100,
    num_steps: int = 500,
    seed: int = 0,
    num_threads: int | None = None,
    progress: Progress = False,
) -> RowEstimates:
    """Estimate F(v) of every row by annealed importance sampling of the hidden units, the visible ones clamped.

    Runs start from hidden units that are independent given the row, and turn their couplings on.

    Parameters
    ----------
    structure, parameters, rows
        As in `free_energies`; hidden units may be coupled in any graph.
    num_runs, num_steps : int
        Runs for each row, and steps of each.
    seed, num_threads, progress
        As in `log_partition`.

    Returns
    -------
    RowEstimates
        The logarithm of a mean weight is low on average, so free energies are high, by about half the square of the
        standard error. It does not average out over rows.

    Raises
    ------
    ValueError
        If an argument breaks its rule.
    """
    units, spins = _checked(structure, parameters, rows)
    check_count("num_runs", num_runs, minimum=2)
    effort = Effort(check_count("num_steps", num_steps, minimum=2), seed, num_threads, progress)
    if not units.are_coupled:
        return units.exact_rows(spins)
    # as the kernels have them
    pulls = units.pulls(spins).astype(np.float32).astype(np.float64)
    hidden = units.hidden
    rise = Parameters(np.zeros(units.num_hidden), hidden.parameters.couplings)
    log_weights = anneal(hidden.structure, rise, pulls, len(spins) * num_runs, effort)
    values, errors = log_mean_weights(log_weights.reshape(len(spins), num_runs))
    values = units.visible_energies(spins) - log_two_cosh(pulls).sum(axis=1) - values
    method = f"annealed importance sampling of hidden units, {num_runs} runs x {num_steps} steps a row"
    return RowEstimates(values, errors, 0.0, method)


def log_likelihood(
    structure: Structure,
    parameters: Parameters,
    rows: AnyArray,
    *,
    log_z: Estimate | None = None,
    num_runs: int = 500,
    num_steps: int = 2000,
    num_row_runs: int = 100,
    num_row_steps: int = 500,
    start_means: Floats | None = None,
    exact: bool | None = None,
    seed: int = 0,
    num_threads: int | None = None,
    progress: Progress = False,
) -> RowEstimates:
    """Return ln P(v) = -F(v) - ln Z of every row, nats.

    Free energies and ln Z are exact where that is quick, else by annealed importance sampling.

    Parameters
    ----------
    structure, parameters, rows
        As in `free_energies`; hidden units may be coupled in any graph.
    log_z : Estimate, optional
        As `log_partition` gave it; estimated if None.
    num_runs, num_steps, start_means
        Of ln Z, as in `log_partition`.
    num_row_runs, num_row_steps : int
        Of free energies, as in `estimate_free_energies`.
    exact : bool, optional
        True asks for exact sums or an error, False for annealed importance sampling of all but closed forms; None
        chooses.
    seed, num_threads, progress
        As in `log_partition`.

    Returns
    -------
    RowEstimates
        `common_error` is that of ln Z, the same for all rows. An estimated ln Z is low on average, so likelihoods are
        high; estimated free energies are high on average, so likelihoods are low. `reverse_log_partition` tells
        whether the first matters, more runs and steps whether the second does.

    Raises
    ------
    ValueError
        If an argument breaks its rule, or an exact sum is asked for where there is none.
    """
    units, spins = _checked(structure, parameters, rows)
    if log_z is None:
        log_z = log_partition(
            structure,
            parameters,
            num_runs=num_runs,
            num_steps=num_steps,
            start_means=start_means,
            exact=exact,
            seed=child_seed(seed, 0),
            num_threads=num_threads,
            progress=progress,
        )
    if exact or (exact is None and units.is_exact):
        found = units.exact_rows(spins)
    else:
        found = estimate_free_energies(
            structure,
            parameters,
            spins,
            num_runs=num_row_runs,
            num_steps=num_row_steps,
            seed=child_seed(seed, 1),
            num_threads=num_threads,
            progress=progress,
        )
    method = f"free energies: {found.method}; ln Z: {log_z.method}"
    return RowEstimates(-found.values - log_z.value, found.standard_errors, log_z.standard_error, method)


def pseudo_log_likelihood(structure: Structure, parameters: Parameters, spins: AnyArray) -> Floats:
    """Return sum_i ln P(v_i | all other visible units) of every row, nats (Besag 1975).

    Parameters
    ----------
    structure : Structure
        Variables 0..num_visible-1 are visible, the others hidden.
    parameters : Parameters
        Eq. (1)'s sign.
    spins : (num_rows, num_visible)
        The number of columns says how many variables are visible.

    Returns
    -------
    (num_rows,)

    Raises
    ------
    ValueError
        If there are hidden units whose sum is not quick: see `free_energies`.
    """
    units, rows = _checked(structure, parameters, spins)
    s = rows.astype(np.float64)
    visible = units.visible
    couplings = csr_array((visible.parameters.couplings, visible.structure.ends), (units.num_visible,) * 2)
    # what flipping each visible unit adds to E(v)
    costs = 2.0 * s * (np.asarray((couplings + couplings.T) @ s.T).T + visible.parameters.fields)
    costs += _sums_after_flips(units, rows) if units.are_coupled else _cosh_after_flips(units, s)
    return np.asarray(-np.logaddexp(0.0, -costs).sum(axis=1))


def _cosh_after_flips(units: HiddenUnits, s: Floats) -> Floats:
    """Return what flipping each visible unit adds to the hidden part of F, (num_rows, num_visible).

    A flip of v_i turns B_j into B_j - 2 v_i W_ij: one term for each edge.
    """
    seen, hidden = units.ends
    incidence = csr_array((np.ones(len(seen)), (seen, np.arange(len(seen)))), (units.num_visible, len(seen)))
    out = np.empty_like(s)
    for block in blocks_of(len(s), len(seen) + units.num_hidden):
        pulls = units.pulls(s[block])
        fell = log_two_cosh(pulls)[:, hidden]
        fell -= log_two_cosh(pulls[:, hidden] - 2.0 * s[block][:, seen] * units.weights)
        out[block] = np.asarray(incidence @ fell.T).T
    return out


def _sums_after_flips(units: HiddenUnits, rows: Spins) -> Floats:
    """Return the same where hidden units are coupled to each other."""

    def hidden_part(v: Spins) -> Floats:
        return units.exact_rows(v).values - units.visible_energies(v)

    out = np.zeros(rows.shape)
    before = hidden_part(rows)
    for i in np.unique(units.ends[0]):
        flipped = rows.copy()
        flipped[:, i] *= -1
        out[:, i] = hidden_part(flipped) - before
    return out


def _checked(structure: Structure, parameters: Parameters, rows: AnyArray) -> tuple[HiddenUnits, Spins]:
    check_exponents(parameters, 1.0)
    spins = check_spins("rows", rows)
    return HiddenUnits(structure, parameters, spins.shape[1]), spins
