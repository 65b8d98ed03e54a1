"""Sweeps over worldlines: path-integral Monte Carlo of Eq. (1) in discrete imaginary time.

A worldline is what a spin does along imaginary time: num_slices spins, periodic. In a tile, slice m of variable i is
column i * num_slices + m of bits. The weight of a configuration is exp(-S),

S = dtau sum_m E(s_m) - K sum_{i,m} s_{i,m} s_{i,m+1},  dtau = beta / num_slices,  exp(-2 K) = tanh(dtau gamma_i)

(Suzuki 1976). An update draws a whole worldline from its distribution given all others: it is an Ising chain in a
field, which a transfer matrix of two by two sums up from its end to its beginning, and from which its spins are then
drawn one after another. Nothing freezes as dtau gamma becomes small.

Besides the arguments that `tiles` names (fields and couplings are those of a slice; held (num_tiles, num_variables) is
of whole worldlines):

- betas, ramps (num_sweeps,) and scales, gamma_scales (num_tiles, 32) float32: in sweep k, read r has the inverse
  temperature betas[k] * scales[r] and the transverse fields gammas * ramps[k] * gamma_scales[r];
- gammas (num_variables,) float32, at least 0.
"""

import math

import numpy as np

from annealnn.kernels._compile import compiled, inlined
from annealnn.kernels._functions import exponential2, hyperbolic_tangent, keep
from annealnn.kernels._lanes import (
    choose,
    clamp,
    count,
    exponent,
    flags_of,
    less,
    load,
    power_of_two,
    splat,
    store,
    word_of,
)
from annealnn.kernels._random import next_floats

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_NONE = np.uint32(0)
_LOW, _HIGH = np.float32(-126.0), np.float32(126.0)
_TWO_LOG2_E = np.float32(2.0 / np.log(2.0))
_1 = np.uint64(1)


@inlined
def _draw_worldline(bits, streams, t, i, slices, hop, pinned, held, scratch):
    """Draw worldline i of tile t from its distribution given all others; its slice 0 stays if it is `pinned`.

    Row 4 m of scratch holds log2 of P(down) / P(up) of slice m for itself, 2 dtau f / ln 2; all rows are written over.
    hop is tanh(dtau gamma); in the reads of held, a word, the line stays as it is.
    """
    one, zero = splat(_ONE), splat(_ZERO)
    # up_u is the weight of all that follows a slice that is up, if slice 0 is up as well: after the last slice the
    # worldline comes back to slice 0. down_u: if slice 0 is down, and so on
    up_u, up_d, down_u, down_d = one, hop, hop, one
    lift = zero
    for back in range(slices):
        m = slices - _1 - back
        # exp(-dtau E) of the two spins, the larger one brought to 1
        x = load(scratch, 4 * m)
        falls = less(zero, x)
        weight = exponential2(choose(falls, zero - x, x))
        w_up, w_down = choose(falls, weight, one), choose(falls, one, weight)
        up_u, up_d = w_up * up_u, w_down * up_d
        down_u, down_d = w_up * down_u, w_down * down_d
        store(scratch, 4 * m, up_u)
        store(scratch, 4 * m + _1, up_d)
        store(scratch, 4 * m + np.uint64(2), down_u)
        store(scratch, 4 * m + np.uint64(3), down_d)
        if m > 0:
            up_u, up_d = up_u + hop * up_d, hop * up_u + up_d
            down_u, down_d = down_u + hop * down_d, hop * down_u + down_d
            # each pair by a power of two, so that the larger one stays near 1; lift has the difference
            most = exponent(choose(less(up_u, up_d), up_d, up_u))
            factor = power_of_two(zero - most)
            up_u, up_d, lift = factor * up_u, factor * up_d, lift + most
            most = exponent(choose(less(down_u, down_d), down_d, down_u))
            factor = power_of_two(zero - most)
            down_u, down_d, lift = factor * down_u, factor * down_d, lift - most
    if not pinned:
        up_u = up_u * power_of_two(clamp(lift, _LOW, _HIGH))
        first_up = word_of(less(next_floats(streams, 4 * t) * (up_u + down_d), up_u))
        bits[t, i * slices] = keep(first_up, bits[t, i * slices], held)
    else:
        first_up = bits[t, i * slices]
    # in reads that hold the line, what follows is drawn for nothing
    before = first_up
    for later in range(_1, slices):
        ups = flags_of(first_up)
        w_up = choose(ups, load(scratch, 4 * later), load(scratch, 4 * later + np.uint64(2)))
        w_down = choose(ups, load(scratch, 4 * later + _1), load(scratch, 4 * later + np.uint64(3)))
        ups = flags_of(before)
        w_up, w_down = choose(ups, w_up, hop * w_up), choose(ups, hop * w_down, w_down)
        before = word_of(less(next_floats(streams, 4 * t) * (w_up + w_down), w_up))
        column = i * slices + later
        bits[t, column] = keep(before, bits[t, column], held)


@compiled
def worldline_sweeps(
    bits,
    streams,
    held,
    order,
    fields,
    indptr,
    indices,
    couplings,
    gammas,
    betas,
    ramps,
    scales,
    gamma_scales,
    num_slices,
    scratch,
):
    """Visit the worldlines of `order` (num_free,) one after another, in every sweep; couplings by CSR.

    scratch (4 num_slices, 32) float32.
    """
    slices, zero = np.uint64(num_slices), splat(_ZERO)
    some_held = held.shape[0] > 0
    for t in range(bits.shape[0]):
        for k in range(betas.shape[0]):
            dtau = splat(np.float32(betas[k] / np.float32(num_slices))) * load(scales, t)
            ramp = splat(ramps[k]) * load(gamma_scales, t)
            scale = splat(_TWO_LOG2_E) * dtau
            for visit in range(order.shape[0]):
                i = np.uint64(order[visit])
                start, stop = np.uint64(indptr[i]), np.uint64(indptr[i + _1])
                hop = hyperbolic_tangent(dtau * (ramp * splat(gammas[i])))
                for m in range(slices):
                    a, b = splat(fields[i]), zero
                    for e in range(start, stop - ((stop - start) & _1), 2):
                        first, second = np.uint64(indices[e]), np.uint64(indices[e + _1])
                        a = choose(flags_of(bits[t, first * slices + m]), a + splat(couplings[e]), a)
                        b = choose(flags_of(bits[t, second * slices + m]), b + splat(couplings[e + _1]), b)
                    if (stop - start) & _1:
                        last = np.uint64(indices[stop - _1])
                        a = choose(flags_of(bits[t, last * slices + m]), a + splat(couplings[stop - _1]), a)
                    store(scratch, 4 * m, scale * (a + b))
                mine = held[t, i] if some_held else _NONE
                _draw_worldline(bits, streams, t, i, slices, hop, False, mine, scratch)


@compiled
def worldline_importance_sweeps(
    bits,
    streams,
    starts,
    is_pinned,
    fields,
    indptr,
    indices,
    couplings,
    hops,
    path,
    num_slices,
    scratch,
    differences,
    log_weights,
):
    """Move reads along E_t = E_0 + t D as in `importance`, E_0 and D being means over the slices; beta = 1.

    starts (num_variables,) float32: fields of E_0; fields and couplings, by CSR, are those of D. is_pinned
    (num_variables,) uint8: 1 where slice 0 of a worldline stays as it is. hops (num_variables,) float32:
    tanh(gamma_i / num_slices). path (num_steps,) float32; scratch (5 num_slices, 32) float32; differences, log_weights
    (num_tiles, 32) float64.
    """
    slices, zero = np.uint64(num_slices), splat(_ZERO)
    dtau = 1.0 / num_slices
    scale = splat(np.float32(_TWO_LOG2_E * dtau))
    for t in range(bits.shape[0]):
        for k in range(1, path.shape[0]):
            step = np.float64(path[k]) - np.float64(path[k - 1])
            for r in range(32):
                log_weights[t, r] -= step * differences[t, r]
            for i in range(np.uint64(hops.shape[0])):
                start, stop = np.uint64(indptr[i]), np.uint64(indptr[i + _1])
                rise = zero
                for m in range(slices):
                    a, b = splat(fields[i]), zero
                    for e in range(start, stop - ((stop - start) & _1), 2):
                        first, second = np.uint64(indices[e]), np.uint64(indices[e + _1])
                        a = choose(flags_of(bits[t, first * slices + m]), a + splat(couplings[e]), a)
                        b = choose(flags_of(bits[t, second * slices + m]), b + splat(couplings[e + _1]), b)
                    if (stop - start) & _1:
                        last = np.uint64(indices[stop - _1])
                        a = choose(flags_of(bits[t, last * slices + m]), a + splat(couplings[stop - _1]), a)
                    local = a + b
                    store(scratch, 4 * m, scale * (splat(starts[i]) + splat(path[k]) * local))
                    store(scratch, 4 * slices + m, local)
                    rise = rise - choose(flags_of(bits[t, i * slices + m]), local, zero)
                _draw_worldline(bits, streams, t, i, slices, splat(hops[i]), is_pinned[i] != 0, _NONE, scratch)
                for m in range(slices):
                    rise = rise + choose(flags_of(bits[t, i * slices + m]), load(scratch, 4 * slices + m), zero)
                store(scratch, 0, rise)
                for r in range(32):
                    differences[t, r] += 2.0 * dtau * np.float64(scratch[0, r])


@compiled
def sum_worldlines(bits, kept, heads, tails, num_slices, spin_sums, pair_sums):
    """Add up spins and products along edges over all slices of the reads of all tiles, in place.

    kept (num_tiles,) uint32: bits 1 for columns that hold a read; heads, tails (num_edges,); spin_sums
    (num_variables,) and pair_sums (num_edges,) int64.
    """
    for t in range(bits.shape[0]):
        mask = kept[t]
        total = np.int64(count(mask)) * num_slices
        for i in range(spin_sums.shape[0]):
            ups = np.int64(0)
            for m in range(num_slices):
                ups += np.int64(count(bits[t, i * num_slices + m] & mask))
            spin_sums[i] += 2 * ups - total
        for e in range(heads.shape[0]):
            head, tail, unlike = heads[e] * num_slices, tails[e] * num_slices, np.int64(0)
            for m in range(num_slices):
                unlike += np.int64(count((bits[t, head + m] ^ bits[t, tail + m]) & mask))
            pair_sums[e] += total - 2 * unlike


@compiled
def count_kinks(bits, num_slices, kinks):
    """Write the number of kinks of every read, of all its worldlines, to kinks (num_tiles, 32) float64.

    A kink is a bond in time between unlike spins.
    """
    for t in range(bits.shape[0]):
        kinks[t] = 0.0
        for i in range(bits.shape[1] // num_slices):
            for m in range(num_slices):
                unlike = bits[t, i * num_slices + m] ^ bits[t, i * num_slices + (m + 1) % num_slices]
                for r in range(32):
                    kinks[t, r] += np.float64((unlike >> np.uint32(r)) & np.uint32(1))


@compiled
def average_worldlines(worldlines, heads, tails, spins, pairs):
    """Write means over the slices of worldlines (num_reads, num_variables, num_slices) int8.

    spins (num_reads, num_variables) and pairs (num_reads, num_edges) of products along edges, float32.
    """
    num_slices = worldlines.shape[2]
    one = np.float32(1.0) / np.float32(num_slices)
    for r in range(worldlines.shape[0]):
        for i in range(worldlines.shape[1]):
            total = 0
            for m in range(num_slices):
                total += worldlines[r, i, m]
            spins[r, i] = np.float32(total) * one
        for e in range(heads.shape[0]):
            total = 0
            for m in range(num_slices):
                total += worldlines[r, heads[e], m] * worldlines[r, tails[e], m]
            pairs[r, e] = np.float32(total) * one


@compiled
def transverse_means(worldlines, linear, indptr, indices, couplings, hops, dtau, means):
    """Write the mean of X_i given all other worldlines to means (num_reads, num_variables), in float64.

    With t = hops[i] = tanh(dtau gamma_i) and Z_i the trace of the line's transfer matrices, it is
    t (1 - t Z_i' / (M Z_i)) + Z_i' / (M Z_i), Z_i' = dZ_i / dt: a bond between like spins counts t, one between
    unlike spins 1 / t. linear (num_variables,), couplings by CSR of the symmetric matrix, dimod's sign.
    """
    num_slices = worldlines.shape[2]
    for r in range(worldlines.shape[0]):
        for i in range(worldlines.shape[1]):
            t = hops[i]
            # P = product of matrices, rows and columns up, down; D = its derivative
            p_uu, p_ud, p_du, p_dd = 1.0, 0.0, 0.0, 1.0
            d_uu, d_ud, d_du, d_dd = 0.0, 0.0, 0.0, 0.0
            for m in range(num_slices):
                local = linear[i]
                for k in range(indptr[i], indptr[i + 1]):
                    local += couplings[k] * worldlines[r, indices[k], m]
                weight = math.exp(-2.0 * dtau * abs(local))
                up, down = (weight, 1.0) if local > 0.0 else (1.0, weight)
                # times diag(up, down), then times ((1, t), (t, 1))
                d_uu, d_ud, d_du, d_dd = up * d_uu, down * d_ud, up * d_du, down * d_dd
                p_uu, p_ud, p_du, p_dd = up * p_uu, down * p_ud, up * p_du, down * p_dd
                d_uu, d_ud = d_uu + t * d_ud + p_ud, t * d_uu + d_ud + p_uu
                d_du, d_dd = d_du + t * d_dd + p_dd, t * d_du + d_dd + p_du
                p_uu, p_ud = p_uu + t * p_ud, t * p_uu + p_ud
                p_du, p_dd = p_du + t * p_dd, t * p_du + p_dd
                most = 1.0 / max(p_uu, p_ud, p_du, p_dd)
                p_uu, p_ud, p_du, p_dd = most * p_uu, most * p_ud, most * p_du, most * p_dd
                d_uu, d_ud, d_du, d_dd = most * d_uu, most * d_ud, most * d_du, most * d_dd
            slope = (d_uu + d_dd) / (p_uu + p_dd) / num_slices
            means[r, i] = t * (1.0 - t * slope) + slope
