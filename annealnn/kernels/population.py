"""Resampling of populations: rows of tiles, numbered through as in `tempering`."""

import math

import numpy as np

from annealnn.kernels._compile import compiled
from annealnn.kernels._random import uniform

_LAST = np.uint32(1)


@compiled
def resample_populations(bits, streams, energies, rise, weights, offspring, families, log_z):
    """Resample every population for a beta higher by `rise`, systematically, at a fixed size.

    Rows m size to (m + 1) size - 1 are population m, size = len(weights). Row j has on average exp(-rise E_j) / Q
    offspring, Q the mean of these weights, and less than one more or fewer than that (Hukushima & Iba 2003). Survivors
    keep their rows; further offspring overwrite rows without any. log_z (num_populations,) float64: ln Q is added;
    families (num_rows,) int64 go with the spins; weights (size,) float64 and offspring (size,) int64 are scratch.
    """
    size = weights.shape[0]
    for m in range(log_z.shape[0]):
        start = m * size
        best = -np.inf
        for j in range(size):
            weights[j] = -rise * energies[(start + j) // 32, (start + j) % 32]
            best = max(best, weights[j])
        total = 0.0
        for j in range(size):
            weights[j] = math.exp(weights[j] - best)
            total += weights[j]
        log_z[m] += best + math.log(total / size)
        stream = streams[4 * (start // 32) : 4 * (start // 32) + 4, start % 32]
        offset = uniform(stream)
        reached, before = 0.0, 0
        for j in range(size):
            reached += weights[j]
            upto = size if j == size - 1 else int(size * (reached / total) + offset)
            offspring[j] = upto - before
            before = upto
        empty = 0
        for j in range(size):
            while offspring[j] > 1:
                while offspring[empty] != 0:
                    empty += 1
                source, target = start + j, start + empty
                place, shift = np.uint32(source % 32), np.uint32(target % 32)
                keep = np.uint32(~np.uint32(_LAST << shift))
                for i in range(bits.shape[1]):
                    bit = np.uint32((bits[source // 32, i] >> place) & _LAST)
                    bits[target // 32, i] = np.uint32((bits[target // 32, i] & keep) | np.uint32(bit << shift))
                families[target] = families[source]
                offspring[j] -= 1
                offspring[empty] = 1
