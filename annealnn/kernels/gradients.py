"""What gradients of a log-likelihood are made of."""

import numpy as np

from annealnn.kernels._compile import compiled, inlined
from annealnn.kernels._functions import hyperbolic_tangent
from annealnn.kernels._lanes import choose, less, load, multiply_add, splat, store

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
# so many rows are added up in float32 before they are in float64
_STRETCH = 128


@compiled
def centre_gradient(edges, offsets, fields, couplings):
    """Turn a gradient into that of centred spins s - mu, as a step of the parameters as they are, in place.

    c_ij = g_ij - mu_i g_j - mu_j g_i on each edge, and g_i - sum_j mu_j c_ij on each spin (Montavon & Mueller 2012).
    edges (num_edges, 2); offsets mu (num_spins,), fields g_i (num_spins,) and couplings g_ij (num_edges,) float64.
    """
    before = fields.copy()
    # of edges that begin at one spin after another, its share is summed first
    head, share = np.uint64(0), 0.0
    for e in range(edges.shape[0]):
        # unsigned, so that no index wraps around
        i, j = np.uint64(edges[e, 0]), np.uint64(edges[e, 1])
        if i != head:
            fields[head] -= share
            head, share = i, 0.0
        step = couplings[e] - offsets[i] * before[j] - offsets[j] * before[i]
        couplings[e] = step
        share += step * offsets[j]
        fields[j] -= step * offsets[i]
    fields[head] -= share


@inlined
def _tangent(x):
    """Return tanh(x)."""
    negative = less(x, splat(_ZERO))
    size = hyperbolic_tangent(choose(negative, splat(_ZERO) - x, x))
    return choose(negative, splat(_ZERO) - size, size)


@compiled
def hidden_moments(spins, num_visible, fields, couplings, spin_means, pair_means):
    """Write means over rows: of visible spins, of the means of hidden spins, and of products of the two.

    The means are m_j = tanh(h_j + sum_i J_ij s_i) over the visible spins, in float32; 32 of them side by side, and four
    rows at a time.

    spins (num_rows, at least num_visible) int8, visible ones first; fields h (num_visible + num_hidden,) and couplings
    J (num_visible * num_hidden,) float64 in Eq. (1)'s sign; spin_means and pair_means float64, of their shapes.
    """
    num_rows, num_hidden, length = spins.shape[0], fields.shape[0] - num_visible, num_visible + 1
    # a group for each 32 hidden units; its last row is for fields, as if for a spin that is always up
    num_groups = -(-num_hidden // 32)
    weights = np.zeros((num_groups * length, 32), np.float32)
    sums = np.empty((num_groups * length, 32), np.float32)
    four = np.zeros((4, length), np.float32)
    spin_means[:] = 0.0
    pair_means[:] = 0.0
    for g in range(num_groups):
        width = min(32, num_hidden - 32 * g)
        for i in range(num_visible):
            some, row = couplings[i * num_hidden + 32 * g :], weights[g * length + i]
            for k in range(width):
                row[k] = some[k]
        for k in range(width):
            weights[g * length + num_visible, k] = fields[num_visible + 32 * g + k]
    for begin in range(0, num_rows, _STRETCH):
        sums[:] = _ZERO
        for r in range(begin, min(begin + _STRETCH, num_rows), 4):
            # past the last row all is 0, and so are the means
            four[:] = _ZERO
            for q in range(min(4, num_rows - r)):
                some, row = spins[r + q], four[q]
                for i in range(num_visible):
                    row[i] = some[i]
                row[num_visible] = _ONE
            for g in range(num_groups):
                first = g * length
                m0, m1, m2, m3 = splat(_ZERO), splat(_ZERO), splat(_ZERO), splat(_ZERO)
                for i in range(length):
                    weight = load(weights, first + i)
                    m0 = multiply_add(weight, splat(four[0, i]), m0)
                    m1 = multiply_add(weight, splat(four[1, i]), m1)
                    m2 = multiply_add(weight, splat(four[2, i]), m2)
                    m3 = multiply_add(weight, splat(four[3, i]), m3)
                m0, m1, m2, m3 = _tangent(m0), _tangent(m1), _tangent(m2), _tangent(m3)
                for i in range(length):
                    total = multiply_add(m0, splat(four[0, i]), load(sums, first + i))
                    total = multiply_add(m1, splat(four[1, i]), total)
                    total = multiply_add(m2, splat(four[2, i]), total)
                    store(sums, first + i, multiply_add(m3, splat(four[3, i]), total))
        for g in range(num_groups):
            width = min(32, num_hidden - 32 * g)
            for i in range(num_visible):
                some, row = pair_means[i * num_hidden + 32 * g :], sums[g * length + i]
                for k in range(width):
                    some[k] += row[k]
            for k in range(width):
                spin_means[num_visible + 32 * g + k] += sums[g * length + num_visible, k]
    for r in range(num_rows):
        for i in range(num_visible):
            spin_means[i] += spins[r, i]
    scale = 1.0 / num_rows
    for i in range(spin_means.shape[0]):
        spin_means[i] *= scale
    for e in range(pair_means.shape[0]):
        pair_means[e] *= scale
