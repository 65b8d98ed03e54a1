"""The learner's door: compile a structure once, then step with new parameters many times."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, final

import numpy as np
from scipy.sparse import csr_array

from annealnn._parallel import run_blocks
from annealnn._rng import streams_from_seed
from annealnn.kernels._lanes import TILE
from annealnn.kernels.sweeps import dense_sweeps, pack_tile, random_spins, sparse_sweeps, sum_moments, unpack_tile
from annealnn.models import Clamp, Moments, Parameters, Structure, dimod_terms
from annealnn.typing import AnyArray, Floats, Floats32, Indices, Spins, Words

# a dense matrix of this many variables takes 256 MiB
_MOST_DENSE = 8192
_CACHE_LINE = 64

Want = Literal["moments", "spins"]


class SamplerState(NamedTuple):
    """What the next step needs. A step never changes the state it is given."""

    spins: Spins  #: (num_reads, num_variables), values -1 or +1
    streams: Words  #: (num_reads, 4) generator words


class Step(NamedTuple):
    """What one step gives."""

    state: SamplerState
    spins: Spins | None  #: (num_reads, num_variables); None where moments come without reads
    moments: Moments | None  #: None if only spins were wanted
    info: dict[str, Any]


class CompiledSampler(ABC):
    """Abstract: a sampler bound to one structure. Parameters come in Eq. (1)'s sign, not scaled by beta.

    `persistent` says whether a step goes on from the state's spins, or gives reads that forget them.
    """

    persistent = False

    def __init__(self, structure: Structure, want: Want) -> None:
        self.structure = structure
        self.want = want

    def init(self, num_reads: int, seed: int) -> SamplerState:
        """Return random spins, and one stream per read."""
        streams = streams_from_seed(seed, num_reads)
        spins = np.empty((num_reads, self.structure.num_variables), dtype=np.int8)
        random_spins(spins, streams, np.arange(self.structure.num_variables))
        return SamplerState(spins, streams)

    @abstractmethod
    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Sample at `parameters`; with `clamp`, each read holds its own row of clamped values."""

    def advance(
        self, parameters: Parameters, state: SamplerState, num_steps: int, clamp: Clamp | None = None
    ) -> SamplerState:
        """Return the state after `num_steps` steps; one step is enough for a sampler that is not persistent."""
        for _ in range(num_steps if self.persistent else 1):
            state = self.step(parameters, state, clamp).state
        return state


class SparseCouplings(NamedTuple):
    """CSR pattern of a structure's symmetric couplings; `edge_of` gives each entry's edge."""

    indptr: Indices
    indices: Indices
    edge_of: Indices

    @classmethod
    def of(cls, structure: Structure) -> "SparseCouplings":
        """Return the pattern of `structure`."""
        heads, tails = structure.edges.T
        n, edge = structure.num_variables, np.arange(structure.num_edges)
        # edges are numbered from 1 so that the first is not dropped as an explicit zero
        matrix = csr_array(
            (np.concatenate([edge, edge]) + 1, (np.concatenate([heads, tails]), np.concatenate([tails, heads]))), (n, n)
        )
        matrix.sort_indices()
        return cls(matrix.indptr.astype(np.intp), matrix.indices.astype(np.int32), matrix.data.astype(np.intp) - 1)


class Couplings(NamedTuple):
    """The couplings of a structure for the kernels: by CSR, or dense where most pairs are coupled."""

    pattern: SparseCouplings
    dense: bool

    @classmethod
    def of(cls, structure: Structure) -> "Couplings":
        """Choose the form: dense where more than a third of all pairs are coupled."""
        n = structure.num_variables
        return cls(SparseCouplings.of(structure), 6 * structure.num_edges > n * n and n <= _MOST_DENSE)

    def sweep(self, structure: Structure, quadratic: Floats) -> Callable[..., None]:
        """Return `sweep(spins, streams, order, fields, betas, metropolis)` over a tile, at these couplings."""
        if self.dense:
            matrix = structure.dense(quadratic).astype(np.float32)
            return lambda spins, streams, order, fields, *rest: dense_sweeps(
                spins, streams, order, fields, matrix, *rest
            )
        indptr, indices, edge_of = self.pattern
        values = quadratic.astype(np.float32)[edge_of]
        return lambda spins, streams, order, fields, *rest: sparse_sweeps(
            spins, streams, order, fields, indptr, indices, values, *rest
        )


@final
class CompiledSweeps(CompiledSampler):
    """Single-spin sweeps at given betas, from the state's spins or from fresh random ones."""

    def __init__(
        self,
        structure: Structure,
        *,
        metropolis: bool,
        betas: Floats,
        fresh: bool,
        want: Want = "spins",
        num_threads: int | None = None,
    ) -> None:
        super().__init__(structure, want)
        self._metropolis, self._fresh, self._num_threads = metropolis, fresh, num_threads
        self._betas = betas.astype(np.float32)
        self.persistent = not fresh
        self._couplings = Couplings.of(structure)
        self._heads, self._tails = (np.ascontiguousarray(column) for column in structure.edges.T)

    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Run the sweeps from `state`."""
        return self._run(parameters, state, clamp, self._betas)

    def advance(
        self, parameters: Parameters, state: SamplerState, num_steps: int, clamp: Clamp | None = None
    ) -> SamplerState:
        """Return the state after `num_steps` steps, in one call of the kernel where they persist."""
        betas = np.tile(self._betas, num_steps) if self.persistent else self._betas
        return self._run(parameters, state, clamp, betas).state

    def _run(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None, betas: Floats32) -> Step:
        spins, streams = state.spins.copy(), state.streams.copy()
        n = self.structure.num_variables
        order = np.arange(n)
        if clamp is not None:
            spins[:, clamp.variables] = clamp.spins
            order = np.setdiff1d(order, clamp.variables)
        linear, quadratic = dimod_terms(parameters)
        fields, sweep = linear.astype(np.float32), self._couplings.sweep(self.structure, quadratic)
        sums: list[tuple[AnyArray, AnyArray]] = []

        def work(block: slice, sweeps: Iterator[slice]) -> None:
            s, words = spins[block], streams[block]
            if self._fresh:
                random_spins(s, words, order)
            starts = range(0, len(s), TILE)
            tiles = [(aligned_empty((n, TILE), np.float32), aligned_empty((4, TILE), np.uint32)) for _ in starts]
            for start, tile in zip(starts, tiles, strict=True):
                pack_tile(s[start : start + TILE], words[start : start + TILE], *tile)
            for some in sweeps:
                for tile in tiles:
                    sweep(*tile, order, fields, betas[some], self._metropolis)
            ones, twos = np.zeros(n, np.int64), np.zeros(len(self._heads), np.int64)
            for start, tile in zip(starts, tiles, strict=True):
                unpack_tile(*tile, s[start : start + TILE], words[start : start + TILE])
                if self.want == "moments":
                    kept = (np.arange(TILE) < len(s) - start).astype(np.float32)[None]
                    sum_moments(tile[0], kept, self._heads, self._tails, ones, twos)
            sums.append((ones, twos))

        run_blocks(
            work,
            num_reads=len(spins),
            num_sweeps=len(betas),
            sweep_cost=n + 2 * self.structure.num_edges,
            num_threads=self._num_threads,
            tile=TILE,
        )
        moments = None
        if self.want == "moments":
            # integer sums: the order in which blocks finish does not show
            moments = Moments(*(sum(parts) / len(spins) for parts in zip(*sums, strict=True)))
        return Step(SamplerState(spins, streams), spins, moments, {})


def aligned_empty(shape: tuple[int, int], dtype: Any) -> AnyArray:
    """Return an empty array that begins at a multiple of 64 bytes, so that no vector straddles two cache lines."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.empty(size + _CACHE_LINE, np.uint8)
    start = -raw.ctypes.data % _CACHE_LINE
    out: AnyArray = raw[start : start + size].view(dtype).reshape(shape)
    return out
