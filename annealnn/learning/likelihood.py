"""Likelihoods of classical Boltzmann machines at beta = 1, each with its method and its error. Nats throughout."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from annealnn._parallel import run_blocks
from annealnn._validation import check_count
from annealnn.kernels.importance import annealed_importance_sweeps
from annealnn.models import Parameters, Structure, dimod_terms
from annealnn.models._exact import basis_energies
from annealnn.samplers import streams_from_seed, uniforms
from annealnn.samplers._couplings import SparseCouplings
from annealnn.typing import AnyArray, Floats

EXACT_UP_TO = 16  # variables


class Estimate(NamedTuple):
    """A number, one standard error of it, and how it was found."""

    value: float
    standard_error: float
    method: str

    def __str__(self) -> str:
        return f"{self.value:.3f} +- {self.standard_error:.3f} ({self.method})"


def log_partition(
    structure: Structure,
    parameters: Parameters,
    *,
    num_runs: int = 500,
    num_steps: int = 2000,
    start_means: Floats | None = None,
    seed: int = 0,
    num_threads: int | None = None,
) -> Estimate:
    """Estimate ln Z: exactly by enumeration up to 16 variables, else by annealed importance sampling (Neal 2001).

    Parameters
    ----------
    structure : Structure
    parameters : Parameters
        Eq. (1)'s sign.
    num_runs, num_steps : int
        Runs, and steps of each from independent spins to the model.
    start_means : (num_variables,), optional
        Means of the independent spins to start from, such as the data's (Salakhutdinov & Murray 2008); zero if None.
    seed : int

    Returns
    -------
    Estimate
        ln of the mean weight; its standard error by the delta method, std(w) / (mean(w) sqrt(num_runs)).
    """
    if structure.num_variables <= EXACT_UP_TO:
        return Estimate(float(logsumexp(-basis_energies(structure, parameters))), 0.0, "enumeration")
    check_count("num_runs", num_runs, minimum=2)
    check_count("num_steps", num_steps, minimum=2)
    n = structure.num_variables
    means = np.zeros(n) if start_means is None else np.clip(start_means, -0.99, 0.99)
    start = np.arctanh(means)
    streams = streams_from_seed(seed, num_runs)
    spins = np.where(uniforms(streams, n) < (1 + means) / 2, 1, -1).astype(np.int8)
    fields, quadratic = dimod_terms(parameters)
    pattern = SparseCouplings.of(structure)
    couplings = quadratic[pattern.edge_of]
    path = np.linspace(0.0, 1.0, num_steps)
    log_weights = np.zeros(num_runs)

    def work(block: slice, steps: Iterator[slice]) -> None:
        for some in steps:
            # one point more than steps: the kernel moves between neighbours
            part = path[some.start : some.stop + 1]
            annealed_importance_sweeps(
                spins[block],
                streams[block],
                -start,
                fields,
                pattern.indptr,
                pattern.indices,
                couplings,
                part,
                log_weights[block],
            )

    run_blocks(
        work,
        num_reads=num_runs,
        num_sweeps=num_steps - 1,
        sweep_cost=2 * (n + len(pattern.indices)),
        num_threads=num_threads,
    )
    log_start = float(np.log(2 * np.cosh(start)).sum())
    weights = np.exp(log_weights - log_weights.max())
    value = log_start + float(logsumexp(log_weights)) - float(np.log(num_runs))
    error = float(weights.std(ddof=1) / weights.mean() / np.sqrt(num_runs))
    return Estimate(value, error, f"annealed importance sampling, {num_runs} runs x {num_steps} steps")


def pseudo_log_likelihood(structure: Structure, parameters: Parameters, spins: AnyArray) -> Floats:
    """Return sum_i ln P(s_i | all others) of every row (num_rows, num_variables): (num_rows,) (Besag 1975)."""
    s = np.asarray(spins, dtype=np.float64)
    pull = s * (s @ structure.dense(parameters.couplings) + parameters.fields)
    return np.asarray(-np.logaddexp(0.0, -2.0 * pull).sum(axis=1))


def free_energies(structure: Structure, parameters: Parameters, rows: AnyArray) -> Floats:
    """Return F(v) = -ln sum_h exp(-E(v, h)) of every row (num_rows, num_visible): (num_rows,)."""
    from annealnn.learning._phases import HiddenFields

    nv = rows.shape[1]
    if nv == structure.num_variables:
        return structure.energies(parameters, rows)
    padded = np.hstack([rows, np.zeros((len(rows), structure.num_variables - nv), np.int8)])
    fields = HiddenFields(structure, nv).fields(parameters, rows.astype(np.float64))
    return np.asarray(structure.energies(parameters, padded) - np.logaddexp(fields, -fields).sum(axis=1))
