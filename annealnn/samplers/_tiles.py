"""Reads in tiles of 32, as the kernels take them."""

import math
from typing import Any, final

import numpy as np

from annealnn.kernels._lanes import WIDTH
from annealnn.kernels.tiles import (
    pack_tiles,
    random_tiles,
    read_energies,
    sum_moments,
    tile_energies,
    unpack_tiles,
)
from annealnn.typing import AnyArray, Bools, Floats, Floats32, Indices, Spins, Words

_CACHE_LINE = 64
_SCRATCH = 8


@final
class Tiles:
    """Some reads, a bit for a spin; see `kernels.tiles` for the shapes.

    `held` (num_reads, num_variables) says which variables each read holds, of those that sweeps visit; None if none.
    """

    def __init__(self, spins: Spins, streams: Words, held: Bools | None = None) -> None:
        self._num_reads, num_spins = spins.shape
        num_tiles = -(-self._num_reads // WIDTH)
        # one allocation, which is most of what a small step spends here; the bits, of any length, come last
        room: Words = aligned_empty((_SCRATCH * WIDTH + num_tiles * (5 * WIDTH + num_spins),), np.uint32)
        rows = room[: (_SCRATCH + 5 * num_tiles) * WIDTH].reshape(-1, WIDTH)
        self.bits: Words = room[rows.size :].reshape(num_tiles, num_spins)
        self.streams: Words = rows[: 4 * num_tiles]
        floats = rows[4 * num_tiles :].view(np.float32)
        self.scales: Floats32 = floats[:num_tiles]
        self.scales[:] = 1
        self.scratch: Floats32 = floats[num_tiles:]  #: (8, 32), room for the local fields of a block
        pack_tiles(spins, streams, self.bits, self.streams)
        self.held: Words = np.empty((0, num_spins), np.uint32)
        if held is not None:
            self.held = aligned_empty((num_tiles, held.shape[1]), np.uint32)
            pack_tiles(held.astype(np.int8), streams, self.held, np.empty_like(self.streams))

    def randomise(self, order: Indices, num_slices: int = 1) -> None:
        """Draw the variables named in `order` uniformly, one spin for all slices; what a read holds stays."""
        columns = order * num_slices
        before = self.bits[:, columns] if len(self.held) else None
        random_tiles(self.bits, self.streams, columns.astype(np.uint32))
        if before is not None:
            drawn = self.bits[:, columns]
            self.bits[:, columns] = drawn ^ ((drawn ^ before) & self.held[:, order])
        for later in range(1, num_slices):
            self.bits[:, columns + later] = self.bits[:, columns]

    def put_back(self, before: Words, reads: Bools) -> None:
        """Give the reads that a mask (num_reads,) names the bits they had in `before`."""
        flags = np.zeros((len(self.bits), WIDTH), np.uint32)
        flags.reshape(-1)[: len(reads)] = reads
        words = (flags << np.arange(WIDTH, dtype=np.uint32)).sum(axis=1, dtype=np.uint32)[:, None]
        self.bits[:] ^= (self.bits ^ before) & words

    def unpack(self, spins: Spins, streams: Words) -> None:
        """Write the reads (num_reads, num_spins) and their streams (num_reads, 4)."""
        unpack_tiles(self.bits, self.streams, spins, streams)

    def add_moments(self, heads: Indices, tails: Indices, spin_sums: AnyArray, pair_sums: AnyArray) -> None:
        """Add the sums over reads of spins and of products along edges."""
        sum_moments(self.bits, self.kept(), heads, tails, spin_sums, pair_sums)

    def energies(self, terms: Any, sparse: Any) -> Floats:
        """Return the energy of every read from terms in float32, dimod's sign, without the offset, (num_reads,)."""
        out = np.empty((len(self.bits), WIDTH))
        scratch = aligned_empty((1, WIDTH), np.float32)
        tile_energies(
            self.bits, terms.linear, terms.fields, sparse.indptr, sparse.indices, terms.couplings, scratch, out
        )
        return out.reshape(-1)[: self._num_reads]

    def exact_energies(self, linear: Floats, heads: Indices, tails: Indices, quadratic: Floats) -> Floats:
        """Return the same in float64, (num_reads,)."""
        out = np.empty((len(self.bits), WIDTH))
        read_energies(self.bits, linear, heads, tails, quadratic, out)
        return out.reshape(-1)[: self._num_reads]

    def kept(self) -> Words:
        """Return a word for each tile, its bits 1 for columns that hold a read."""
        left = self._num_reads - WIDTH * np.arange(len(self.bits))
        kept: Words = ((1 << np.minimum(left, WIDTH)) - 1).astype(np.uint32)
        return kept


def aligned_empty(shape: tuple[int, ...], dtype: Any) -> AnyArray:
    """Return an empty array that begins at a multiple of 64 bytes, so that no vector straddles two cache lines."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.empty(size + _CACHE_LINE, np.uint8)
    return np.ndarray(shape, dtype, raw, -raw.ctypes.data % _CACHE_LINE)
