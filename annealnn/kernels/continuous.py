"""Worldlines in continuous imaginary time, one read after another (Rieger & Kawashima 1999).

A worldline is a spin at time 0 and the times of its kinks, where it turns over. An update of worldline i cuts it at
its kinks and at as many more times as a Poisson process of rate gamma_i gives, and draws the spin of every segment
between two cuts from its heat bath: P(up) = 1 / (1 + exp(2 F)), F the integral of the local field over the segment.

Arguments, the same for both kernels: times (num_reads, num_variables, capacity) float64, each worldline's kinks in
rising order within [0, beta); counts (num_reads, num_variables) int32, how many; firsts (num_reads, num_variables)
int8, spins at time 0.
"""

import math

import numpy as np

from annealnn.kernels._compile import compiled
from annealnn.kernels._random import uniform


@compiled
def continuous_sweeps(
    times,
    counts,
    firsts,
    streams,
    order,
    fields,
    indptr,
    indices,
    couplings,
    gammas,
    beta,
    num_sweeps,
    progress,
    cuts,
    sums,
    spins,
):
    """Run sweeps over the worldlines of `order`, in place; return whether all reads are done.

    fields (num_variables,) and couplings, by CSR of the symmetric matrix, float64, dimod's sign; gammas
    (num_variables,); streams (num_reads, 4). progress (num_reads, 2) int64: sweeps done, and how far the next one is;
    a worldline with more cuts than there is room for is left as it was, and the read waits for a larger capacity.
    Scratch: cuts (capacity,), sums (capacity + 1,) float64, spins (capacity + 1,) int8.
    """
    capacity, complete = times.shape[2], True
    for r in range(times.shape[0]):
        while progress[r, 0] < num_sweeps:
            if progress[r, 1] == order.shape[0]:
                progress[r, 0] += 1
                progress[r, 1] = 0
                continue
            i = order[progress[r, 1]]
            w0, w1, w2, w3 = streams[r, 0], streams[r, 1], streams[r, 2], streams[r, 3]
            # old and new cuts, merged
            num_cuts, old, full = 0, 0, False
            fresh = beta
            if gammas[i] > 0:
                fresh = -math.log1p(-uniform(streams[r])) / gammas[i]
            while old < counts[r, i] or fresh < beta:
                if num_cuts == capacity:
                    full = True
                    break
                if old < counts[r, i] and times[r, i, old] <= fresh:
                    cuts[num_cuts] = times[r, i, old]
                    old += 1
                else:
                    cuts[num_cuts] = fresh
                    fresh -= math.log1p(-uniform(streams[r])) / gammas[i]
                num_cuts += 1
            if full:
                streams[r, 0], streams[r, 1], streams[r, 2], streams[r, 3] = w0, w1, w2, w3
                complete = False
                break
            # segment k begins at cut k; the last one goes on from time 0 to the first cut
            num_segments = max(num_cuts, 1)
            for k in range(num_segments):
                begin = cuts[k] if num_cuts else 0.0
                end = cuts[k + 1] if k + 1 < num_cuts else beta
                sums[k] = fields[i] * (end - begin)
            if num_cuts:
                sums[num_segments - 1] += fields[i] * cuts[0]
            for e in range(indptr[i], indptr[i + 1]):
                j = indices[e]
                value, now, kink, k = couplings[e] * firsts[r, j], 0.0, 0, 0
                segment = num_segments - 1
                while now < beta:
                    next_kink = times[r, j, kink] if kink < counts[r, j] else beta
                    next_cut = cuts[k] if k < num_cuts else beta
                    then = min(next_kink, next_cut)
                    sums[segment] += value * (then - now)
                    if next_cut <= next_kink:
                        segment = k
                        k += 1
                    else:
                        value = -value
                        kink += 1
                    now = then
            for k in range(num_segments):
                spins[k] = 1 if uniform(streams[r]) * (1.0 + math.exp(min(2.0 * sums[k], 700.0))) < 1.0 else -1
            firsts[r, i] = spins[num_segments - 1]
            kinks, before = 0, spins[num_segments - 1]
            for k in range(num_cuts):
                if spins[k] != before:
                    times[r, i, kinks] = cuts[k]
                    kinks += 1
                before = spins[k]
            counts[r, i] = kinks
            progress[r, 1] += 1
    return complete


@compiled
def overlap_worldlines(times, counts, firsts, heads, tails, beta, spins, pairs):
    """Write means over imaginary time: of spins (num_reads, num_variables) and of products along edges.

    pairs (num_reads, num_edges).
    """
    for r in range(times.shape[0]):
        for i in range(times.shape[1]):
            total, now, value = 0.0, 0.0, np.float64(firsts[r, i])
            for k in range(counts[r, i]):
                total += value * (times[r, i, k] - now)
                now, value = times[r, i, k], -value
            spins[r, i] = (total + value * (beta - now)) / beta
        for e in range(heads.shape[0]):
            i, j = heads[e], tails[e]
            total, now, value, k, m = 0.0, 0.0, np.float64(firsts[r, i] * firsts[r, j]), 0, 0
            while now < beta:
                next_i = times[r, i, k] if k < counts[r, i] else beta
                next_j = times[r, j, m] if m < counts[r, j] else beta
                then = min(next_i, next_j)
                total += value * (then - now)
                now, value = then, -value
                if next_i <= next_j:
                    k += 1
                else:
                    m += 1
            pairs[r, e] = total / beta
