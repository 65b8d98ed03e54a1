"""xoshiro128++ (Blackman & Vigna 2021), one state of four words per read: alone, and for 32 reads side by side."""

import numba as nb
import numpy as np

from annealnn.kernels._compile import inlined
from annealnn.kernels._lanes import load, rotate_left, shift_left, shift_right, splat, store, to_floats

_5, _6, _7, _9, _11, _21, _25 = (np.uint32(k) for k in (5, 6, 7, 9, 11, 21, 25))
_GOLDEN, _LOW_HALF = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xFFFFFFFF)
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


@inlined
def _mixed(z):
    """Return a word of 64 bits, mixed (splitmix64)."""
    z = np.uint64((z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9))
    z = np.uint64((z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB))
    return np.uint64(z ^ (z >> np.uint64(31)))


@inlined
def derived_state(streams, row, state):
    """Write to state (4,) a generator state that follows from that of the first read, and does not move it on."""
    for k in range(2):
        low, high = np.uint64(streams[row + 2 * k, 0]), np.uint64(streams[row + 2 * k + 1, 0])
        word = _mixed(np.uint64(low | (high << np.uint64(32))) + _GOLDEN)
        state[2 * k], state[2 * k + 1] = np.uint32(word & _LOW_HALF), np.uint32(word >> np.uint64(32))


@inlined
def next_floats(streams, row):
    """Advance 32 states, rows row .. row+3 of streams, and return a float strictly between 0 and 1 from each.

    The floats are the midpoints of 2**23 cells: none is 0, so that nothing of probability below 6e-8 ever happens.
    """
    s0, s1, s2, s3 = load(streams, row), load(streams, row + 1), load(streams, row + 2), load(streams, row + 3)
    word = rotate_left(s0 + s3, 7) + s0
    shifted = shift_left(s1, 9)
    s2 = s2 ^ s0
    s3 = s3 ^ s1
    store(streams, row, s0 ^ s3)
    store(streams, row + 1, s1 ^ s2)
    store(streams, row + 2, s2 ^ shifted)
    store(streams, row + 3, rotate_left(s3, 11))
    return (to_floats(shift_right(word, 9)) + splat(_HALF)) * splat(_STEP)
