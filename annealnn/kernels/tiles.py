"""Tiles: 32 reads side by side, a spin of all of them in the bits of one word.

Arguments, the same for all kernels:

- bits (num_tiles, num_spins) uint32: bit r of a word is 1 where the spin of read r of its tile is up;
- streams (4 num_tiles, 32) uint32: four rows of generator words for each tile, a column for each read;
- fields (num_spins,) float32: the local field of each spin where all others are down, h_i - sum_j J_ij;
- couplings float32: what a neighbour adds to that when it is up, 2 J_ij;
- held (num_tiles, num_spins) uint32: bit r of a word is 1 where read r of its tile holds the spin, which then stays as
  it is. No tiles, (0, num_spins), if no read holds a spin that others do not.
"""

import numpy as np

from annealnn.kernels._compile import compiled
from annealnn.kernels._lanes import choose, count, flags_of, less, splat, store, word_of
from annealnn.kernels._random import next_floats, uniform

_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_NONE, _LAST = np.uint32(0), np.uint32(1)
_1, _2 = np.uint64(1), np.uint64(2)
# so many terms are added up in float32 before they are in float64
_STRETCH = 64


@compiled
def bind_terms(given_fields, given_couplings, indptr, edge_of, places, fields, couplings):
    """Write the fields and the couplings, dimod's sign, of given ones (num_spins,), (num_edges,) in Eq. (1)'s sign.

    indptr (num_spins + 1,) cuts the entries of the CSR form into spins; edge_of (num_entries,) gives the edge of each,
    and places (num_entries,) where it goes in `couplings`; the rest of `couplings` is left as it is. Return the largest
    size that a sum of a spin's terms can have.
    """
    largest = 0.0
    for i in range(given_fields.shape[0]):
        # two sums of each, so that an addition waits less for the one before
        total, more, size, larger = 0.0, 0.0, abs(given_fields[i]), 0.0
        start, stop = np.uint64(indptr[i]), np.uint64(indptr[i + 1])
        odd = (stop - start) & _1
        for k in range(start, stop - odd, _2):
            value, other = given_couplings[edge_of[k]], given_couplings[edge_of[k + _1]]
            couplings[places[k]], couplings[places[k + _1]] = np.float32(-2.0 * value), np.float32(-2.0 * other)
            total += value
            more += other
            size += 2.0 * abs(value)
            larger += 2.0 * abs(other)
        if odd:
            value = given_couplings[edge_of[stop - _1]]
            couplings[places[stop - _1]] = np.float32(-2.0 * value)
            total += value
            size += 2.0 * abs(value)
        fields[i] = np.float32(total + more - given_fields[i])
        largest = max(largest, size + larger)
    return largest


@compiled
def pack_tiles(reads, read_streams, bits, streams):
    """Copy reads (num_reads, num_spins) int8 and their streams (num_reads, 4) into tiles; the rest is down."""
    num_reads = reads.shape[0]
    bits[:] = _NONE
    for r in range(num_reads):
        words, place = bits[r // 32], np.uint32(r % 32)
        for i in range(reads.shape[1]):
            words[i] |= np.uint32(reads[r, i] > 0) << place
    for r in range(32 * bits.shape[0]):
        for k in range(4):
            streams[4 * (r // 32) + k, r % 32] = read_streams[r, k] if r < num_reads else np.uint32(k + 1)


@compiled
def unpack_tiles(bits, streams, reads, read_streams):
    """Copy tiles back into reads and their streams."""
    for r in range(reads.shape[0]):
        words, place = bits[r // 32], np.uint32(r % 32)
        for i in range(reads.shape[1]):
            reads[r, i] = np.int8(2 * np.int8((words[i] >> place) & _LAST) - 1)
        for k in range(4):
            read_streams[r, k] = streams[4 * (r // 32) + k, r % 32]


@compiled
def random_tiles(bits, streams, order):
    """Draw the spins named in `order` uniformly."""
    half = splat(_HALF)
    for t in range(bits.shape[0]):
        for i in order:
            bits[t, i] = word_of(less(next_floats(streams, 4 * t), half))


@compiled
def fill_uniforms(streams, out):
    """Draw doubles in [0, 1) from every read's stream (num_reads, 4) into out (num_reads, count)."""
    for r in range(streams.shape[0]):
        for k in range(out.shape[1]):
            out[r, k] = uniform(streams[r])


@compiled
def sum_moments(bits, kept, heads, tails, spin_sums, pair_sums):
    """Add up spins and products along edges over the reads of all tiles, in place.

    kept (num_tiles,) uint32: bits 1 for columns that hold a read; heads, tails (num_edges,);
    spin_sums (num_spins,) and pair_sums (num_edges,) int64.
    """
    num_reads = np.int64(0)
    for t in range(bits.shape[0]):
        num_reads += np.int64(count(kept[t]))
    for i in range(bits.shape[1]):
        ups = np.int64(0)
        for t in range(bits.shape[0]):
            ups += np.int64(count(bits[t, i] & kept[t]))
        spin_sums[i] += 2 * ups - num_reads
    for e in range(heads.shape[0]):
        head, tail, unlike = np.uint64(heads[e]), np.uint64(tails[e]), np.int64(0)
        for t in range(bits.shape[0]):
            unlike += np.int64(count((bits[t, head] ^ bits[t, tail]) & kept[t]))
        pair_sums[e] += num_reads - 2 * unlike


@compiled
def tile_energies(bits, linear, fields, indptr, indices, couplings, scratch, energies):
    """Write dimod's energy of every read, without the offset, to energies (num_tiles, 32) float64.

    E = sum_i s_i (h_i + f_i) / 2 with the local field f_i; linear (num_spins,) float32 holds h, couplings by CSR.
    scratch (1, 32) float32.
    """
    num_spins = bits.shape[1]
    for t in range(bits.shape[0]):
        energies[t] = 0.0
        for begin in range(0, num_spins, _STRETCH):
            total = splat(_ZERO)
            for i in range(begin, min(begin + _STRETCH, num_spins)):
                local = splat(fields[i] + linear[i])
                for k in range(np.uint64(indptr[i]), np.uint64(indptr[i + 1])):
                    up = flags_of(bits[t, np.uint64(indices[k])])
                    local = choose(up, local + splat(couplings[k]), local)
                total = choose(flags_of(bits[t, i]), total + local, total - local)
            store(scratch, 0, total)
            for r in range(32):
                energies[t, r] += 0.5 * np.float64(scratch[0, r])


@compiled
def read_energies(bits, linear, heads, tails, quadratic, energies):
    """Write dimod's energy of every read, without the offset, to energies (num_tiles, 32), all in float64.

    linear (num_spins,), heads, tails, quadratic (num_edges,).
    """
    energies[:] = 0.0
    for t in range(bits.shape[0]):
        for i in range(linear.shape[0]):
            for r in range(32):
                energies[t, r] += linear[i] if (bits[t, i] >> np.uint32(r)) & _LAST else -linear[i]
        for e in range(heads.shape[0]):
            unlike = bits[t, heads[e]] ^ bits[t, tails[e]]
            for r in range(32):
                energies[t, r] += -quadratic[e] if (unlike >> np.uint32(r)) & _LAST else quadratic[e]
