"""The learner's door of path-integral Monte Carlo in discrete imaginary time."""

from collections.abc import Iterator
from typing import Any, final

import numpy as np

from annealnn._parallel import Watch, run_blocks
from annealnn.kernels._lanes import WIDTH
from annealnn.kernels.worldlines import average_worldlines, sum_worldlines, worldline_sweeps
from annealnn.models import Clamp, Moments, Parameters, Structure
from annealnn.samplers._compiled import CompiledSampler, SamplerState, Step, Want
from annealnn.samplers._couplings import SparseCouplings, Terms
from annealnn.samplers._tiles import Tiles, aligned_empty
from annealnn.typing import AnyArray, Floats, Floats32, Spins

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
        self._heads, self._tails = (np.ascontiguousarray(column) for column in structure.edges.T)

    def init(self, num_reads: int, seed: int) -> SamplerState:
        """Return random worldlines without kinks."""
        state = super().init(num_reads, seed)
        return state._replace(kept={WORLDLINES: np.repeat(state.spins[:, :, None], self.num_slices, axis=2)})

    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Run the sweeps from `state`; `info["transverse_moments"]` holds `<X_i>` where moments are wanted."""
        return self.run(parameters, state, clamp)

    def run(
        self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None, *, watch: Watch | None = None
    ) -> Step:
        """Run the sweeps from `state`; see `CompiledSweeps.run`."""
        n, m, before = self.structure.num_variables, self.num_slices, state.kept[WORLDLINES]
        order = np.arange(n)
        if clamp is not None:
            before = before.copy()
            before[:, clamp.variables] = clamp.spins[:, :, None]
            order = np.setdiff1d(order, clamp.variables)
        before = before.reshape(len(before), n * m)
        after, streams = np.empty_like(before), np.empty_like(state.streams)
        terms = Terms.of(self._sparse, parameters)
        visited, random_columns = order.astype(np.uint32), (order[:, None] * m + np.arange(m)).reshape(-1)
        sums: list[tuple[AnyArray, ...]] = []
        done = np.zeros(len(before), np.int64)

        def work(block: slice, sweeps: Iterator[slice]) -> None:
            tiles = Tiles(before[block], state.streams[block])
            if self._fresh:
                tiles.randomise(random_columns[::m])
                tiles.bits[:, random_columns] = np.repeat(tiles.bits[:, random_columns[::m]], m, axis=1)
            scratch = aligned_empty((4 * m, WIDTH), np.float32)
            for some in sweeps:
                worldline_sweeps(
                    tiles.bits,
                    tiles.streams,
                    visited,
                    terms.fields,
                    self._sparse.indptr,
                    self._sparse.indices,
                    terms.couplings,
                    self._gammas,
                    self._betas[some],
                    self._ramps[some],
                    tiles.scales,
                    np.ones_like(tiles.scales),
                    m,
                    scratch,
                )
                done[block] = some.stop
            tiles.unpack(after[block], streams[block])
            if self.want == "moments":
                ones, twos, kinks = np.zeros(n, np.int64), np.zeros(len(self._heads), np.int64), np.zeros(n, np.int64)
                sum_worldlines(tiles.bits, tiles.kept(), self._heads, self._tails, m, ones, twos, kinks)
                sums.append((ones, twos, kinks))

        stopped = run_blocks(
            work,
            num_reads=len(before),
            num_sweeps=len(self._betas),
            sweep_cost=m * (2 * n + 2 * self.structure.num_edges),
            num_threads=self._num_threads,
            tile=WIDTH,
            watch=watch,
        )
        worldlines = after.reshape(len(after), n, m)
        info: dict[str, Any] = {"sweeps_done": done, "stopped": stopped}
        moments = None
        if self.want == "moments" and not stopped:
            # integer sums: the order in which blocks finish does not show
            ones, twos, kinks = (sum(parts) / (len(before) * m) for parts in zip(*sums, strict=True))
            moments = Moments(ones, twos)
            info["transverse_moments"] = self.transverse(kinks)
        spins = np.ascontiguousarray(worldlines[:, :, 0])
        return Step(SamplerState(spins, streams, {WORLDLINES: worldlines}), spins, moments, info)

    def transverse(self, kinks: AnyArray) -> Floats:
        """Return `<X_i>` from the part of bonds in time that are kinks, (..., num_variables).

        A bond between like spins counts tanh(dtau gamma_i), one between unlike spins its inverse.
        """
        beta, gammas = self._last
        hop = np.tanh(beta / self.num_slices * gammas)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(hop > 0, (1 - kinks) * hop + kinks / hop, 0.0)

    def average(self, state: SamplerState, block: slice) -> tuple[Floats32, Floats32, Floats32]:
        """Return each read's means over imaginary time, of a block of reads.

        Of spins (num_reads, num_variables), of products along edges (num_reads, num_edges), and of X (num_reads,
        num_variables).
        """
        worldlines: Spins = np.ascontiguousarray(state.kept[WORLDLINES][block])
        spins, kinks = (np.empty(worldlines.shape[:2], np.float32) for _ in range(2))
        pairs = np.empty((len(worldlines), len(self._heads)), np.float32)
        average_worldlines(worldlines, self._heads, self._tails, spins, pairs, kinks)
        return spins, pairs, self.transverse(kinks).astype(np.float32)
