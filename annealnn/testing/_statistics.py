"""Statistical checks with a stated false-alarm rate."""

import dimod
import numpy as np
from scipy.stats import chi2, chi2_contingency

from annealnn.typing import AnyArray, Floats

# lopsided on purpose: a sign slip or a swapped index cannot hide behind a symmetry
LOPSIDED = dimod.BQM({"a": 0.7, "b": -0.3, "c": 0.1}, {"ab": -0.9, "bc": 0.4}, 0.25, "SPIN")

FALSE_ALARM = 1e-6  # of one statistical check

# a chi-square needs cells that are expected this often, if small p-values are to be what they say
_FEW = 20.0


def boltzmann_pvalue(samples: dimod.SampleSet, bqm: dimod.BinaryQuadraticModel, beta: float) -> float:
    """Return the p-value of independent reads under P(s) proportional to exp(-beta E(s)), by one pooled chi-square.

    States expected fewer than 20 times are counted together.

    Raises
    ------
    ValueError
        If there are more than 16 variables.
    """
    n = bqm.num_variables
    if n > 16:
        msg = f"states are counted one by one up to 16 variables; got {n}"
        raise ValueError(msg)
    order = list(bqm.variables)
    states = ((np.arange(2**n)[:, None] >> np.arange(n)) & 1).astype(np.int8)
    values = states if bqm.vartype is dimod.BINARY else 2 * states - 1
    weights = np.exp(-beta * (bqm.energies((values, order)) - bqm.energies((values, order)).min()))
    columns = [samples.variables.index(v) for v in order]
    rows = np.repeat(samples.record.sample, samples.record.num_occurrences, axis=0)[:, columns] > 0
    observed = np.bincount(rows @ (1 << np.arange(n)), minlength=2**n).astype(np.float64)
    return chi_square_pvalue(observed, weights / weights.sum() * len(rows))


def chi_square_pvalue(observed: Floats, expected: Floats) -> float:
    """Return the p-value of counts under expected counts, those expected fewer than 20 times counted together."""
    order = np.argsort(expected)
    observed, expected = observed[order], expected[order]
    num_pooled = _num_pooled(expected, _FEW)
    observed = np.append(observed[num_pooled:], observed[:num_pooled].sum())
    expected = np.append(expected[num_pooled:], expected[:num_pooled].sum())
    if (observed[expected == 0] > 0).any():
        return 0.0
    statistic = float(((observed - expected) ** 2 / expected)[expected > 0].sum())
    return float(chi2.sf(statistic, df=max(1, len(expected) - 1)))


def two_sample_pvalue(a: AnyArray, b: AnyArray) -> float:
    """Return the p-value of two sets of independent reads, (num_reads, num_variables) each, having one distribution.

    A chi-square over the states that occur, the rare ones counted together.
    """
    _, which = np.unique(np.vstack([a, b]), axis=0, return_inverse=True)
    table = np.stack([np.bincount(part, minlength=which.max() + 1) for part in np.split(which.reshape(-1), [len(a)])])
    table = table[:, np.argsort(table.sum(axis=0))]
    # each cell must be expected often enough in the smaller set
    least = _FEW * (len(a) + len(b)) / max(1, min(len(a), len(b)))
    num_pooled = _num_pooled(table.sum(axis=0).astype(np.float64), least)
    pooled = np.column_stack([table[:, :num_pooled].sum(axis=1), table[:, num_pooled:]])
    return float(chi2_contingency(pooled, correction=False).pvalue) if pooled.shape[1] > 1 else 1.0


def _num_pooled(ascending: Floats, least: float) -> int:
    """Return how many of the smallest cells to count together: all that are too small, and more until they are not."""
    small = int(np.searchsorted(ascending, least))
    enough = int(np.searchsorted(np.cumsum(ascending), least)) + 1
    return max(1, min(len(ascending), max(small, enough)))
