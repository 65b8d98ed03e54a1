"""xoshiro256++ (Blackman & Vigna 2021), one state of four words per read."""

import numba as nb
import numpy as np

_R1 = np.uint64(17)
_R45 = np.uint64(45)
_R19 = np.uint64(19)
_R23 = np.uint64(23)
_R41 = np.uint64(41)
_SHIFT = np.uint64(11)
_SCALE = 2.0**-53


@nb.njit(nogil=True, inline="always")
def uniform(state):
    """Advance `state` (4,) uint64 and return a double in [0, 1)."""
    s0, s1, s2, s3 = state[0], state[1], state[2], state[3]
    word = s0 + s3
    word = ((word << _R23) | (word >> _R41)) + s0
    shifted = s1 << _R1
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = (s3 << _R45) | (s3 >> _R19)
    state[0], state[1], state[2], state[3] = s0, s1, s2, s3
    return (word >> _SHIFT) * _SCALE
