"""Annealed importance sampling (Neal 2001) along a path of Ising models."""

import numba as nb
import numpy as np

from annealnn.kernels._compile import compiled
from annealnn.kernels._random import uniform


@nb.njit(nogil=True, inline="always")
def _pull(s, i, indptr, indices, couplings):
    """Return sum_j J_ij s_j over the neighbours of spin i; s (num_spins,), CSR of the symmetric couplings."""
    total = 0.0
    for k in range(indptr[i], indptr[i + 1]):
        total += couplings[k] * s[indices[k]]
    return total


@compiled
def annealed_importance_sweeps(spins, streams, start_fields, fields, indptr, indices, couplings, path, log_weights):
    """Move reads along E_t = (1-t) E_start + t E_final and add up their log-weights, in place.

    E_start has start_fields (num_spins,) and no couplings; E_final has fields (num_spins,) and the CSR of the
    symmetric couplings. path (num_steps,) rises from 0 to 1; a read enters as a draw from E_start and makes one
    heat-bath sweep after every step. log_weights (num_reads,) float64. beta = 1.
    """
    num_spins = spins.shape[1]
    for r in range(spins.shape[0]):
        s, stream = spins[r], streams[r]
        for k in range(1, path.shape[0]):
            difference = 0.0
            for i in range(num_spins):
                pulled = _pull(s, i, indptr, indices, couplings)
                difference += s[i] * (fields[i] - start_fields[i] + 0.5 * pulled)
            t = path[k]
            log_weights[r] -= (t - path[k - 1]) * difference
            for i in range(num_spins):
                pulled = _pull(s, i, indptr, indices, couplings)
                local = (1.0 - t) * start_fields[i] + t * (fields[i] + pulled)
                s[i] = 1 if uniform(stream) * (1.0 + np.exp(2.0 * local)) < 1.0 else -1
