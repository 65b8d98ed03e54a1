"""The learner's door: compile a structure once, then step with new parameters many times."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, final

import numpy as np
from scipy.sparse import csr_array

from annealnn._parallel import run_blocks
from annealnn._rng import streams_from_seed
from annealnn.kernels.sweeps import random_spins, sum_moments
from annealnn.models import Clamp, Moments, Parameters, Structure, dimod_terms
from annealnn.typing import AnyArray, Floats, Indices, Spins, Words

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
        return cls(matrix.indptr.astype(np.intp), matrix.indices.astype(np.intp), matrix.data.astype(np.intp) - 1)


@final
class CompiledSweeps(CompiledSampler):
    """Single-spin sweeps at given betas, from the state's spins or from fresh random ones."""

    def __init__(
        self,
        structure: Structure,
        *,
        kernel: Callable[..., None],
        betas: Floats,
        fresh: bool,
        want: Want = "spins",
        num_threads: int | None = None,
    ) -> None:
        super().__init__(structure, want)
        self._kernel, self._betas, self._fresh, self._num_threads = kernel, betas, fresh, num_threads
        self.persistent = not fresh
        self._pattern = SparseCouplings.of(structure)
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

    def _run(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None, betas: Floats) -> Step:
        spins, streams = state.spins.copy(), state.streams.copy()
        order = np.arange(self.structure.num_variables)
        if clamp is not None:
            spins[:, clamp.variables] = clamp.spins
            order = np.setdiff1d(order, clamp.variables)
        fields, quadratic = dimod_terms(parameters)
        couplings = quadratic[self._pattern.edge_of]
        sums: list[tuple[AnyArray, AnyArray]] = []

        def work(block: slice, sweeps: Iterator[slice]) -> None:
            s, words = spins[block], streams[block]
            if self._fresh:
                random_spins(s, words, order)
            for some in sweeps:
                self._kernel(
                    s, words, order, fields, self._pattern.indptr, self._pattern.indices, couplings, betas[some]
                )
            if self.want == "moments":
                ones, twos = np.zeros(s.shape[1], np.int64), np.zeros(len(self._heads), np.int64)
                sum_moments(s, self._heads, self._tails, ones, twos)
                sums.append((ones, twos))

        run_blocks(
            work,
            num_reads=len(spins),
            num_sweeps=len(betas),
            sweep_cost=len(order) + len(self._pattern.indices),
            num_threads=self._num_threads,
        )
        moments = None
        if self.want == "moments":
            # integer sums: the order in which blocks finish does not show
            moments = Moments(*(sum(parts) / len(spins) for parts in zip(*sums, strict=True)))
        return Step(SamplerState(spins, streams), spins, moments, {})
