"""Single-spin sweeps over a tile of 32 reads, side by side in vectors of 16.

Arguments, the same for all:

- spins (num_spins, 32) float32, values -1 and +1; streams (4, 32) uint32;
- order (num_free,) the variables to visit; fields (num_spins,) float32; couplings float32, as CSR of the symmetric
  matrix or dense (num_spins, num_spins) with a diagonal of zeros;
- betas (num_sweeps,) float32;
- metropolis: False for heat bath, P(s_i = +1) = 1 / (1 + exp(2 beta f_i)), f_i the local field; True for Metropolis,
  where a flip that costs energy d is accepted with probability min(1, exp(-beta d)).

Local fields are summed in float32.
"""

import numba as nb
import numpy as np

from annealnn.kernels._compile import compiled
from annealnn.kernels._lanes import add_product, choose_less, clamp, load, power_of_two, splat, store, total
from annealnn.kernels._random import next_floats, next_word, uniform

_ONE, _ZERO = np.float32(1.0), np.float32(0.0)
_TWO_LOG2_E = np.float32(2.0 / np.log(2.0))
# a float of this size keeps no fraction: adding it rounds to whole numbers
_ROUNDER = np.float32(1.5 * 2**23)
_LOW, _HIGH = np.float32(-126.0), np.float32(126.0)
# 2**r on [-1/2, 1/2] by 1 + c1 r + ... + c5 r**5, to a relative error of 2e-7 in float32: a minimax fit
_C1, _C2, _C3, _C4, _C5 = (np.float32(c) for c in (0.693147, 0.24022242, 0.055507336, 0.009671513, 0.0013264726))


@nb.njit(nogil=True)
def _exponential2(y):
    """Return 2**y of 16 floats, brought between 2**-126 and 2**126; relative error below 3e-7."""
    y = clamp(y, _LOW, _HIGH)
    whole = (y + splat(_ROUNDER)) - splat(_ROUNDER)
    r = y - whole
    p = splat(_C5) * r + splat(_C4)
    p = p * r + splat(_C3)
    p = p * r + splat(_C2)
    p = p * r + splat(_C1)
    p = p * r + splat(_ONE)
    return p * power_of_two(whole)


@nb.njit(nogil=True)
def _decide(local, old, scale, streams, half, metropolis):
    """Return the new spins of sixteen reads; scale holds 2 beta / ln 2."""
    one, u = splat(_ONE), next_floats(streams, half)
    if metropolis:
        return choose_less(u, _exponential2(scale * (old * local)), splat(_ZERO) - old, old)
    return choose_less(u * (one + _exponential2(scale * local)), one, one, splat(_ZERO) - one)


@compiled
def sparse_sweeps(spins, streams, order, fields, indptr, indices, couplings, betas, metropolis):
    """Run sweeps over a tile, in place; couplings by CSR."""
    for beta in betas:
        scale = splat(np.float32(_TWO_LOG2_E * beta))
        for i in order:
            a = splat(fields[i])
            b = a
            # unsigned, so that no index is taken from the end
            for k in range(np.uint64(indptr[i]), np.uint64(indptr[i + 1])):
                coupling, j = splat(couplings[k]), np.intp(indices[k])
                a = add_product(coupling, load(spins, j, 0), a)
                b = add_product(coupling, load(spins, j, 1), b)
            store(spins, i, 0, _decide(a, load(spins, i, 0), scale, streams, 0, metropolis))
            store(spins, i, 1, _decide(b, load(spins, i, 1), scale, streams, 1, metropolis))


@compiled
def dense_sweeps(spins, streams, order, fields, couplings, betas, metropolis):
    """Run sweeps over a tile, in place; couplings dense.

    Four spins at a time: their fields are summed together, so that a spin that is loaded serves four; then they are
    decided one after another, each passing its change on to the rest of the four.
    """
    n, whole = spins.shape[0], order.shape[0] - order.shape[0] % 4
    for beta in betas:
        scale = splat(np.float32(_TWO_LOG2_E * beta))
        for start in range(0, whole, 4):
            i0, i1, i2, i3 = order[start], order[start + 1], order[start + 2], order[start + 3]
            a0, a1, a2, a3 = splat(fields[i0]), splat(fields[i1]), splat(fields[i2]), splat(fields[i3])
            b0, b1, b2, b3 = a0, a1, a2, a3
            for j in range(n):
                x, y = load(spins, j, 0), load(spins, j, 1)
                c0, c1, c2, c3 = (
                    splat(couplings[i0, j]),
                    splat(couplings[i1, j]),
                    splat(couplings[i2, j]),
                    splat(couplings[i3, j]),
                )
                a0, b0 = add_product(c0, x, a0), add_product(c0, y, b0)
                a1, b1 = add_product(c1, x, a1), add_product(c1, y, b1)
                a2, b2 = add_product(c2, x, a2), add_product(c2, y, b2)
                a3, b3 = add_product(c3, x, a3), add_product(c3, y, b3)
            x, y = _change(spins, i0, a0, b0, scale, streams, metropolis)
            c1, c2, c3 = splat(couplings[i1, i0]), splat(couplings[i2, i0]), splat(couplings[i3, i0])
            a1, b1 = add_product(c1, x, a1), add_product(c1, y, b1)
            a2, b2 = add_product(c2, x, a2), add_product(c2, y, b2)
            a3, b3 = add_product(c3, x, a3), add_product(c3, y, b3)
            x, y = _change(spins, i1, a1, b1, scale, streams, metropolis)
            c2, c3 = splat(couplings[i2, i1]), splat(couplings[i3, i1])
            a2, b2 = add_product(c2, x, a2), add_product(c2, y, b2)
            a3, b3 = add_product(c3, x, a3), add_product(c3, y, b3)
            x, y = _change(spins, i2, a2, b2, scale, streams, metropolis)
            c3 = splat(couplings[i3, i2])
            a3, b3 = add_product(c3, x, a3), add_product(c3, y, b3)
            _change(spins, i3, a3, b3, scale, streams, metropolis)
        for i in order[whole:]:
            a = splat(fields[i])
            b = a
            for j in range(n):
                c = splat(couplings[i, j])
                a, b = add_product(c, load(spins, j, 0), a), add_product(c, load(spins, j, 1), b)
            _change(spins, i, a, b, scale, streams, metropolis)


@nb.njit(nogil=True)
def _change(spins, i, a, b, scale, streams, metropolis):
    """Decide spin i of a tile from its local fields a and b, and return by how much its two halves changed."""
    x, y = load(spins, i, 0), load(spins, i, 1)
    new_x = _decide(a, x, scale, streams, 0, metropolis)
    new_y = _decide(b, y, scale, streams, 1, metropolis)
    store(spins, i, 0, new_x)
    store(spins, i, 1, new_y)
    return new_x - x, new_y - y


@compiled
def pack_tile(reads, read_streams, spins, streams):
    """Copy up to 32 reads (num_reads, num_spins) int8 and their streams (num_reads, 4) into a tile; the rest is up."""
    num_reads, n = reads.shape
    for i in range(n):
        for r in range(num_reads):
            spins[i, r] = reads[r, i]
        for r in range(num_reads, spins.shape[1]):
            spins[i, r] = _ONE
    for k in range(4):
        for r in range(num_reads):
            streams[k, r] = read_streams[r, k]
        for r in range(num_reads, streams.shape[1]):
            streams[k, r] = np.uint32(k + 1)


@compiled
def unpack_tile(spins, streams, reads, read_streams):
    """Copy a tile back into its reads and their streams."""
    num_reads, n = reads.shape
    for r in range(num_reads):
        for i in range(n):
            reads[r, i] = np.int8(spins[i, r])
        for k in range(4):
            read_streams[r, k] = streams[k, r]


@compiled
def random_spins(spins, streams, order):
    """Draw the spins named in `order` uniformly; spins (num_reads, num_spins) int8, streams (num_reads, 4)."""
    for r in range(spins.shape[0]):
        for i in order:
            spins[r, i] = 1 if next_word(streams[r]) < np.uint32(0x80000000) else -1


@compiled
def fill_uniforms(streams, out):
    """Draw doubles in [0, 1) from every stream (num_reads, 4) into out (num_reads, count)."""
    for r in range(streams.shape[0]):
        for k in range(out.shape[1]):
            out[r, k] = uniform(streams[r])


@compiled
def sum_moments(spins, kept, heads, tails, spin_sums, pair_sums):
    """Add up spins and products along edges over the reads of a tile, in place.

    kept (1, 32) float32, 1 in columns that hold a read and 0 in others; heads, tails (num_edges,);
    spin_sums (num_spins,) and pair_sums (num_edges,) int64.
    """
    a, b = load(kept, 0, 0), load(kept, 0, 1)
    for i in range(spins.shape[0]):
        spin_sums[i] += np.int64(total(a * load(spins, i, 0) + b * load(spins, i, 1)))
    for e in range(heads.shape[0]):
        head, tail = heads[e], tails[e]
        x = a * load(spins, head, 0) * load(spins, tail, 0)
        y = b * load(spins, head, 1) * load(spins, tail, 1)
        pair_sums[e] += np.int64(total(x + y))
