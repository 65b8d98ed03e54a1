"""Annealed importance sampling (Neal 2001) along E_t = E_0 + t D, t going from 0 to 1 or back.

E_0 has fields and no couplings. Between two values of t the log-weight of a read gains -(t' - t) D(s); then the read
makes a heat-bath sweep at t'. The first `num_summed` spins, of which no two are coupled, are summed out of the weights:
with all others v given, each turns its share -(t' - t) s_i L_i(v), L_i the local field of D, into
ln cosh(l_i(t')) - ln cosh(l_i(t)), l_i = the local field of E_t. That is the same ratio of marginal weights with less
spread; it holds because these spins are visited first, while v rests.

Besides the arguments that `tiles` names, fields and couplings being those of D:

- starts (num_spins, 32) float32, or (num_tiles num_spins, 32) with a row for each spin of each tile: fields of E_0;
- path (num_steps,) float32: the values of t; equal neighbours make a sweep at no weight;
- differences, log_weights (num_tiles, 32) float64: D of each read, kept up to date by the changes that sweeps make, and
  its log-weight. beta = 1.
"""

import numpy as np

from annealnn.kernels._compile import compiled, inlined
from annealnn.kernels._functions import exponential2, logarithm2_plus_one
from annealnn.kernels._lanes import choose, flags_of, less, load, splat, store, word_of
from annealnn.kernels._random import next_floats

_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_TWO_LOG2_E = np.float32(2.0 / np.log(2.0))
_LN2 = np.log(2.0)
_1, _2 = np.uint64(1), np.uint64(2)
# so many spins' terms are added up in float32 before they are in float64
_STRETCH = 16


@inlined
def _log2_cosh(x):
    """Return log2(2 cosh(x ln(2) / 2)), even in x."""
    size = choose(less(x, splat(_ZERO)), splat(_ZERO) - x, x)
    return splat(_HALF) * size + logarithm2_plus_one(exponential2(splat(_ZERO) - size))


@inlined
def _slope(local, start, t):
    """Return log2 of P(down) / P(up) at t; local is L_i, start the field of E_0."""
    return splat(_TWO_LOG2_E) * (start + splat(t) * local)


@inlined
def _drawn(x, u):
    """Return new spins of 32 reads, a word; x as `_slope` gives, u uniform floats."""
    return word_of(less(u * (splat(_ONE) + exponential2(x)), splat(_ONE)))


@inlined
def _rise(local, word, after):
    """Return half the change of D from old to new spins."""
    return choose(flags_of(after), local, splat(_ZERO)) - choose(flags_of(word), local, splat(_ZERO))


@compiled
def importance_sweeps(
    bits,
    streams,
    starts,
    num_summed,
    fields,
    indptr,
    indices,
    couplings,
    path,
    scratch,
    differences,
    log_weights,
):
    """Move reads along the path, spin after spin; couplings by CSR. scratch (3, 32) float32."""
    num_spins = bits.shape[1]
    stride = num_spins if starts.shape[0] > num_spins else 0
    for t in range(bits.shape[0]):
        for k in range(1, path.shape[0]):
            before, now = path[k - 1], path[k]
            step = np.float64(now) - np.float64(before)
            for r in range(32):
                log_weights[t, r] -= step * differences[t, r]
            rise, gain, own = splat(_ZERO), splat(_ZERO), splat(_ZERO)
            for i in range(np.uint64(num_spins)):
                a, b = splat(fields[i]), splat(_ZERO)
                start, stop = np.uint64(indptr[i]), np.uint64(indptr[i + _1])
                odd = (stop - start) & _1
                for e in range(start, stop - odd, _2):
                    a = choose(flags_of(bits[t, np.uint64(indices[e])]), a + splat(couplings[e]), a)
                    b = choose(flags_of(bits[t, np.uint64(indices[e + _1])]), b + splat(couplings[e + _1]), b)
                if odd:
                    last = stop - _1
                    a = choose(flags_of(bits[t, np.uint64(indices[last])]), a + splat(couplings[last]), a)
                local = a + b
                field, word = load(starts, t * stride + i), bits[t, i]
                x = _slope(local, field, now)
                after = _drawn(x, next_floats(streams, 4 * t))
                rise = rise + _rise(local, word, after)
                if i < num_summed:
                    gain = gain + (_log2_cosh(x) - _log2_cosh(_slope(local, field, before)))
                    own = own + choose(flags_of(word), local, splat(_ZERO) - local)
                bits[t, i] = after
                if i % _STRETCH == _STRETCH - 1 or i == num_spins - 1:
                    store(scratch, 0, rise)
                    store(scratch, 1, gain)
                    store(scratch, 2, own)
                    for r in range(32):
                        differences[t, r] += 2.0 * np.float64(scratch[0, r])
                        log_weights[t, r] += _LN2 * np.float64(scratch[1, r]) + step * np.float64(scratch[2, r])
                    rise, gain, own = splat(_ZERO), splat(_ZERO), splat(_ZERO)


@compiled
def importance_block_sweeps(
    bits,
    streams,
    starts,
    num_summed,
    members,
    fields,
    block_starts,
    columns,
    values,
    inner,
    path,
    scratch,
    differences,
    log_weights,
):
    """Do the same, visiting spins in blocks of eight; members to inner as in `block_sweeps`. scratch (11, 32)."""
    num_spins = bits.shape[1]
    stride = num_spins if starts.shape[0] > num_spins else 0
    for t in range(bits.shape[0]):
        for k in range(1, path.shape[0]):
            before, now = path[k - 1], path[k]
            step = np.float64(now) - np.float64(before)
            for r in range(32):
                log_weights[t, r] -= step * differences[t, r]
            for block in range(members.shape[0]):
                a0, a1, a2, a3 = (
                    splat(fields[block, 0]),
                    splat(fields[block, 1]),
                    splat(fields[block, 2]),
                    splat(fields[block, 3]),
                )
                a4, a5, a6, a7 = (
                    splat(fields[block, 4]),
                    splat(fields[block, 5]),
                    splat(fields[block, 6]),
                    splat(fields[block, 7]),
                )
                for e in range(np.uint64(block_starts[block]), np.uint64(block_starts[block + 1])):
                    up = flags_of(bits[t, np.uint64(columns[e])])
                    a0 = choose(up, a0 + splat(values[e, 0]), a0)
                    a1 = choose(up, a1 + splat(values[e, 1]), a1)
                    a2 = choose(up, a2 + splat(values[e, 2]), a2)
                    a3 = choose(up, a3 + splat(values[e, 3]), a3)
                    a4 = choose(up, a4 + splat(values[e, 4]), a4)
                    a5 = choose(up, a5 + splat(values[e, 5]), a5)
                    a6 = choose(up, a6 + splat(values[e, 6]), a6)
                    a7 = choose(up, a7 + splat(values[e, 7]), a7)
                store(scratch, 3, a0)
                store(scratch, 4, a1)
                store(scratch, 5, a2)
                store(scratch, 6, a3)
                store(scratch, 7, a4)
                store(scratch, 8, a5)
                store(scratch, 9, a6)
                store(scratch, 10, a7)
                rise, gain, own = splat(_ZERO), splat(_ZERO), splat(_ZERO)
                for q in range(8):
                    i = members[block, q]
                    if i < 0:
                        continue
                    local = load(scratch, 3 + q)
                    for p in range(8):
                        if inner[block, q, p] != 0:
                            up = flags_of(bits[t, members[block, p]])
                            local = choose(up, local + splat(inner[block, q, p]), local)
                    field, word = load(starts, t * stride + i), bits[t, i]
                    x = _slope(local, field, now)
                    after = _drawn(x, next_floats(streams, 4 * t))
                    rise = rise + _rise(local, word, after)
                    if i < num_summed:
                        gain = gain + (_log2_cosh(x) - _log2_cosh(_slope(local, field, before)))
                        own = own + choose(flags_of(word), local, splat(_ZERO) - local)
                    bits[t, i] = after
                store(scratch, 0, rise)
                store(scratch, 1, gain)
                store(scratch, 2, own)
                for r in range(32):
                    differences[t, r] += 2.0 * np.float64(scratch[0, r])
                    log_weights[t, r] += _LN2 * np.float64(scratch[1, r]) + step * np.float64(scratch[2, r])
