"""What the neighbours of a spin do to it."""

import numba as nb


@nb.njit(nogil=True, inline="always")
def pull(s, i, indptr, indices, couplings):
    """Return sum_j J_ij s_j over the neighbours of spin i; s (num_spins,), CSR of the symmetric couplings."""
    total = 0.0
    for k in range(indptr[i], indptr[i + 1]):
        total += couplings[k] * s[indices[k]]
    return total
