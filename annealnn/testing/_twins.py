"""Slow readable twins of the kernels: plain Python, dense couplings, the same draws in the same order."""

import math
from itertools import pairwise

import numpy as np

from annealnn.typing import AnyArray, Floats, Floats32, Indices, Spins, Words

_MASK = (1 << 32) - 1
_C = [np.float32(c) for c in (1.0, 0.693147, 0.24022242, 0.055507336, 0.009671513, 0.0013264726)]


def _rotated(word: int, k: int) -> int:
    return ((word << k) | (word >> (32 - k))) & _MASK


def next_word_reference(state: Words) -> int:
    """Advance a xoshiro128++ state (4,) and return its word."""
    s = [int(word) for word in state]
    out = (_rotated((s[0] + s[3]) & _MASK, 7) + s[0]) & _MASK
    shifted = (s[1] << 9) & _MASK
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= shifted
    s[3] = _rotated(s[3], 11)
    state[:] = s
    return out


def uniform_reference(state: Words) -> float:
    """Advance a state by two words and return a double in [0, 1), 27 bits of the first and 26 of the second."""
    high, low = next_word_reference(state) >> 5, next_word_reference(state) >> 6
    return ((high << 26) + low) * 2.0**-53


def next_floats_reference(streams: Words, half: int) -> Floats32:
    """Twin of `next_floats`: midpoints of 2**23 cells of (0, 1), one for each of sixteen columns of streams."""
    columns = streams.T[16 * half : 16 * half + 16]
    return np.array([((next_word_reference(c) >> 9) + 0.5) * 2.0**-23 for c in columns], np.float32)


def random_spins_reference(spins: Spins, streams: Words, order: Indices) -> None:
    """Twin of `random_spins`: up if the highest bit of a word is 0."""
    for s, stream in zip(spins, streams, strict=True):
        for i in order:
            s[i] = 1 if next_word_reference(stream) >> 31 == 0 else -1


def fill_uniforms_reference(streams: Words, out: Floats) -> None:
    """Twin of `fill_uniforms`."""
    for row, stream in zip(out, streams, strict=True):
        row[:] = [uniform_reference(stream) for _ in row]


def _power_of_two(y: np.float32) -> np.float32:
    """2**y in the kernels' own arithmetic: the whole part exactly, the rest by a polynomial in float32."""
    y = min(max(y, np.float32(-126)), np.float32(126))
    whole = np.float32(round(float(y)))
    r = y - whole
    p = _C[5]
    for c in reversed(_C[:5]):
        p = p * r + c
    return np.float32(p * np.float32(2.0 ** int(whole)))


def _sweeps(
    spins: Floats32, streams: Words, order: Indices, fields: Floats, J: Floats, betas: Floats, metropolis: bool
) -> None:
    """Sweep a tile, one column after another; the local field f = fields + J s is rounded to float32 once."""
    one = np.float32(1)
    for s, stream in zip(spins.T, streams.T, strict=True):
        for beta in betas:
            scale = np.float32(np.float32(2 / math.log(2)) * np.float32(beta))
            for i in order:
                local = np.float32(fields[i] + J[i] @ s.astype(np.float64))
                u = np.float32(((next_word_reference(stream) >> 9) + 0.5) * 2.0**-23)
                if metropolis:
                    s[i] = -s[i] if u < _power_of_two(scale * (s[i] * local)) else s[i]
                else:
                    s[i] = 1 if u * (one + _power_of_two(scale * local)) < one else -1


def sparse_sweeps_reference(
    spins: Floats32, streams: Words, order: Indices, fields: Floats, J: Floats, betas: Floats, metropolis: bool
) -> None:
    """Twin of `sparse_sweeps`, couplings dense."""
    _sweeps(spins, streams, order, fields, J, betas, metropolis)


def dense_sweeps_reference(
    spins: Floats32, streams: Words, order: Indices, fields: Floats, J: Floats, betas: Floats, metropolis: bool
) -> None:
    """Twin of `dense_sweeps`: blocks of four do not show."""
    _sweeps(spins, streams, order, fields, J, betas, metropolis)


def pack_tile_reference(reads: Spins, read_streams: Words, spins: Floats32, streams: Words) -> None:
    """Twin of `pack_tile`: transpose; columns without a read are up, their streams 1, 2, 3, 4."""
    spins[:] = 1
    streams[:] = np.arange(1, 5)[:, None]
    spins[:, : len(reads)] = reads.T
    streams[:, : len(reads)] = read_streams.T


def unpack_tile_reference(spins: Floats32, streams: Words, reads: Spins, read_streams: Words) -> None:
    """Twin of `unpack_tile`: transpose back."""
    reads[:] = spins.T[: len(reads)]
    read_streams[:] = streams.T[: len(reads)]


def sum_moments_reference(
    spins: Floats32, kept: Floats32, heads: Indices, tails: Indices, spin_sums: AnyArray, pair_sums: AnyArray
) -> None:
    """Twin of `sum_moments`: over the columns that are kept."""
    reads = spins[:, kept[0] > 0].astype(np.int64)
    spin_sums += reads.sum(axis=1)
    pair_sums += (reads[heads] * reads[tails]).sum(axis=1)


def annealed_importance_sweeps_reference(
    spins: Spins, streams: Words, start_fields: Floats, fields: Floats, J: Floats, path: Floats, log_weights: Floats
) -> None:
    """Twin of `annealed_importance_sweeps`: log w -= (t_k - t_{k-1}) (E_final - E_start)(s) before each sweep."""
    for r, (s, stream) in enumerate(zip(spins, streams, strict=True)):
        for before, t in pairwise(path):
            wide = s.astype(np.float64)
            difference = (fields - start_fields) @ wide + 0.5 * wide @ J @ wide
            log_weights[r] -= (t - before) * difference
            for i in range(len(s)):
                local = (1.0 - t) * start_fields[i] + t * (fields[i] + J[i] @ s)
                s[i] = 1 if uniform_reference(stream) * (1.0 + math.exp(2.0 * local)) < 1.0 else -1
