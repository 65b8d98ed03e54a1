"""xoshiro128++ (Blackman & Vigna 2021), one state of four words per read: alone, and for sixteen reads side by side."""

import numba as nb
import numpy as np

from annealnn.kernels._lanes import load, rotate_left, shift_left, shift_right, splat, store, to_floats

_5, _6, _7, _9, _11, _21, _25 = (np.uint32(k) for k in (5, 6, 7, 9, 11, 21, 25))
_HIGH, _SCALE = 2.0**26, 2.0**-53
_HALF, _STEP = np.float32(0.5), np.float32(2.0**-23)


@nb.njit(nogil=True, inline="always")
def next_word(state):
    """Advance `state` (4,) uint32 and return a word. Every step is cast back: numba widens 32 bits to 64."""
    s0, s1, s2, s3 = state[0], state[1], state[2], state[3]
    total = np.uint32(s0 + s3)
    word = np.uint32(np.uint32((total << _7) | (total >> _25)) + s0)
    shifted = np.uint32(s1 << _9)
    s2 = np.uint32(s2 ^ s0)
    s3 = np.uint32(s3 ^ s1)
    state[1] = np.uint32(s1 ^ s2)
    state[0] = np.uint32(s0 ^ s3)
    state[2] = np.uint32(s2 ^ shifted)
    state[3] = np.uint32((s3 << _11) | (s3 >> _21))
    return word


@nb.njit(nogil=True, inline="always")
def uniform(state):
    """Advance `state` (4,) uint32 by two words and return a double in [0, 1)."""
    high = np.float64(next_word(state) >> _5)
    low = np.float64(next_word(state) >> _6)
    return (high * _HIGH + low) * _SCALE


@nb.njit(nogil=True)
def next_floats(streams, half):
    """Advance sixteen states of streams (4, 32) and return a float strictly between 0 and 1 from each.

    The floats are the midpoints of 2**23 cells: none is 0, so that nothing of probability below 6e-8 ever happens.
    """
    s0, s1, s2, s3 = load(streams, 0, half), load(streams, 1, half), load(streams, 2, half), load(streams, 3, half)
    word = rotate_left(s0 + s3, 7) + s0
    shifted = shift_left(s1, 9)
    s2 = s2 ^ s0
    s3 = s3 ^ s1
    store(streams, 0, half, s0 ^ s3)
    store(streams, 1, half, s1 ^ s2)
    store(streams, 2, half, s2 ^ shifted)
    store(streams, 3, half, rotate_left(s3, 11))
    return (to_floats(shift_right(word, 9)) + splat(_HALF)) * splat(_STEP)
