"""ln Z of classical machines at beta = 1: exact, from below, and from above."""

import numpy as np
from scipy.special import logsumexp

from annealnn._validation import check_count
from annealnn.learning.likelihood._annealed import Effort, anneal
from annealnn.learning.likelihood._estimate import Estimate, log_mean_weights
from annealnn.models import Parameters, Structure
from annealnn.models._exact import basis_energies, check_exponents
from annealnn.samplers._control import Progress
from annealnn.samplers._tree import TreeDecomposition
from annealnn.typing import AnyArray, Floats

EXACT_UP_TO = 16  # variables
EXACT_WIDTH = 16  # of an elimination order: tables of 2**16 numbers
EXACT_ROW_WIDTH = 10  # the same where there are tables for every row
# numbers in all tables: about a second
_MOST_ENTRIES = 2**24


def log_partition(
    structure: Structure,
    parameters: Parameters,
    *,
    num_runs: int = 500,
    num_steps: int = 2000,
    start_means: Floats | None = None,
    exact: bool | None = None,
    seed: int = 0,
    num_threads: int | None = None,
    progress: Progress = False,
) -> Estimate:
    """Estimate ln Z: exactly where that is quick, else by annealed importance sampling (Neal 2001).

    Exact sums are by enumeration up to 16 variables, and by tree decomposition where the graph's width is at most 16.

    Parameters
    ----------
    structure : Structure
    parameters : Parameters
        Eq. (1)'s sign.
    num_runs, num_steps : int
        Runs, and steps of each from independent spins to the model.
    start_means : (num_variables,), optional
        Means of the independent spins to start from, such as the data's (Salakhutdinov & Murray 2008); zero if None.
    exact : bool, optional
        True asks for an exact sum or an error, False for annealed importance sampling; None chooses.
    seed : int
    num_threads : int, optional
        All processors if None. The estimate does not depend on it.
    progress : "auto", bool or callable
        "auto" shows a bar on terminals and in notebooks once the runs have lasted a second. A callable is called as
        `progress(done, total)`.

    Returns
    -------
    Estimate
        ln of the mean weight; its standard error by the delta method, std(w) / (mean(w) sqrt(num_runs)). It is a
        stochastic lower bound: low on average. `reverse_log_partition` bounds ln Z from above.

    Raises
    ------
    ValueError
        If an argument breaks its rule, or an exact sum is asked for where there is none.
    """
    check_exponents(parameters, 1.0)
    if exact is not False:
        found = _exact_log_partition(structure, parameters)
        if found is not None:
            return found
        if exact:
            msg = (
                f"exact sums reach {EXACT_UP_TO} variables, and graphs of width {EXACT_WIDTH}; got {structure!r} of "
                "greater width. Pass exact=None"
            )
            raise ValueError(msg)
    check_count("num_runs", num_runs, minimum=2)
    effort = Effort(check_count("num_steps", num_steps, minimum=2), seed, num_threads, progress)
    start = start_fields(structure.num_variables, start_means)
    log_weights = anneal(structure, _rise(parameters, start), start, num_runs, effort)
    value, error = log_mean_weights(log_weights)
    method = f"annealed importance sampling, {num_runs} runs x {num_steps} steps"
    return Estimate(_log_start(start) + float(value), float(error), method)


def reverse_log_partition(
    structure: Structure,
    parameters: Parameters,
    reads: AnyArray,
    *,
    num_steps: int = 2000,
    start_means: Floats | None = None,
    seed: int = 0,
    num_threads: int | None = None,
    progress: Progress = False,
) -> Estimate:
    """Bound ln Z from above by annealed importance sampling from reads of the model back to independent spins.

    The mean weight estimates Z_0 / Z without bias, so minus its logarithm is high on average: with `log_partition`'s
    lower bound it brackets ln Z (Burda, Grosse & Salakhutdinov 2015; Grosse, Ghahramani & Adams 2015). That holds if
    the reads are independent reads of the model itself; reads of a Markov chain that has not mixed may give a bound
    that is none, and an error that is too small.

    Parameters
    ----------
    structure : Structure
    parameters : Parameters
        Eq. (1)'s sign.
    reads : (num_reads, num_variables)
        Spins, drawn at beta = 1. One run for each.
    num_steps, start_means, seed, num_threads, progress
        As in `log_partition`.

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        If an argument breaks its rule.
    """
    check_exponents(parameters, 1.0)
    spins = check_spins("reads", reads, structure.num_variables)
    num_runs = check_count("the number of reads", len(spins), minimum=2)
    effort = Effort(check_count("num_steps", num_steps, minimum=2), seed, num_threads, progress)
    start = start_fields(structure.num_variables, start_means)
    log_weights = anneal(structure, _rise(parameters, start), start, num_runs, effort, reads=spins)
    value, error = log_mean_weights(log_weights)
    method = f"reverse annealed importance sampling, {num_runs} reads x {num_steps} steps"
    return Estimate(_log_start(start) - float(value), float(error), method)


def start_fields(num_variables: int, means: Floats | None) -> Floats:
    """Return the fields of independent spins with these means, brought inside +-0.99; zero if None."""
    if means is None:
        return np.zeros(num_variables)
    given = np.asarray(means, dtype=np.float64)
    if given.shape != (num_variables,) or not np.isfinite(given).all():
        msg = f"start_means are finite numbers, shape ({num_variables},); got {means!r}"
        raise ValueError(msg)
    # as the kernels have them
    return np.asarray(np.arctanh(np.clip(given, -0.99, 0.99)).astype(np.float32), dtype=np.float64)


def check_spins(name: str, values: AnyArray, num_columns: int | None = None) -> AnyArray:
    """Return rows of spins as int8."""
    given = np.asarray(values)
    wanted = "num_visible" if num_columns is None else num_columns
    if given.ndim != 2 or not len(given) or (num_columns is not None and given.shape[1] != num_columns):
        msg = f"{name} are rows of spins, at least one, shape (num_rows, {wanted}); got shape {given.shape}"
        raise ValueError(msg)
    if not (wrong := np.abs(given) != 1).any():
        return given.astype(np.int8)
    msg = f"{name} hold spins, -1 or +1; got {given[wrong][0].item()!r}. Convert bits with bits_to_spins"
    raise ValueError(msg)


def _exact_log_partition(structure: Structure, parameters: Parameters) -> Estimate | None:
    if structure.num_variables <= EXACT_UP_TO:
        return Estimate(float(logsumexp(-basis_energies(structure, parameters))), 0.0, "enumeration")
    tree = narrow_tree(structure)
    return None if tree is None else Estimate(tree.solve(parameters, 1.0).log_z, 0.0, "tree decomposition")


def narrow_tree(structure: Structure, width: int | None = None) -> TreeDecomposition | None:
    """Return the tree decomposition of a graph of at most this width, `EXACT_WIDTH` if None; else None."""
    try:
        tree = TreeDecomposition(structure, EXACT_WIDTH if width is None else width)
    except ValueError:
        return None
    return tree if tree.num_entries <= _MOST_ENTRIES else None


def _rise(parameters: Parameters, start: Floats) -> Parameters:
    return Parameters(np.asarray(parameters.fields) - start, np.asarray(parameters.couplings))


def _log_start(start: Floats) -> float:
    return float(np.logaddexp(start, -start).sum())
