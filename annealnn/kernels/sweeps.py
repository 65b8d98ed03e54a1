"""Single-spin sweeps over a block of reads."""

import numba as nb
import numpy as np

from annealnn.kernels._local import pull
from annealnn.kernels._random import uniform


@nb.njit(nogil=True, cache=True)
def random_spins(spins, streams, order):
    """Draw the spins named in `order` (num_free,) uniformly, in place."""
    for r in range(spins.shape[0]):
        for i in order:
            spins[r, i] = 1 if uniform(streams[r]) < 0.5 else -1


@nb.njit(nogil=True, cache=True)
def fill_uniforms(streams, out):
    """Draw doubles in [0, 1) from every stream (num_reads, 4) into out (num_reads, count)."""
    for r in range(streams.shape[0]):
        for k in range(out.shape[1]):
            out[r, k] = uniform(streams[r])


@nb.njit(nogil=True, cache=True)
def heat_bath_sweeps(spins, streams, order, fields, indptr, indices, couplings, betas):
    """Run heat-bath sweeps, in place: P(s_i = +1) = 1 / (1 + exp(2 beta f_i)), f_i the local field.

    spins (num_reads, num_spins) int8, streams (num_reads, 4) uint64, order (num_free,) the variables to
    visit, fields (num_spins,), CSR of the symmetric couplings, betas (num_sweeps,).
    """
    for r in range(spins.shape[0]):
        s, stream = spins[r], streams[r]
        for beta in betas:
            for i in order:
                local = fields[i] + pull(s, i, indptr, indices, couplings)
                s[i] = 1 if uniform(stream) * (1.0 + np.exp(2.0 * beta * local)) < 1.0 else -1


@nb.njit(nogil=True, cache=True)
def metropolis_sweeps(spins, streams, order, fields, indptr, indices, couplings, betas):
    """Run Metropolis sweeps, in place: a flip that costs energy d is accepted with probability exp(-beta d).

    Arguments as in `heat_bath_sweeps`.
    """
    for r in range(spins.shape[0]):
        s, stream = spins[r], streams[r]
        for beta in betas:
            for i in order:
                local = fields[i] + pull(s, i, indptr, indices, couplings)
                cost = -2.0 * s[i] * local
                if cost <= 0.0 or uniform(stream) < np.exp(-beta * cost):
                    s[i] = -s[i]


@nb.njit(nogil=True, cache=True)
def sum_moments(spins, heads, tails, spin_sums, pair_sums):
    """Add up spins and products along edges over a block of reads, in place.

    spins (num_reads, num_spins) int8; heads, tails (num_edges,); spin_sums (num_spins,) and
    pair_sums (num_edges,) int64.
    """
    for r in range(spins.shape[0]):
        s = spins[r]
        for i in range(s.shape[0]):
            spin_sums[i] += s[i]
        for e in range(heads.shape[0]):
            pair_sums[e] += s[heads[e]] * s[tails[e]]
