"""Moves between the replicas of one read: exchange of betas, and isoenergetic clusters.

A row is one column of a tile, numbered through: row r is column r % 32 of tile r // 32. Besides the arguments that
`tiles` names:

- energies (num_tiles, 32) float64: of each row, dimod's sign;
- holders (num_ladders, num_replicas) int64: the row that is at each beta of a ladder. Betas move, spins stay.

A draw for a pair of rows comes from the stream of the first.
"""

import math

import numpy as np

from annealnn.kernels._compile import compiled
from annealnn.kernels._lanes import choose, flags_of, splat, store
from annealnn.kernels._random import next_word, uniform

_ZERO = np.float32(0.0)
_LAST = np.uint32(1)
_1, _2, _32 = np.uint64(1), np.uint64(2), np.uint64(32)
# so many spins' terms are added up in float32 before they are in float64
_STRETCH = 16


@compiled
def edge_energies(bits, lowest, ups, starts, tails, pairs, scratch, energies):
    """Write the energy of every row, each edge visited once.

    E = lowest + the sum over spins i that are up of ups[i] + the sum of pairs[e] over edges to later spins that are up.
    lowest is a float, of the state with all spins down; ups (num_spins,) float32, 2 h_i - 2 sum_j J_ij; edges
    starts[i] to starts[i + 1] of tails (num_edges,) uint32 and pairs (num_edges,) float32, 4 J_ij, lead from spin i to
    later ones; scratch (1, 32) float32.
    """
    num_spins = bits.shape[1]
    for t in range(bits.shape[0]):
        energies[t] = lowest
        for begin in range(0, num_spins, _STRETCH):
            total = splat(_ZERO)
            for i in range(np.uint64(begin), np.uint64(min(begin + _STRETCH, num_spins))):
                # two sums, so that an addition waits less for the one before
                a, b = splat(ups[i]), splat(_ZERO)
                start, stop = np.uint64(starts[i]), np.uint64(starts[np.uint64(i) + _1])
                odd = (stop - start) & _1
                for e in range(start, stop - odd, _2):
                    f = np.uint64(e) + _1
                    a = choose(flags_of(bits[t, np.uint64(tails[e])]), a + splat(pairs[e]), a)
                    b = choose(flags_of(bits[t, np.uint64(tails[f])]), b + splat(pairs[f]), b)
                if odd:
                    last = stop - _1
                    a = choose(flags_of(bits[t, np.uint64(tails[last])]), a + splat(pairs[last]), a)
                total = choose(flags_of(bits[t, i]), total + (a + b), total)
            store(scratch, 0, total)
            for r in range(32):
                energies[t, r] += np.float64(scratch[0, r])


@compiled
def exchange_replicas(energies, streams, holders, betas, scales, headings, chances, trips):
    """Exchange neighbouring betas of every ladder: pairs (0, 1), (2, 3), ..., then pairs (1, 2), (3, 4), ...

    An exchange is accepted with probability min(1, exp((beta_k - beta_{k+1}) (E_k - E_{k+1}))) (Hukushima & Nemoto
    1996). betas (num_replicas,) float64, rising; scales (num_tiles, 32) float32 are written; chances
    (num_ladders, num_replicas - 1) float64: the probabilities are added; headings (num_tiles, 32) uint8: 1 for a row on
    its way from the hottest beta to the coldest; trips (num_ladders,) int64: those that arrive are added.
    """
    last = betas.shape[0] - 1
    for c in range(holders.shape[0]):
        for first in range(2):
            for k in range(first, last, 2):
                a, b = holders[c, k], holders[c, k + 1]
                gain = (betas[k] - betas[k + 1]) * (energies[a // 32, a % 32] - energies[b // 32, b % 32])
                chance = 1.0 if gain >= 0.0 else math.exp(gain)
                chances[c, k] += chance
                start = 4 * (a // 32)
                stream = streams[start : start + 4, a % 32]
                if uniform(stream) < chance:
                    holders[c, k], holders[c, k + 1] = b, a
        for k in range(last + 1):
            scales[holders[c, k] // 32, holders[c, k] % 32] = np.float32(betas[k])
        hot, cold = holders[c, 0], holders[c, last]
        trips[c] += headings[cold // 32, cold % 32]
        headings[cold // 32, cold % 32] = 0
        headings[hot // 32, hot % 32] = 1


@compiled
def flip_clusters(bits, streams, holders, rungs, even, indptr, indices, members, inside, tried, sizes):
    """Flip a connected cluster of spins that differ between two copies at one beta, in both copies.

    Ladders 2 r and 2 r + 1 are the copies of read r. The cluster is that of a spin drawn among those that differ. The
    sum of the two energies stays, and so do the spins that differ, from which alone the move is drawn (Houdayer 2001).
    Where most spins differ, the cluster is one of spins that do not if the energy is `even` under a flip of all spins,
    and else nothing is done (Zhu, Ochoa & Katzgraber 2015).

    rungs (num_rungs,) int64 are the betas, by number, at which it is done; indptr, indices by CSR; members (num_spins,)
    uint32 and inside (num_spins,) uint8 are scratch; tried, sizes (num_reads, num_replicas) int64: clusters and their
    sizes are added.
    """
    num_spins = bits.shape[1]
    for r in range(holders.shape[0] // 2):
        for k in rungs:
            a, b = holders[2 * r, k], holders[2 * r + 1, k]
            tile_a, place_a = np.uint64(a // 32), np.uint32(a % 32)
            tile_b, place_b = np.uint64(b // 32), np.uint32(b % 32)
            # loops that are vectors once compiled
            for i in range(np.uint64(num_spins)):
                inside[i] = np.uint8(bits[tile_a, i] >> place_a & _LAST) ^ np.uint8(bits[tile_b, i] >> place_b & _LAST)
            count = np.int64(0)
            for i in range(np.uint64(num_spins)):
                count += np.int64(inside[i])
            if even and 2 * count > num_spins:
                count = num_spins - count
                for i in range(np.uint64(num_spins)):
                    inside[i] ^= np.uint8(1)
            stream = streams[4 * (a // 32) : 4 * (a // 32) + 4, a % 32]
            word = next_word(stream)
            if count == 0 or 2 * count > num_spins:
                continue
            left, first = np.int64(np.uint64(np.uint64(word) * np.uint64(count)) >> _32), np.uint64(0)
            while left > 0 or inside[first] == 0:
                left -= np.int64(inside[first])
                first += np.uint64(1)
            members[0], inside[first], size, done = first, 0, np.int64(1), 0
            while done < size:
                site = np.uint64(members[done])
                done += 1
                for e in range(np.uint64(indptr[site]), np.uint64(indptr[site + np.uint64(1)])):
                    # no branch, which would be mispredicted; at most half of the spins are members
                    j = np.uint64(indices[e])
                    members[size] = j
                    size += np.int64(inside[j])
                    inside[j] = 0
            tried[r, k] += 1
            sizes[r, k] += size
            flip_a, flip_b = np.uint32(_LAST << place_a), np.uint32(_LAST << place_b)
            for p in range(size):
                bits[tile_a, members[p]] ^= flip_a
                bits[tile_b, members[p]] ^= flip_b
