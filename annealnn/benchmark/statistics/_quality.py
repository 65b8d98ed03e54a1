"""How far reads are from a Boltzmann distribution, beside how far perfect reads would be."""

from typing import NamedTuple

import numpy as np

from annealnn.models import IsingModel
from annealnn.models._exact import basis_energies
from annealnn.typing import AnyArray, Floats, Indices

_DRAWS = 32


class Distances(NamedTuple):
    """Distances of reads to an exact distribution."""

    kl: float  #: of what was read to the exact, nats
    total_variation: float
    worst_mean: float  #: largest error of a `<Z>`
    worst_correlation: float  #: largest error of a `<ZZ>`, over all pairs of variables


class Quality(NamedTuple):
    """Distances of reads, with their standard errors, and what perfect reads would show."""

    distances: Distances
    errors: Distances  #: standard deviations over reads drawn again
    floor: Distances  #: means over as many perfect reads
    floor_spread: Distances  #: their standard deviations


def kl_bias(num_states: int, num_reads: int) -> float:
    """Return (K - 1) / (2 R), by how much the plug-in KL of R perfect reads exceeds 0 (Miller 1955), nats.

    It holds where every one of the K states has several reads; else the floor that perfect reads show is smaller.
    """
    return (num_states - 1) / (2 * num_reads)


class Target:
    """The exact Boltzmann distribution of a model of at most 20 variables, to measure distances to.

    Parameters
    ----------
    model : IsingModel
    beta : float
        Inverse temperature, at least 0.

    Raises
    ------
    ValueError
        If the model has more than 20 variables.
    """

    def __init__(self, model: IsingModel, beta: float) -> None:
        self.num_variables = n = model.structure.num_variables
        if n > 20:
            msg = f"a distribution is summed exactly up to 20 variables; got {n}. Leave the measure 'states' out"
            raise ValueError(msg)
        # a basis digit is 0 for spin +1 where an index has bit 1: the order is reversed
        levels = basis_energies(model.structure, model.parameters)[::-1]
        above = levels - levels.min()
        weights = np.exp(-beta * above)
        total = float(weights.sum())
        self.probabilities: Floats = weights / total
        self.log_probabilities: Floats = -beta * above - np.log(total)
        self._cumulative = np.cumsum(self.probabilities)
        self._moments = self._moments_of(np.arange(2**n), self.probabilities)

    def draw(self, num_reads: int, rng: np.random.Generator) -> Indices:
        """Return indices of independent perfect reads, (num_reads,)."""
        drawn = np.searchsorted(self._cumulative, rng.random(num_reads) * self._cumulative[-1], side="right")
        return np.asarray(np.minimum(drawn, len(self._cumulative) - 1), np.intp)

    def distances(self, indices: AnyArray, counts: AnyArray) -> Distances:
        """Return the distances of reads: states (num_states,), all different, and how often each was read."""
        states, c = np.asarray(indices, np.intp), np.asarray(counts, np.float64)
        states, c = states[c > 0], c[c > 0]
        share = c / c.sum()
        p = self.probabilities[states]
        kl = float(share @ (np.log(share) - self.log_probabilities[states]))
        variation = 0.5 * float(np.abs(share - p).sum() + max(0.0, 1 - p.sum()))
        means, pairs = self._moments_of(states, share)
        off = np.abs(pairs - self._moments[1])
        return Distances(kl, variation, float(np.abs(means - self._moments[0]).max()), float(off.max()))

    def _moments_of(self, states: AnyArray, share: Floats) -> tuple[Floats, Floats]:
        """Return means (n,) and products (n, n) of spins; the diagonal is 1 on both sides."""
        n = self.num_variables
        means, pairs = np.zeros(n), np.zeros((n, n))
        for at in range(0, len(states), 2**16):
            part = spins_of_indices(states[at : at + 2**16], n).astype(np.float64)
            weighted = part * share[at : at + 2**16, None]
            means += weighted.sum(axis=0)
            pairs += weighted.T @ part
        return means, pairs


def spins_of_indices(indices: AnyArray, num_variables: int) -> AnyArray:
    """Return the spins (num_states, num_variables) of indices: sum_i bit_i 2^(n-1-i), bit 1 is spin +1."""
    places = np.arange(num_variables - 1, -1, -1)
    return (2 * ((np.asarray(indices)[:, None] >> places) & 1) - 1).astype(np.int8)


def sampling_quality(target: Target, indices: AnyArray, counts: AnyArray, rng: np.random.Generator) -> Quality:
    """Return how far reads are from a distribution, beside what perfect reads would show.

    Where the distribution's beta was fitted to the same R reads, their KL is lower by up to 1 / (2 R) for that.

    Parameters
    ----------
    target : Target
    indices, counts : (num_states,)
        States that were read, all different, and how often.
    rng : Generator
    """
    c = np.asarray(counts, np.int64)
    reads = int(c.sum())
    again = np.array([target.distances(indices, row) for row in rng.multinomial(reads, c / reads, size=_DRAWS)])
    perfect = []
    for _ in range(_DRAWS):
        states, times = np.unique(target.draw(reads, rng), return_counts=True)
        perfect.append(target.distances(states, times))
    floor = np.array(perfect)
    return Quality(
        target.distances(indices, counts),
        Distances(*again.std(axis=0, ddof=1)),
        Distances(*floor.mean(axis=0)),
        Distances(*floor.std(axis=0, ddof=1)),
    )
