"""Worldlines in continuous imaginary time, one read after another (Rieger & Kawashima 1999).

A worldline is a spin at time 0 and the times of its kinks, where it turns over. An update of worldline i cuts it at
its kinks and at as many more times as a Poisson process of rate gamma_i gives, and draws the spin of every segment
between two cuts from its heat bath: P(up) = 1 / (1 + exp(2 F)), F the integral of the local field over the segment.

Time runs from 0 to 1: fields, couplings and gammas come multiplied by beta. Arguments, the same for all kernels: times
(num_reads, num_variables, capacity) float64, each worldline's kinks in rising order within [0, 1); counts (num_reads,
num_variables) int32, how many; firsts (num_reads, num_variables) int8, spins at time 0. linear (num_variables,) and
couplings, by CSR of the symmetric matrix, in dimod's sign, and gammas (num_variables,), are float64.
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
    is_free,
    linear,
    indptr,
    indices,
    couplings,
    gammas,
    num_sweeps,
    progress,
    cuts,
    sums,
    spins,
):
    """Run sweeps over the worldlines that are free, in place; return whether all reads are done.

    streams (num_reads, 4). is_free (num_reads, num_variables) bool. progress (num_reads, 2) int64: sweeps done, and how
    far the next one is; a worldline with more cuts than there is room for is left as it was, and the read waits for a
    larger capacity.
    Scratch: cuts (capacity,), sums (capacity + 1,) float64, spins (capacity + 1,) int8.
    """
    capacity, complete = times.shape[2], True
    for r in range(times.shape[0]):
        while progress[r, 0] < num_sweeps:
            if progress[r, 1] == times.shape[1]:
                progress[r, 0] += 1
                progress[r, 1] = 0
                continue
            i = progress[r, 1]
            if not is_free[r, i]:
                progress[r, 1] += 1
                continue
            w0, w1, w2, w3 = streams[r, 0], streams[r, 1], streams[r, 2], streams[r, 3]
            # old and new cuts, merged
            num_cuts, old, full = 0, 0, False
            fresh = 1.0
            if gammas[i] > 0:
                fresh = -math.log1p(-uniform(streams[r])) / gammas[i]
            while old < counts[r, i] or fresh < 1.0:
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
                end = cuts[k + 1] if k + 1 < num_cuts else 1.0
                sums[k] = linear[i] * (end - begin)
            if num_cuts:
                sums[num_segments - 1] += linear[i] * cuts[0]
            for e in range(indptr[i], indptr[i + 1]):
                j = indices[e]
                value, now, kink, k = couplings[e] * firsts[r, j], 0.0, 0, 0
                segment = num_segments - 1
                while now < 1.0:
                    next_kink = times[r, j, kink] if kink < counts[r, j] else 1.0
                    next_cut = cuts[k] if k < num_cuts else 1.0
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
def overlap_worldlines(times, counts, firsts, heads, tails, spins, pairs):
    """Write means over imaginary time: of spins (num_reads, num_variables) and of products along edges.

    pairs (num_reads, num_edges).
    """
    for r in range(times.shape[0]):
        for i in range(times.shape[1]):
            total, now, value = 0.0, 0.0, np.float64(firsts[r, i])
            for k in range(counts[r, i]):
                total += value * (times[r, i, k] - now)
                now, value = times[r, i, k], -value
            spins[r, i] = total + value * (1.0 - now)
        for e in range(heads.shape[0]):
            i, j = heads[e], tails[e]
            total, now, value, k, m = 0.0, 0.0, np.float64(firsts[r, i] * firsts[r, j]), 0, 0
            while now < 1.0:
                next_i = times[r, i, k] if k < counts[r, i] else 1.0
                next_j = times[r, j, m] if m < counts[r, j] else 1.0
                then = min(next_i, next_j)
                total += value * (then - now)
                now, value = then, -value
                if next_i <= next_j:
                    k += 1
                else:
                    m += 1
            pairs[r, e] = total


@compiled
def continuous_transverse_means(
    times, counts, firsts, linear, indptr, indices, couplings, gammas, events, jumps, means
):
    """Write the mean of X_i given all other worldlines to means (num_reads, num_variables).

    It is d ln Z_i / d gamma_i, Z_i the trace of the product of exp(tau (gamma_i X - f Z)) over the pieces of time, of
    length tau, in which the local field f does not change. Scratch: events, jumps (longest,) float64, with room for
    the kinks of all neighbours of a variable.
    """
    for r in range(times.shape[0]):
        for i in range(times.shape[1]):
            local, num_events = linear[i], 0
            for k in range(indptr[i], indptr[i + 1]):
                j = indices[k]
                value = couplings[k] * firsts[r, j]
                local += value
                for m in range(counts[r, j]):
                    value = -value
                    events[num_events] = times[r, j, m]
                    jumps[num_events] = 2.0 * value
                    num_events += 1
            order = np.argsort(events[:num_events])
            gamma, now = gammas[i], 0.0
            p_uu, p_ud, p_du, p_dd = 1.0, 0.0, 0.0, 1.0
            d_uu, d_ud, d_du, d_dd = 0.0, 0.0, 0.0, 0.0
            for piece in range(num_events + 1):
                then = events[order[piece]] if piece < num_events else 1.0
                tau, e = then - now, math.hypot(local, gamma)
                # exp(tau (gamma X - f Z)) = c + s (gamma X - f Z), all over exp(tau e)
                decay = math.exp(-2.0 * tau * e)
                c = 0.5 * (1.0 + decay)
                if tau * e > 1e-4:
                    s = 0.5 * (1.0 - decay) / e
                    change_s = gamma * (tau * c - s) / (e * e)
                else:
                    # to second order in tau e
                    s = math.exp(-tau * e) * tau * (1.0 + (tau * e) ** 2 / 6.0)
                    change_s = math.exp(-tau * e) * gamma * tau**3 / 3.0
                change_c = gamma * tau * s
                a_uu, a_ud, a_dd = c - s * local, s * gamma, c + s * local
                b_uu, b_ud, b_dd = change_c - change_s * local, change_s * gamma + s, change_c + change_s * local
                d_uu, d_ud = (
                    d_uu * a_uu + d_ud * a_ud + p_uu * b_uu + p_ud * b_ud,
                    d_uu * a_ud + d_ud * a_dd + p_uu * b_ud + p_ud * b_dd,
                )
                d_du, d_dd = (
                    d_du * a_uu + d_dd * a_ud + p_du * b_uu + p_dd * b_ud,
                    d_du * a_ud + d_dd * a_dd + p_du * b_ud + p_dd * b_dd,
                )
                p_uu, p_ud = p_uu * a_uu + p_ud * a_ud, p_uu * a_ud + p_ud * a_dd
                p_du, p_dd = p_du * a_uu + p_dd * a_ud, p_du * a_ud + p_dd * a_dd
                most = 1.0 / max(p_uu, p_ud, p_du, p_dd)
                p_uu, p_ud, p_du, p_dd = most * p_uu, most * p_ud, most * p_du, most * p_dd
                d_uu, d_ud, d_du, d_dd = most * d_uu, most * d_ud, most * d_du, most * d_dd
                now = then
                if piece < num_events:
                    local += jumps[order[piece]]
            means[r, i] = (d_uu + d_dd) / (p_uu + p_dd)
