"""Slow readable twins of the kernels of annealed importance sampling: see `_twins`."""

import math
from itertools import pairwise

import numpy as np

from annealnn.testing._twins import _power_of_two, _ups, _write, drawn_worldline, next_floats_reference
from annealnn.typing import AnyArray, Floats, Floats32, Words

_TWO_LOG2_E = np.float32(2 / math.log(2))


def importance_sweeps_reference(
    bits: Words,
    streams: Words,
    starts: Floats32,
    num_summed: int,
    linear: Floats,
    J: Floats,
    path: Floats32,
    differences: Floats,
    log_weights: Floats,
) -> None:
    """Twin of `importance_sweeps`, D = h s + s J s / 2 with dense couplings.

    log w gains the ratio of marginal weights, -(t' - t) D(s without the summed spins) + the sum over summed spins of
    ln 2 cosh(start + t' (h + J s)) - ln 2 cosh(start + t (h + J s)). Spins are decided in float32.
    """
    num_tiles, num_spins = bits.shape
    ups = _ups(bits)
    fields = np.broadcast_to(starts.reshape(-1, num_spins, 32), (num_tiles, num_spins, 32))
    for t in range(num_tiles):
        for before, now in pairwise(path):
            for r in range(32):
                s = 2.0 * ups[32 * t + r] - 1.0
                rest = np.where(np.arange(num_spins) < num_summed, 0.0, s)
                log_weights[t, r] -= (float(now) - float(before)) * (linear @ rest + 0.5 * rest @ J @ rest)
                local = (linear + J @ rest)[:num_summed]
                start = fields[t, :num_summed, r].astype(np.float64)
                for time, sign in ((now, 1.0), (before, -1.0)):
                    x = start + float(time) * local
                    log_weights[t, r] += sign * np.logaddexp(x, -x).sum()
            for i in range(num_spins):
                pull = (linear[i] + (2.0 * ups[32 * t : 32 * t + 32] - 1.0) @ J[i]).astype(np.float32)
                x = _TWO_LOG2_E * (fields[t, i] + now * pull)
                u = next_floats_reference(streams, 4 * t)
                odds = np.array([np.float32(1) + _power_of_two(y) for y in x], np.float32)
                ups[32 * t : 32 * t + 32, i] = u * odds < 1
    s = 2.0 * ups - 1.0
    differences[:] = (s @ linear + 0.5 * ((s @ J) * s).sum(axis=1)).reshape(differences.shape)
    _write(bits, ups)


def importance_block_sweeps_reference(
    bits: Words,
    streams: Words,
    starts: Floats32,
    num_summed: int,
    linear: Floats,
    J: Floats,
    path: Floats32,
    differences: Floats,
    log_weights: Floats,
) -> None:
    """Twin of `importance_block_sweeps`: blocks do not show."""
    importance_sweeps_reference(bits, streams, starts, num_summed, linear, J, path, differences, log_weights)


def worldline_importance_sweeps_reference(
    bits: Words,
    streams: Words,
    starts: Floats32,
    is_pinned: AnyArray,
    linear: Floats,
    J: Floats,
    hops: Floats32,
    path: Floats32,
    num_slices: int,
    differences: Floats,
    log_weights: Floats,
) -> None:
    """Twin of `worldline_importance_sweeps`, as `worldline_sweeps_reference`; couplings dense.

    log w -= (t' - t) times the mean of D = h s + s J s / 2 over the slices.
    """
    ups = _ups(bits).reshape(len(bits), 32, -1, num_slices)

    def mean_difference(lines: AnyArray) -> float:
        s = 2.0 * lines - 1.0
        return float((linear @ s + 0.5 * (s * (J @ s)).sum(axis=0)).mean())

    for t in range(len(bits)):
        for r in range(32):
            lines, stream = ups[t, r], streams[4 * t : 4 * t + 4, r]
            for before, now in pairwise(path):
                log_weights[t, r] -= (float(now) - float(before)) * mean_difference(lines)
                for i in range(len(hops)):
                    local = float(starts[i]) + float(now) * (linear[i] + J[i] @ (2.0 * lines - 1.0))
                    weights = np.exp(-np.outer(local, [1, -1]) / num_slices)
                    T = np.array([[1.0, hops[i]], [hops[i], 1.0]])
                    lines[i] = drawn_worldline(weights, T, stream, lines[i, 0] if is_pinned[i] else None)
            differences[t, r] = mean_difference(lines)
    _write(bits, ups.reshape(32 * len(bits), -1))
