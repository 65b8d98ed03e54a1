"""Slow readable twins of the kernels: plain Python, dense couplings, the same draws in the same order."""

import math
from collections.abc import Callable
from itertools import accumulate, pairwise

import numpy as np
from scipy.linalg import expm

from annealnn.typing import AnyArray, Floats, Floats32, Indices, Spins, Words

_MASK = (1 << 32) - 1
_C = [np.float32(c) for c in (1.0, 0.693147, 0.24022242, 0.055507336, 0.009671513, 0.0013264726)]
_D = [np.float32(d) for d in (1.8457e-06, 1.4424953, -0.7177911, 0.45652157, -0.2765406, 0.12100209, -0.025691038)]


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


def next_floats_reference(streams: Words, row: int) -> Floats32:
    """Twin of `next_floats`: midpoints of 2**23 cells of (0, 1), one for each column of four rows of streams."""
    columns = streams[row : row + 4].T
    return np.array([((next_word_reference(c) >> 9) + 0.5) * 2.0**-23 for c in columns], np.float32)


def derived_state_reference(streams: Words, row: int, state: Words) -> None:
    """Twin of `derived_state`: two 64-bit words of the first column, each moved on by splitmix64."""
    for k in (0, 2):
        z = int(streams[row + k, 0]) | int(streams[row + k + 1, 0]) << 32
        z = (z + 0x9E3779B97F4A7C15) % 2**64
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        z ^= z >> 31
        state[k : k + 2] = z % 2**32, z >> 32


def fill_uniforms_reference(streams: Words, out: Floats) -> None:
    """Twin of `fill_uniforms`."""
    for row, stream in zip(out, streams, strict=True):
        row[:] = [uniform_reference(stream) for _ in row]


def bind_terms_reference(h: Floats, J: Floats, fields: Floats32, couplings: Floats32) -> float:
    """Twin of `bind_terms`: fields sum_j J_ij - h_i where all spins are down, couplings -2 J_ij row by row."""
    fields[:] = J.sum(axis=1) - h
    couplings[:] = -2 * J[np.nonzero(J)]
    return float((np.abs(h) + 2 * np.abs(J).sum(axis=1)).max())


def pack_tiles_reference(reads: Spins, read_streams: Words, bits: Words, streams: Words) -> None:
    """Twin of `pack_tiles`: columns without a read are down, their streams 1, 2, 3, 4."""
    ups = np.zeros((32 * len(bits), reads.shape[1]), bool)
    ups[: len(reads)] = reads > 0
    words = np.tile(np.arange(1, 5, dtype=np.uint32), (len(ups), 1))
    words[: len(reads)] = read_streams
    _write(bits, ups)
    streams[:] = words.reshape(len(bits), 32, 4).transpose(0, 2, 1).reshape(-1, 32)


def unpack_tiles_reference(bits: Words, streams: Words, reads: Spins, read_streams: Words) -> None:
    """Twin of `unpack_tiles`."""
    reads[:] = 2 * _ups(bits)[: len(reads)].astype(np.int8) - 1
    read_streams[:] = streams.reshape(len(bits), 4, 32).transpose(0, 2, 1).reshape(-1, 4)[: len(reads)]


def _ups(bits: Words) -> AnyArray:
    """Return whether spins are up, one row to a read: (num_tiles, num_spins) -> (32 num_tiles, num_spins)."""
    columns = (bits[:, None, :] >> np.arange(32, dtype=np.uint32)[:, None]) & 1
    return columns.reshape(-1, bits.shape[1]).astype(bool)


def _write(bits: Words, ups: AnyArray) -> None:
    columns = ups.reshape(len(bits), 32, -1).astype(np.uint32)
    bits[:] = (columns << np.arange(32, dtype=np.uint32)[:, None]).sum(axis=1, dtype=np.uint32)


def centre_gradient_reference(edges: Indices, offsets: Floats, fields: Floats, couplings: Floats) -> None:
    """Twin of `centre_gradient`."""
    heads, tails = edges.T
    couplings -= offsets[heads] * fields[tails]
    couplings -= offsets[tails] * fields[heads]
    np.subtract.at(fields, edges.reshape(-1), np.repeat(couplings, 2) * offsets[edges[:, ::-1].reshape(-1)])


def hidden_moments_reference(
    spins: Spins, num_visible: int, fields: Floats, J: Floats, spin_means: Floats, pair_means: Floats
) -> None:
    """Twin of `hidden_moments` in float64: J (num_visible, num_hidden)."""
    rows = spins[:, :num_visible].astype(np.float64)
    means = np.tanh(rows @ J + fields[num_visible:])
    spin_means[:] = np.concatenate([rows, means], axis=1).mean(axis=0)
    pair_means[:] = (rows.T @ means).reshape(-1) / len(rows)


def random_tiles_reference(bits: Words, streams: Words, order: Indices) -> None:
    """Twin of `random_tiles`: up if the highest bit of a word is 0."""
    ups = _ups(bits)
    for t in range(len(bits)):
        for r in range(32):
            stream = streams[4 * t : 4 * t + 4, r]
            for i in order:
                ups[32 * t + r, i] = next_word_reference(stream) >> 31 == 0
    _write(bits, ups)


def sum_moments_reference(
    bits: Words, kept: Words, heads: Indices, tails: Indices, spin_sums: AnyArray, pair_sums: AnyArray
) -> None:
    """Twin of `sum_moments`: over the reads that are kept."""
    reads = 2 * _ups(bits)[_ups(kept[:, None])[:, 0]].astype(np.int64) - 1
    spin_sums += reads.sum(axis=0)
    pair_sums += (reads[:, heads] * reads[:, tails]).sum(axis=0)


def read_energies_reference(bits: Words, linear: Floats, J: Floats, energies: Floats) -> None:
    """Twin of `read_energies`; see `tile_energies_reference`."""
    tile_energies_reference(bits, linear, J, energies)


def tile_energies_reference(bits: Words, linear: Floats, J: Floats, energies: Floats) -> None:
    """Twin of `tile_energies`: E = h s + s J s / 2, J dense with dimod's quadratic biases."""
    s = 2.0 * _ups(bits) - 1.0
    energies[:] = (s @ linear + 0.5 * ((s @ J) * s).sum(axis=1)).reshape(energies.shape)


def _power_of_two(y: np.float32) -> np.float32:
    """2**y in the kernels' own arithmetic: the whole part exactly, the rest by a polynomial in float32."""
    y = min(max(y, np.float32(-126)), np.float32(126))
    whole = np.float32(round(float(y)))
    r = y - whole
    p = _in_pairs(_C, r)
    return np.float32(p * np.float32(2.0 ** int(whole)))


def _binary_logarithm(x: np.float32) -> np.float32:
    """log2(x) in the kernels' own arithmetic: the exponent, and a polynomial in float32."""
    m, k = math.frexp(float(x))
    return np.float32(k - 1) + _in_pairs(_D, np.float32(2 * m - 1))


def _in_pairs(c: list[np.float32], t: np.float32) -> np.float32:
    """c0 + c1 t + ... + c5 t**5 (+ c6 t**6), in an order that needs few steps one after another, each rounded once."""

    def fused(x: np.float32, y: np.float32, z: np.float32) -> np.float32:
        return np.float32(float(x) * float(y) + float(z))

    square = t * t
    high = fused(c[5], t, c[4])
    if len(c) > 6:
        high = fused(c[6], square, high)
    return fused(fused(high, square, fused(c[3], t, c[2])), square, fused(c[1], t, c[0]))


def _sweeps(
    bits: Words,
    streams: Words,
    held: Words,
    visits: Callable[[int], Indices],
    linear: Floats,
    J: Floats,
    betas: Floats,
    scales: Floats32,
    metropolis: bool,
) -> None:
    """Sweep tiles; the local field f = h + J s is rounded to float32 once. `visits(t)` names the spins of a sweep.

    A spin that a read holds takes a draw and stays.
    """
    one, ups = np.float32(1), _ups(bits)
    holds = _ups(held) if len(held) else np.zeros_like(ups)
    for t in range(len(bits)):
        for beta in betas:
            visited = visits(t)
            for r in range(32):
                up, stream = ups[32 * t + r], streams[4 * t : 4 * t + 4, r]
                scale = np.float32(np.float32(2 / math.log(2)) * np.float32(beta)) * scales[t, r]
                for i in visited:
                    x = scale * np.float32(linear[i] + J[i] @ (2.0 * up - 1.0))
                    u = np.float32(((next_word_reference(stream) >> 9) + 0.5) * 2.0**-23)
                    if holds[32 * t + r, i]:
                        continue
                    if metropolis:
                        up[i] ^= _binary_logarithm(u) < (x if up[i] else -x)
                    else:
                        up[i] = u * (one + _power_of_two(x)) < one
    _write(bits, ups)


def sparse_sweeps_reference(
    bits: Words,
    streams: Words,
    held: Words,
    order: Indices,
    linear: Floats,
    J: Floats,
    betas: Floats,
    scales: Floats32,
    metropolis: bool,
    at_random: bool,
) -> None:
    """Twin of `sparse_sweeps`, couplings dense; drawn spins are floor(n word / 2**32) of a derived state's words."""

    def visits(t: int) -> Indices:
        if not at_random:
            return order
        dice = np.zeros(4, np.uint32)
        derived_state_reference(streams, 4 * t, dice)
        return order[[next_word_reference(dice) * len(order) >> 32 for _ in order]]

    _sweeps(bits, streams, held, visits, linear, J, betas, scales, metropolis)


def block_sweeps_reference(
    bits: Words,
    streams: Words,
    held: Words,
    is_free: AnyArray,
    linear: Floats,
    J: Floats,
    betas: Floats,
    scales: Floats32,
    metropolis: bool,
) -> None:
    """Twin of `block_sweeps`: blocks do not show."""
    _sweeps(bits, streams, held, lambda _: np.flatnonzero(is_free), linear, J, betas, scales, metropolis)


def drawn_worldline(weights: Floats, T: Floats, stream: Words, first: bool | None = None) -> AnyArray:
    """Return whether the slices of a worldline are up, drawn one after another; slice 0 is `first` if that is given.

    weights (num_slices, 2) are the diagonals of W_m, see `worldline_sweeps_reference`.
    """
    after = [T]
    for w in weights[:0:-1]:
        after.insert(0, T @ np.diag(w) @ after[0])
    drawn: list[int] = [] if first is None else [int(not first)]
    for m in range(len(drawn), len(weights)):
        odds = weights[m] * (T[drawn[-1]] * after[m][:, drawn[0]] if drawn else np.diag(after[0]))
        u = ((next_word_reference(stream) >> 9) + 0.5) * 2.0**-23
        drawn.append(int(u * odds.sum() >= odds[0]))
    return np.logical_not(drawn)


def worldline_sweeps_reference(
    bits: Words,
    streams: Words,
    held: Words,
    order: Indices,
    linear: Floats,
    J: Floats,
    gammas: Floats,
    betas: Floats,
    ramps: Floats,
    scales: Floats32,
    gamma_scales: Floats32,
    num_slices: int,
) -> None:
    """Twin of `worldline_sweeps`, by products of transfer matrices in float64; couplings dense.

    Before slice m stands T = ((1, t), (t, 1)) with t = tanh(dtau gamma), at it W_m = diag(exp(-dtau f_m),
    exp(dtau f_m)) with the local field f_m; rows and columns are up, down. Slice 0 is drawn from the diagonal of
    W_0 T W_1 ... T, and slice m from what follows if slices 0 and m-1 are known. A line that a read holds takes its
    draws and stays.
    """
    holds = _ups(held)
    ups = _ups(bits).reshape(len(bits), 32, -1, num_slices)
    for t in range(len(bits)):
        for beta, ramp in zip(betas, ramps, strict=True):
            for r in range(32):
                lines, stream = ups[t, r], streams[4 * t : 4 * t + 4, r]
                dtau = beta * scales[t, r] / num_slices
                for i in order:
                    hop = math.tanh(dtau * gammas[i] * ramp * gamma_scales[t, r])
                    T = np.array([[1.0, hop], [hop, 1.0]])
                    local = linear[i] + J[i] @ (2.0 * lines - 1.0)
                    weights = np.exp(-dtau * np.outer(local, [1, -1]))
                    if not (len(held) and holds[32 * t + r, i]):
                        lines[i] = drawn_worldline(weights, T, stream)
                    else:
                        drawn_worldline(weights, T, stream)  # moves the stream on
    _write(bits, ups.reshape(32 * len(bits), -1))


def sum_worldlines_reference(
    bits: Words,
    kept: Words,
    heads: Indices,
    tails: Indices,
    num_slices: int,
    spin_sums: AnyArray,
    pair_sums: AnyArray,
) -> None:
    """Twin of `sum_worldlines`: over the reads that are kept, and all slices."""
    lines = 2 * _ups(bits)[_ups(kept[:, None])[:, 0]].astype(np.int64) - 1
    lines = lines.reshape(len(lines), -1, num_slices)
    spin_sums += lines.sum(axis=(0, 2))
    pair_sums += (lines[:, heads] * lines[:, tails]).sum(axis=(0, 2))


def count_kinks_reference(bits: Words, num_slices: int, kinks: Floats) -> None:
    """Twin of `count_kinks`."""
    lines = _ups(bits).reshape(32 * len(bits), -1, num_slices)
    kinks[:] = (lines != np.roll(lines, -1, axis=2)).sum(axis=(1, 2)).reshape(kinks.shape)


def average_worldlines_reference(
    worldlines: Spins, heads: Indices, tails: Indices, spins: Floats32, pairs: Floats32
) -> None:
    """Twin of `average_worldlines`: means over the last axis."""
    spins[:] = worldlines.mean(axis=2)
    pairs[:] = (worldlines[:, heads] * worldlines[:, tails]).mean(axis=2)


def transverse_means_reference(
    worldlines: Spins, linear: Floats, J: Floats, hops: Floats, dtau: float, means: Floats
) -> None:
    """Twin of `transverse_means`: the mean over all 2**num_slices lines, by their weights; couplings dense."""
    num_slices = worldlines.shape[2]
    lines = 1 - 2 * ((np.arange(2**num_slices)[:, None] >> np.arange(num_slices)) & 1)
    unlike = (lines != np.roll(lines, -1, axis=1)).sum(axis=1)
    for r, i in np.ndindex(*means.shape):
        local = linear[i] + J[i] @ worldlines[r]
        weights = np.exp(-dtau * lines @ local) * hops[i] ** unlike
        counted = (num_slices - unlike) * hops[i] ** (unlike + 1.0)
        # a line without kinks has no bond to divide by a hop of 0
        counted[unlike > 0] += unlike[unlike > 0] * hops[i] ** (unlike[unlike > 0] - 1.0)
        means[r, i] = np.exp(-dtau * lines @ local) @ counted / weights.sum() / num_slices


def continuous_sweeps_reference(
    times: Floats,
    counts: Indices,
    firsts: Spins,
    streams: Words,
    is_free: AnyArray,
    linear: Floats,
    J: Floats,
    gammas: Floats,
    num_sweeps: int,
) -> None:
    """Twin of `continuous_sweeps`: segments between sorted cuts, integrals piece by piece; couplings dense."""

    def spin_at(r: int, j: int, time: float) -> int:
        turned = int((times[r, j, : counts[r, j]] <= time).sum())
        return int(-firsts[r, j] if turned % 2 else firsts[r, j])

    for r, stream in enumerate(streams):
        for i in list(np.flatnonzero(is_free[r])) * num_sweeps:
            cuts, now = list(times[r, i, : counts[r, i]]), 0.0
            while gammas[i] > 0:
                now -= math.log1p(-uniform_reference(stream)) / gammas[i]
                if now >= 1.0:
                    break
                cuts.append(now)
            cuts.sort()
            neighbours = np.flatnonzero(J[i])
            events = [0.0, *cuts, *(e for j in neighbours for e in times[r, j, : counts[r, j]]), 1.0]
            sums = np.zeros(max(1, len(cuts)))
            for a, b in pairwise(sorted(events)):
                segment = sum(c <= a for c in cuts) - 1  # -1 is the last one, which comes back to the first cut
                local = linear[i] + sum(J[i, j] * spin_at(r, j, a) for j in map(int, neighbours))
                sums[segment] += local * (b - a)
            spins = [1 if uniform_reference(stream) * (1 + math.exp(2 * f)) < 1 else -1 for f in sums]
            kinks = [c for k, c in enumerate(cuts) if spins[k] != spins[k - 1]]
            firsts[r, i], counts[r, i] = spins[-1], len(kinks)
            times[r, i, : len(kinks)] = kinks


def overlap_worldlines_reference(
    times: Floats,
    counts: Indices,
    firsts: Spins,
    heads: Indices,
    tails: Indices,
    spins: Floats,
    pairs: Floats,
) -> None:
    """Twin of `overlap_worldlines`: a product turns over at the kinks of both."""

    def mean(first: int, kinks: list[float]) -> float:
        ends = [0.0, *sorted(kinks), 1.0]
        return float(sum((-first if k % 2 else first) * (b - a) for k, (a, b) in enumerate(pairwise(ends))))

    for r in range(len(times)):
        kinks = [list(line[:count]) for line, count in zip(times[r], counts[r], strict=True)]
        spins[r] = [mean(int(first), k) for first, k in zip(firsts[r], kinks, strict=True)]
        pairs[r] = [
            mean(int(firsts[r, i] * firsts[r, j]), kinks[i] + kinks[j]) for i, j in zip(heads, tails, strict=True)
        ]


def continuous_transverse_means_reference(
    times: Floats, counts: Indices, firsts: Spins, linear: Floats, J: Floats, gammas: Floats, means: Floats
) -> None:
    """Twin of `continuous_transverse_means`: d ln Z_i / d gamma_i by differences, Z_i by matrix exponentials."""

    def log_z(r: int, i: int, gamma: float) -> float:
        neighbours = [int(j) for j in np.flatnonzero(J[i])]
        ends = sorted([0.0, *(e for j in neighbours for e in times[r, j, : counts[r, j]]), 1.0])
        product = np.eye(2)
        for a, b in pairwise(ends):
            turned = {j: (times[r, j, : counts[r, j]] <= a).sum() % 2 for j in neighbours}
            local = linear[i] + sum(J[i, j] * firsts[r, j] * (1 - 2 * turned[j]) for j in neighbours)
            product = product @ expm((b - a) * np.array([[-local, gamma], [gamma, local]]))
        return math.log(np.trace(product))

    for r, i in np.ndindex(*means.shape):
        up, down = (log_z(r, i, float(gammas[i]) + step) for step in (1e-4, -1e-4))
        means[r, i] = (up - down) / 2e-4


def edge_energies_reference(bits: Words, linear: Floats, J: Floats, energies: Floats) -> None:
    """Twin of `edge_energies`: E = h s + s J s / 2, J dense with dimod's quadratic biases."""
    tile_energies_reference(bits, linear, J, energies)


def exchange_replicas_reference(
    energies: Floats,
    streams: Words,
    holders: Indices,
    betas: Floats,
    scales: Floats32,
    headings: AnyArray,
    chances: Floats,
    trips: AnyArray,
) -> None:
    """Twin of `exchange_replicas`: even pairs, then odd ones, a uniform of the hotter row for each."""
    E, rows, last = energies.reshape(-1), headings.reshape(-1), len(betas) - 1
    for c, ladder in enumerate(holders):
        for k in [*range(0, last, 2), *range(1, last, 2)]:
            a, b = ladder[k], ladder[k + 1]
            gain = (betas[k] - betas[k + 1]) * (E[a] - E[b])
            chance = math.exp(min(0.0, gain))
            chances[c, k] += chance
            if uniform_reference(_stream(streams, a)) < chance:
                ladder[k], ladder[k + 1] = b, a
        scales.reshape(-1)[ladder] = betas
        trips[c] += rows[ladder[last]]
        rows[ladder[last]] = 0
        rows[ladder[0]] = 1


def _stream(streams: Words, row: int) -> Words:
    return streams[4 * (row // 32) : 4 * (row // 32) + 4, row % 32]


def flip_clusters_reference(
    bits: Words,
    streams: Words,
    holders: Indices,
    rungs: Indices,
    even: bool,
    J: Floats,
    tried: AnyArray,
    sizes: AnyArray,
) -> None:
    """Twin of `flip_clusters`: the cluster is grown to its neighbours until it has no more."""
    ups = _ups(bits)
    for r in range(len(holders) // 2):
        for k in rungs:
            a, b = (int(holders[2 * r + copy, k]) for copy in (0, 1))
            inside = ups[a] != ups[b]
            if even and 2 * inside.sum() > len(inside):
                inside = ~inside
            word = next_word_reference(_stream(streams, a))
            sites = np.flatnonzero(inside)
            if not len(sites) or 2 * len(sites) > len(inside):
                continue
            cluster = np.zeros(len(inside), bool)
            cluster[sites[word * len(sites) >> 32]] = True
            while (grown := cluster | (inside & (J[cluster] != 0).any(axis=0))).sum() > cluster.sum():
                cluster = grown
            tried[r, k] += 1
            sizes[r, k] += cluster.sum()
            ups[a] ^= cluster
            ups[b] ^= cluster
    _write(bits, ups)


def resample_populations_reference(
    bits: Words, streams: Words, energies: Floats, rise: float, size: int, families: Indices, log_z: Floats
) -> None:
    """Twin of `resample_populations`: offspring floor(C_j + u) - floor(C_{j-1} + u), C the weights summed up."""
    ups, E = _ups(bits), energies.reshape(-1)
    for m in range(len(log_z)):
        logs = [-rise * e for e in E[m * size : (m + 1) * size]]
        best = max(logs)
        weights = [math.exp(w - best) for w in logs]
        total = sum(weights)
        log_z[m] += best + math.log(total / size)
        u = uniform_reference(_stream(streams, m * size))
        marks = [0, *(int(size * (reached / total) + u) for reached in accumulate(weights[:-1])), size]
        offspring = [after - before for before, after in pairwise(marks)]
        empty = (m * size + j for j, count in enumerate(list(offspring)) if count == 0)
        for j, count in enumerate(offspring):
            for _ in range(count - 1):
                target = next(empty)
                ups[target], families[target] = ups[m * size + j], families[m * size + j]
    _write(bits, ups)
