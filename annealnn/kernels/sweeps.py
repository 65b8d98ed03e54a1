"""Single-spin sweeps over tiles of reads.

Besides the arguments that `tiles` names:

- betas (num_sweeps,) and scales (num_tiles, 32) float32: in sweep k, read r has the inverse temperature
  betas[k] * scales[r];
- metropolis: False for heat bath, P(s_i = +1) = 1 / (1 + exp(2 beta f_i)), f_i the local field; True for Metropolis,
  where a flip that costs energy d is accepted with probability min(1, exp(-beta d)).

Local fields are summed in float32.
"""

import numpy as np

from annealnn.kernels._compile import compiled, inlined
from annealnn.kernels._functions import exponential2, keep, logarithm2
from annealnn.kernels._lanes import choose, flags_of, less, load, splat, store, word_of
from annealnn.kernels._random import derived_state, next_floats, next_word

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_TWO_LOG2_E = np.float32(2.0 / np.log(2.0))
_1, _2, _32 = np.uint64(1), np.uint64(2), np.uint64(32)


@inlined
def _decide(local, word, scale, u, metropolis):
    """Return the new spins of 32 reads, a word for a word; scale holds 2 beta / ln 2, u uniform floats."""
    x = scale * local
    if metropolis:
        # u < exp(-beta d) = 2**x, x of the old spin; the logarithm need not wait for the local field
        gain = choose(flags_of(word), x, splat(_ZERO) - x)
        return np.uint32(word ^ word_of(less(logarithm2(u), gain)))
    return word_of(less(u * (splat(_ONE) + exponential2(x)), splat(_ONE)))


@compiled
def sparse_sweeps(
    bits, streams, held, order, visited, dice, fields, indptr, indices, couplings, betas, scales, metropolis, at_random
):
    """Visit spins one after another; couplings by CSR.

    A sweep visits the spins of `order` (num_free,) in this order; or, `at_random`, as many times one of them drawn
    uniformly, the same for all reads of a tile. visited (num_free,) and dice (4,) uint32 are scratch.
    """
    some_held = held.shape[0] > 0
    for t in range(bits.shape[0]):
        visited[:] = order
        for beta in betas:
            if at_random:
                derived_state(streams, 4 * t, dice)
                for p in range(order.shape[0]):
                    visited[p] = order[(np.uint64(next_word(dice)) * np.uint64(order.shape[0])) >> _32]
            scale = splat(np.float32(_TWO_LOG2_E * beta)) * load(scales, t)
            for p in range(order.shape[0]):
                i = np.uint64(visited[p])
                # two sums, so that an addition waits less for the one before; unsigned, so that no index wraps around
                a, b = splat(fields[i]), splat(_ZERO)
                start, stop = np.uint64(indptr[i]), np.uint64(indptr[i + _1])
                odd = (stop - start) & _1
                for k in range(start, stop - odd, _2):
                    a = choose(flags_of(bits[t, np.uint64(indices[k])]), a + splat(couplings[k]), a)
                    b = choose(flags_of(bits[t, np.uint64(indices[k + _1])]), b + splat(couplings[k + _1]), b)
                if odd:
                    last = stop - _1
                    a = choose(flags_of(bits[t, np.uint64(indices[last])]), a + splat(couplings[last]), a)
                new = _decide(a + b, bits[t, i], scale, next_floats(streams, 4 * t), metropolis)
                bits[t, i] = keep(new, bits[t, i], held[t, i]) if some_held else new


@compiled
def block_sweeps(
    bits,
    streams,
    held,
    members,
    linked,
    is_free,
    fields,
    starts,
    columns,
    values,
    inner,
    scratch,
    betas,
    scales,
    metropolis,
):
    """Visit spins in blocks of eight, whose local fields are summed together: a spin that is read serves all eight.

    members (num_blocks, 8) int32, -1 where a block has fewer; linked (num_blocks,) uint8, 0 where none of a block are
    coupled to each other; is_free (num_spins,) uint8, 0 for spins to leave alone;
    fields (num_blocks, 8); entries starts[b] to starts[b + 1] of columns (num_entries,) name the spins outside block b
    that are coupled to some of it, and values (num_entries, 8) hold these couplings; inner (num_blocks, 8, 8) are the
    couplings inside. scratch (8, 32) float32.
    """
    some_held = held.shape[0] > 0
    for t in range(bits.shape[0]):
        for beta in betas:
            scale = splat(np.float32(_TWO_LOG2_E * beta)) * load(scales, t)
            for block in range(members.shape[0]):
                wanted = False
                for q in range(8):
                    wanted |= members[block, q] >= 0 and is_free[members[block, q]] != 0
                if not wanted:
                    continue
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
                for k in range(np.uint64(starts[block]), np.uint64(starts[block + 1])):
                    up = flags_of(bits[t, np.uint64(columns[k])])
                    a0 = choose(up, a0 + splat(values[k, 0]), a0)
                    a1 = choose(up, a1 + splat(values[k, 1]), a1)
                    a2 = choose(up, a2 + splat(values[k, 2]), a2)
                    a3 = choose(up, a3 + splat(values[k, 3]), a3)
                    a4 = choose(up, a4 + splat(values[k, 4]), a4)
                    a5 = choose(up, a5 + splat(values[k, 5]), a5)
                    a6 = choose(up, a6 + splat(values[k, 6]), a6)
                    a7 = choose(up, a7 + splat(values[k, 7]), a7)
                store(scratch, 0, a0)
                store(scratch, 1, a1)
                store(scratch, 2, a2)
                store(scratch, 3, a3)
                store(scratch, 4, a4)
                store(scratch, 5, a5)
                store(scratch, 6, a6)
                store(scratch, 7, a7)
                for q in range(8):
                    i = members[block, q]
                    if i < 0 or is_free[i] == 0:
                        continue
                    local = load(scratch, q)
                    if linked[block]:
                        for p in range(8):
                            if inner[block, q, p] != 0:
                                up = flags_of(bits[t, members[block, p]])
                                local = choose(up, local + splat(inner[block, q, p]), local)
                    new = _decide(local, bits[t, i], scale, next_floats(streams, 4 * t), metropolis)
                    bits[t, i] = keep(new, bits[t, i], held[t, i]) if some_held else new
