"""A test whether reads are from the Boltzmann distribution of a problem, at whatever temperature."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from annealnn._rng import child_seed, streams_from_seed
from annealnn.diagnostics._effective_beta import LocalFit
from annealnn.models import Parameters, Structure
from annealnn.samplers._couplings import BoundSweep, SparseCouplings, Terms
from annealnn.samplers._streams import uniforms
from annealnn.samplers._tiles import Tiles
from annealnn.typing import Bools, Spins

_NUM_SWEEPS = 8  # forward, and as many backward
# betas of the tempered transition, in units of the reads' own
_LADDER = np.linspace(1.0, 0.0, 25)
# numbers that are looked at in one go
_PIECE = 1 << 22


class Drift(NamedTuple):
    """What sweeps at the reads' own beta change in their means, in standard errors: nothing in equilibrium."""

    energy: float  #: of the energy, whole reads taken; below 0 if reads are hotter as a whole than among neighbours
    moment: float  #: of the moment that changes most
    pvalue: float  #: of the two, under the Boltzmann distribution of the problem at any temperature


def drift_of(
    structure: Structure,
    sparse: SparseCouplings,
    parameters: Parameters,
    spins: Spins,
    fit: LocalFit,
    *,
    seed: int,
    held: Bools | None = None,
) -> Drift:
    """Test whether reads are stationary under a Markov chain at their own effective beta.

    A chain whose equilibrium is the distribution in question leaves reads from it where they are, so any drift of a
    mean speaks against it (Besag & Clifford 1989). The chain here is heat-bath sweeps, a tempered transition to beta 0
    and back (Neal 1996), and as many sweeps backward. It is reversible: start and end may be exchanged, so the change D
    of a statistic is symmetric about 0. Beta is fitted by pseudo-likelihood, which asks each spin about its neighbours;
    the chain asks whole reads. After a quench the local temperature is the lower one (Raymond et al. 2016), and the
    energy falls. Reads of another problem lose their moments.

    That beta comes from the same reads counts to first order. In equilibrium dE[D]/dbeta is the covariance of D with
    the energy at the start; exchanged, minus that with the energy at the end, which is nearer to equilibrium where the
    start is not. The influence of each read on beta is known. Each drift is the sum of D over the root of
    the sum of squares of D less its part from beta: standard normal in equilibrium. The p-value is twice the smaller of
    that of the energy and, by Bonferroni, that of all moments.

    Parameters
    ----------
    structure, sparse, parameters
        The problem that was sampled, Eq. (1)'s sign, and the pattern of its couplings.
    spins : (num_reads, num_variables)
        Independent reads.
    fit : LocalFit
        Their effective beta, finite.
    seed : int
        Of the sweeps.
    held : (num_reads, num_variables), optional
        Where a read holds a variable that was clamped.
    """
    num_reads, n = spins.shape
    tiles = Tiles(spins, streams_from_seed(seed, num_reads), held)
    terms, order = Terms.of(sparse, parameters), np.arange(n)
    forward, backward = (
        BoundSweep(parameters, sparse, None, visits, metropolis=False, at_random=False)
        for visits in (order, order[::-1])
    )
    betas = np.full(_NUM_SWEEPS, fit.beta.value, np.float32)
    forward.run(tiles, betas)
    before, gain = tiles.bits.copy(), np.zeros(num_reads)
    ladder = (fit.beta.value * _LADDER).astype(np.float32)
    for above, below in pairwise(ladder):
        gain += (above - below) * tiles.energies(terms, sparse)
        forward.run(tiles, np.array([below]))
    for below, above in pairwise(ladder[::-1]):
        backward.run(tiles, np.array([below]))
        gain -= (above - below) * tiles.energies(terms, sparse)
    refused = np.log(uniforms(streams_from_seed(child_seed(seed, 1), num_reads))) >= gain
    tiles.put_back(before, refused)
    backward.run(tiles, betas)
    after, unused = np.empty_like(spins), np.empty((num_reads, 4), np.uint32)
    tiles.unpack(after, unused)
    heads, tails = structure.ends
    total, squares, by_energy, by_beta = np.zeros((4, 1 + n + len(heads)))
    energies = [structure.energies(parameters, s) for s in (spins, after)]
    from_mean = energies[1] - energies[1].mean()
    at_once = max(1, _PIECE // len(total))
    for first in range(0, num_reads, at_once):
        some = slice(first, first + at_once)
        begin, end = (
            np.column_stack([e[some], s[some], s[some][:, heads] * s[some][:, tails]])
            for e, s in zip(energies, (spins, after), strict=True)
        )
        change = end - begin
        total += change.sum(axis=0)
        squares += (change**2).sum(axis=0)
        by_energy += from_mean[some] @ change
        by_beta += fit.influences[some] @ change
    slopes = -by_energy / num_reads
    variances = squares + 2 * slopes * by_beta + slopes**2 * float((fit.influences**2).sum())
    moved = (squares > 0) & (variances > 1e-12 * squares)
    # rounding errors of an energy that does not change are no drift
    moved[0] &= squares[0] > 1e-20 * np.square(energies).sum()
    drifts = np.where(moved, total, 0.0) / np.sqrt(np.where(moved, variances, 1.0))
    energy, moments = float(drifts[0]), np.abs(drifts[1:])
    moment = float(moments.max(initial=0.0))
    pvalue = 2 * min(_two_sided(energy), len(moments) * _two_sided(moment)) if len(moments) else 1.0
    return Drift(energy, moment, min(1.0, pvalue))


def _two_sided(z: float) -> float:
    """Return the chance that a standard normal number is at least as large, of either sign."""
    return 2 * float(ndtr(-abs(z)))
