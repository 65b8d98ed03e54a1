"""The learner's door of path-integral Monte Carlo in discrete imaginary time."""

from collections.abc import Iterator
from typing import Any, NamedTuple, final

import numpy as np

from annealnn._parallel import Watch, run_blocks
from annealnn.kernels._lanes import WIDTH
from annealnn.kernels.worldlines import average_worldlines, sum_worldlines, transverse_means, worldline_sweeps
from annealnn.models import Clamp, Moments, Parameters, Structure, dimod_terms
from annealnn.samplers._clamps import Start
from annealnn.samplers._compiled import CompiledSampler, SamplerState, Step, Want
from annealnn.samplers._couplings import SparseCouplings, Terms
from annealnn.samplers._tiles import Tiles, aligned_empty
from annealnn.typing import AnyArray, Floats, Spins

WORLDLINES = "worldlines"


@final
class CompiledWorldlines(CompiledSampler):
    """Sweeps over worldlines of `num_slices` spins, from the state's or from fresh random ones.

    A read is slice 0. Moments are means over all slices. The state keeps "worldlines", (num_reads, num_variables,
    num_slices) int8.

    Parameters
    ----------
    structure
    betas, ramps : (num_sweeps,)
        Inverse temperature of each sweep, and what multiplies the transverse fields in it.
    gammas : (num_variables,)
        Transverse fields, energy units.
    num_slices : int
    fresh : bool
        Each step begins with random worldlines; else it goes on from the state's.
    want
    num_threads : int, optional
    """

    def __init__(
        self,
        structure: Structure,
        *,
        betas: Floats,
        ramps: Floats,
        gammas: Floats,
        num_slices: int,
        fresh: bool,
        want: Want = "spins",
        num_threads: int | None = None,
    ) -> None:
        super().__init__(structure, want)
        self._betas, self._ramps, self._gammas = (a.astype(np.float32) for a in (betas, ramps, gammas))
        self._last = float(betas[-1]), gammas * ramps[-1]
        self.num_slices, self._fresh, self._num_threads = num_slices, fresh, num_threads
        self.persistent = not fresh
        self._sparse = SparseCouplings.of(structure)
        self._heads, self._tails = structure.ends

    def init(self, num_reads: int, seed: int) -> SamplerState:
        """Return random worldlines without kinks."""
        state = super().init(num_reads, seed)
        return state._replace(kept={WORLDLINES: np.repeat(state.spins[:, :, None], self.num_slices, axis=2)})

    def begin(self, spins: Spins, seed: int) -> SamplerState:
        """Return worldlines without kinks at `spins`."""
        state = super().begin(spins, seed)
        return state._replace(kept={WORLDLINES: np.repeat(state.spins[:, :, None], self.num_slices, axis=2)})

    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Run the sweeps from `state`."""
        return self.run(parameters, state, clamp)

    def advance(
        self, parameters: Parameters, state: SamplerState, num_steps: int, clamp: Clamp | None = None
    ) -> SamplerState:
        """Return the state after `num_steps` steps, in one call of the kernel where they persist."""
        return self.run(parameters, state, clamp, num_steps=num_steps if self.persistent else 1, want="spins").state

    def run(
        self,
        parameters: Parameters,
        state: SamplerState,
        clamp: Clamp | None = None,
        *,
        num_steps: int = 1,
        want: Want | None = None,
        watch: Watch | None = None,
    ) -> Step:
        """Run the sweeps from `state`; see `CompiledSweeps.run`. `want` is what the sampler wants if None."""
        want = self.want if want is None else want
        betas, ramps = np.tile(self._betas, num_steps), np.tile(self._ramps, num_steps)
        n, m = self.structure.num_variables, self.num_slices
        start = Start.of(worldlines_of(state, m), clamp)
        before, visited = start.rows.reshape(len(state.spins), n * m), start.order.astype(np.uint32)
        after, streams = np.empty_like(before), np.empty_like(state.streams)
        terms = Terms.of(self._sparse, parameters)
        sums: list[tuple[AnyArray, ...]] = []
        done = np.zeros(len(before), np.int64)

        def work(block: slice, sweeps: Iterator[slice]) -> None:
            tiles = Tiles(before[block], state.streams[block], start.held_in(block))
            if self._fresh:
                tiles.randomise(start.order, m)
            scratch = aligned_empty((4 * m, WIDTH), np.float32)
            for some in sweeps:
                worldline_sweeps(
                    tiles.bits,
                    tiles.streams,
                    tiles.held,
                    visited,
                    terms.fields,
                    self._sparse.indptr,
                    self._sparse.indices,
                    terms.couplings,
                    self._gammas,
                    betas[some],
                    ramps[some],
                    tiles.scales,
                    np.ones_like(tiles.scales),
                    m,
                    scratch,
                )
                done[block] = some.stop
            tiles.unpack(after[block], streams[block])
            if want == "moments":
                ones, twos = np.zeros(n, np.int64), np.zeros(len(self._heads), np.int64)
                sum_worldlines(tiles.bits, tiles.kept(), self._heads, self._tails, m, ones, twos)
                sums.append((ones, twos))

        stopped = run_blocks(
            work,
            num_reads=len(before),
            num_sweeps=len(betas),
            sweep_cost=m * (2 * n + 2 * self.structure.num_edges),
            num_threads=self._num_threads,
            tile=WIDTH,
            watch=watch,
        )
        worldlines = after.reshape(len(after), n, m)
        info: dict[str, Any] = {"sweeps_done": done, "stopped": stopped}
        moments = None
        if want == "moments" and not stopped:
            # integer sums: the order in which blocks finish does not show
            moments = Moments(*(sum(parts) / (len(before) * m) for parts in zip(*sums, strict=True)))
        spins = np.ascontiguousarray(worldlines[:, :, 0])
        return Step(SamplerState(spins, streams, {WORLDLINES: worldlines}), spins, moments, info)

    def average(self, parameters: Parameters, state: SamplerState, block: slice) -> "Averages":
        """Return each read's means over imaginary time, of a block of reads."""
        worldlines: Spins = np.ascontiguousarray(worldlines_of(state, self.num_slices)[block])
        beta, gammas = self._last
        return averages(self.structure, self._sparse, parameters, worldlines, beta, gammas)


class Averages(NamedTuple):
    """Means of reads over imaginary time."""

    spins: AnyArray  #: (num_reads, num_variables)
    pairs: AnyArray  #: (num_reads, num_edges), of products along edges
    transverse: Floats  #: (num_reads, num_variables), of X given all other worldlines


def averages(
    structure: Structure,
    sparse: SparseCouplings,
    parameters: Parameters,
    worldlines: Spins,
    beta: float,
    gammas: Floats,
) -> Averages:
    """Return the means of worldlines (num_reads, num_variables, num_slices)."""
    heads, tails = structure.ends
    num_reads, n, num_slices = worldlines.shape
    spins, pairs = np.empty((num_reads, n), np.float32), np.empty((num_reads, len(heads)), np.float32)
    average_worldlines(worldlines, heads, tails, spins, pairs)
    linear, quadratic = dimod_terms(parameters)
    dtau = beta / num_slices
    transverse = np.empty((num_reads, n))
    transverse_means(
        worldlines,
        linear,
        sparse.indptr,
        sparse.indices,
        quadratic[sparse.edge_of],
        np.tanh(dtau * gammas),
        dtau,
        transverse,
    )
    return Averages(spins, pairs, transverse)


def worldlines_of(state: SamplerState, num_slices: int) -> Spins:
    """Return the worldlines that a state keeps, (num_rows, num_variables, num_slices).

    Raises
    ------
    ValueError
        If it is the state of another sampler, or has another number of slices.
    """
    worldlines = state.kept.get(WORLDLINES)
    shape = None if worldlines is None else worldlines.shape
    if worldlines is None or shape != (*state.spins.shape, num_slices):
        msg = (
            f"a step goes on from worldlines of {num_slices} slices, shape {(*state.spins.shape, num_slices)}; the "
            f"state has {'none' if shape is None else f'shape {shape}'}. Begin with init()"
        )
        raise ValueError(msg)
    return worldlines
