"""Couplings of a structure in the two forms that kernels take: by CSR, and by blocks of eight spins."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from annealnn.kernels.sweeps import block_sweeps, sparse_sweeps
from annealnn.kernels.tiles import bind_terms
from annealnn.models import Parameters, Structure
from annealnn.samplers._tiles import Tiles, aligned_empty
from annealnn.typing import AnyArray, Floats32, Indices, Words

_BLOCK = 8
# instructions of a sum: for an entry of the CSR form, and for one of the block form, which serves eight spins
_SPARSE_COST, _BLOCK_COST = 4, 18
# a block form of this many entries takes 512 MiB
_MOST_ENTRIES = 1 << 24
_LARGEST = 1e37


class SparseCouplings(NamedTuple):
    """CSR pattern of a structure's symmetric couplings; `edge_of` gives each entry's edge."""

    indptr: Words  #: (num_variables + 1,)
    indices: Words  #: (num_entries,)
    edge_of: Words  #: (num_entries,)
    places: Words  #: (num_entries,), where each goes: in its own place

    @classmethod
    def of(cls, structure: Structure) -> "SparseCouplings":
        """Return the pattern of `structure`."""
        heads, tails = structure.ends
        n, edge = structure.num_variables, np.arange(structure.num_edges)
        # edges are numbered from 1 so that the first is not dropped as an explicit zero
        matrix = csr_array(
            (np.concatenate([edge, edge]) + 1, (np.concatenate([heads, tails]), np.concatenate([tails, heads]))), (n, n)
        )
        matrix.sort_indices()
        edge_of = (matrix.data - 1).astype(np.uint32)
        places = np.arange(len(edge_of), dtype=np.uint32)
        return cls(matrix.indptr.astype(np.uint32), matrix.indices.astype(np.uint32), edge_of, places)

    def rows(self) -> Indices:
        """Return the row of each entry, (num_entries,)."""
        return np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))


class BlockCouplings(NamedTuple):
    """Pattern of the couplings of eight spins at a time, see `block_sweeps`.

    `places` gives where each entry of the CSR pattern goes: below 8 num_entries in `values`, from there on in `inner`.
    """

    members: AnyArray  #: (num_blocks, 8) int32
    linked: AnyArray  #: (num_blocks,) uint8: 0 where none of a block are coupled to each other
    starts: Words  #: (num_blocks + 1,)
    columns: Words  #: (num_entries,)
    places: Words

    @classmethod
    def of(cls, sparse: SparseCouplings) -> "BlockCouplings":
        """Return the pattern in blocks of neighbouring numbers."""
        n = len(sparse.indptr) - 1
        num_blocks = -(-n // _BLOCK)
        members = np.full(num_blocks * _BLOCK, -1, np.int32)
        members[:n] = np.arange(n)
        rows, indices = sparse.rows(), sparse.indices.astype(np.intp)
        block = rows // _BLOCK
        outside = indices // _BLOCK != block
        entries, which = np.unique(block[outside] * n + indices[outside], return_inverse=True)
        places = np.empty(len(rows), np.intp)
        places[outside] = which * _BLOCK + rows[outside] % _BLOCK
        places[~outside] = len(entries) * _BLOCK + rows[~outside] * _BLOCK + indices[~outside] % _BLOCK
        linked = np.zeros(num_blocks, np.uint8)
        linked[block[~outside]] = 1
        return cls(
            members.reshape(num_blocks, _BLOCK),
            linked,
            np.searchsorted(entries, np.arange(num_blocks + 1) * n).astype(np.uint32),
            (entries % n if n else entries).astype(np.uint32),
            places.astype(np.uint32),
        )


def choose_blocks(structure: Structure, sparse: SparseCouplings) -> BlockCouplings | None:
    """Return the block pattern if sums by it are cheaper than by CSR, else None."""
    n, num_entries = structure.num_variables, len(sparse.indices)
    # few neighbours are hardly shared; looking for those that are takes longer than it saves
    if n < 2 * _BLOCK or num_entries < 2 * _BLOCK * n:
        return None
    # np.unique, which hashes, takes ten times as long
    keys = np.sort(sparse.rows() // _BLOCK * n + sparse.indices)
    num_keys = 1 + np.count_nonzero(np.diff(keys))
    if num_keys > _MOST_ENTRIES or _BLOCK_COST * num_keys >= _SPARSE_COST * num_entries:
        return None
    return BlockCouplings.of(sparse)


class Terms(NamedTuple):
    """A problem's parameters in float32 as kernels take them: see `kernels.tiles`."""

    linear: Floats32  #: (num_variables,), dimod's sign
    fields: Floats32  #: (num_variables,), the local fields where all spins are down
    couplings: Floats32  #: (num_entries,), twice dimod's quadratic biases, in the order of the CSR pattern

    @classmethod
    def of(cls, sparse: SparseCouplings, parameters: Parameters) -> "Terms":
        """Return the terms of parameters in Eq. (1)'s sign.

        Raises
        ------
        ValueError
            If they do not fit in float32.
        """
        n = len(parameters.fields)
        fields, couplings = np.empty(n, np.float32), np.empty(len(sparse.edge_of), np.float32)
        _check(bind_terms(*parameters, sparse.indptr, sparse.edge_of, sparse.places, fields, couplings))
        return cls(-parameters.fields.astype(np.float32), fields, couplings)


class BlockTerms(NamedTuple):
    """The same in blocks of eight spins: see `block_sweeps`."""

    fields: Floats32  #: (num_blocks, 8)
    values: Floats32  #: (num_entries, 8)
    inner: Floats32  #: (num_blocks, 8, 8)

    @classmethod
    def of(cls, sparse: SparseCouplings, blocks: BlockCouplings, parameters: Parameters) -> "BlockTerms":
        """Return the terms of parameters in Eq. (1)'s sign.

        Raises
        ------
        ValueError
            If they do not fit in float32.
        """
        num_blocks, num_values = len(blocks.members), len(blocks.columns) * _BLOCK
        num_couplings = num_values + num_blocks * _BLOCK**2
        buffer = aligned_empty((num_couplings + num_blocks * _BLOCK,), np.float32)
        buffer[:] = 0
        couplings, fields = buffer[:num_couplings], buffer[num_couplings:]
        _check(bind_terms(*parameters, sparse.indptr, sparse.edge_of, blocks.places, fields, couplings))
        return cls(
            fields.reshape(num_blocks, _BLOCK),
            couplings[:num_values].reshape(-1, _BLOCK),
            couplings[num_values:].reshape(num_blocks, _BLOCK, _BLOCK),
        )


def _check(largest: float) -> None:
    if not largest < _LARGEST:
        msg = (
            f"the terms of a variable are added up in float32, to less than {_LARGEST:.0e}; got {largest:.2g}. "
            "Scale the problem"
        )
        raise ValueError(msg)


class Sweep:
    """Sweeps over tiles, bound to a structure; `at` binds them to parameters."""

    def __init__(self, structure: Structure, *, metropolis: bool, at_random: bool = False) -> None:
        self._metropolis, self._at_random = metropolis, at_random
        self.sparse = SparseCouplings.of(structure)
        self._blocks = None if at_random else choose_blocks(structure, self.sparse)

    def at(self, parameters: Parameters, order: Indices) -> "BoundSweep":
        """Return the sweeps at `parameters` over the spins named in `order`."""
        return BoundSweep(parameters, self.sparse, self._blocks, order, self._metropolis, self._at_random)


class BoundSweep:
    """Sweeps over tiles at given parameters. Threads may share one."""

    def __init__(
        self,
        parameters: Parameters,
        sparse: SparseCouplings,
        blocks: BlockCouplings | None,
        order: Indices,
        metropolis: bool,
        at_random: bool,
    ) -> None:
        self.sparse, self._blocks, self._metropolis, self._at_random = sparse, blocks, metropolis, at_random
        if blocks is None:
            self._terms, self._order = Terms.of(sparse, parameters), order.astype(np.uint32)
        else:
            self._block_terms = BlockTerms.of(sparse, blocks, parameters)
            n = len(sparse.indptr) - 1
            self._is_free = np.zeros(n, np.uint8)
            self._is_free[order] = 1

    def run(self, tiles: Tiles, betas: Floats32) -> None:
        """Run one sweep at each of `betas`, in place."""
        if self._blocks is None:
            sparse_sweeps(
                tiles.bits,
                tiles.streams,
                tiles.held,
                self._order,
                np.empty_like(self._order),
                np.empty(4, np.uint32),
                self._terms.fields,
                self.sparse.indptr,
                self.sparse.indices,
                self._terms.couplings,
                betas,
                tiles.scales,
                self._metropolis,
                self._at_random,
            )
            return
        fields, values, inner = self._block_terms
        block_sweeps(
            tiles.bits,
            tiles.streams,
            tiles.held,
            self._blocks.members,
            self._blocks.linked,
            self._is_free,
            fields,
            self._blocks.starts,
            self._blocks.columns,
            values,
            inner,
            tiles.scratch,
            betas,
            tiles.scales,
            self._metropolis,
        )
