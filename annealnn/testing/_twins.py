"""Slow readable twins of the kernels: plain Python, dense couplings, the same draws in the same order."""

import math
from itertools import pairwise

import numpy as np

from annealnn.typing import AnyArray, Floats, Indices, Spins, Words

_MASK = (1 << 64) - 1


def _rotated(word: int, k: int) -> int:
    return ((word << k) | (word >> (64 - k))) & _MASK


def uniform_reference(state: Words) -> float:
    """Advance a xoshiro256++ state (4,) and return a double in [0, 1)."""
    s = [int(word) for word in state]
    out = (_rotated((s[0] + s[3]) & _MASK, 23) + s[0]) & _MASK
    shifted = (s[1] << 17) & _MASK
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= shifted
    s[3] = _rotated(s[3], 45)
    state[:] = s
    return (out >> 11) * 2.0**-53


def pull_reference(s: Spins, i: int, J: Floats) -> float:
    """Twin of `pull`: row i of J times s."""
    return float(J[i] @ s)


def random_spins_reference(spins: Spins, streams: Words, order: Indices) -> None:
    """Twin of `random_spins`."""
    for s, stream in zip(spins, streams, strict=True):
        for i in order:
            s[i] = 1 if uniform_reference(stream) < 0.5 else -1


def fill_uniforms_reference(streams: Words, out: Floats) -> None:
    """Twin of `fill_uniforms`."""
    for row, stream in zip(out, streams, strict=True):
        row[:] = [uniform_reference(stream) for _ in row]


def heat_bath_sweeps_reference(
    spins: Spins, streams: Words, order: Indices, fields: Floats, J: Floats, betas: Floats
) -> None:
    """Twin of `heat_bath_sweeps`: P(s_i = +1) = 1 / (1 + exp(2 beta f_i)), f = fields + J s."""
    for s, stream in zip(spins, streams, strict=True):
        for beta in betas:
            for i in order:
                local = fields[i] + pull_reference(s, i, J)
                s[i] = 1 if uniform_reference(stream) * (1.0 + math.exp(2.0 * beta * local)) < 1.0 else -1


def metropolis_sweeps_reference(
    spins: Spins, streams: Words, order: Indices, fields: Floats, J: Floats, betas: Floats
) -> None:
    """Twin of `metropolis_sweeps`: accept a flip that costs d with probability min(1, exp(-beta d))."""
    for s, stream in zip(spins, streams, strict=True):
        for beta in betas:
            for i in order:
                cost = -2.0 * s[i] * (fields[i] + pull_reference(s, i, J))
                if cost <= 0 or uniform_reference(stream) < math.exp(-beta * cost):
                    s[i] = -s[i]


def sum_moments_reference(spins: Spins, heads: Indices, tails: Indices) -> tuple[AnyArray, AnyArray]:
    """Twin of `sum_moments`; returns the sums."""
    wide = spins.astype(np.int64)
    return wide.sum(axis=0), (wide[:, heads] * wide[:, tails]).sum(axis=0)


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
                local = (1.0 - t) * start_fields[i] + t * (fields[i] + pull_reference(s, i, J))
                s[i] = 1 if uniform_reference(stream) * (1.0 + math.exp(2.0 * local)) < 1.0 else -1
