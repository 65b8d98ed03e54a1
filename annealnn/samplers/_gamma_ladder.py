"""The learner's door of path-integral Monte Carlo with replicas at other transverse fields."""

from collections.abc import Iterator
from typing import Any, final

import numpy as np

from annealnn._parallel import Watch, run_blocks
from annealnn.kernels._lanes import WIDTH
from annealnn.kernels.tempering import exchange_replicas
from annealnn.kernels.worldlines import count_kinks, worldline_sweeps
from annealnn.models import Clamp, Moments, Parameters, Structure
from annealnn.samplers._clamps import Start
from annealnn.samplers._compiled import CompiledSampler, SamplerState, Step, Want
from annealnn.samplers._couplings import SparseCouplings, Terms
from annealnn.samplers._tiles import Tiles, aligned_empty
from annealnn.samplers._worldlines import WORLDLINES, Averages, averages, worldlines_of
from annealnn.typing import Floats, Floats32, Spins


@final
class CompiledGammaLadder(CompiledSampler):
    """Persistent ladders of worldlines at falling transverse fields, which neighbours exchange after every sweep.

    The weight of a configuration depends on the transverse field by tanh(dtau gamma)**(number of kinks) alone, up to a
    factor that is the same for all: so an exchange is accepted with probability min(1, (t_a / t_b)**(k_b - k_a)).

    The state has a row for each replica of each read, read-major, from the strongest field to the weakest, which is the
    read's; see `CompiledWorldlines` for what it keeps.

    Parameters
    ----------
    structure
    beta : float
        Above 0.
    gammas : (num_replicas,)
        Falling, above 0, energy units; the same for all variables.
    num_slices, num_sweeps : int
    want
    num_threads : int, optional
    """

    persistent = True

    def __init__(
        self,
        structure: Structure,
        *,
        beta: float,
        gammas: Floats,
        num_slices: int,
        num_sweeps: int,
        want: Want = "spins",
        num_threads: int | None = None,
    ) -> None:
        super().__init__(structure, want)
        self.num_slices, self._beta, self._gammas = num_slices, beta, gammas.astype(np.float32)
        self._num_sweeps, self._num_threads = num_sweeps, num_threads
        # what sweeps run at is what exchanges reckon with; rising as the fields fall
        self._hops = np.tanh(beta / num_slices * self._gammas.astype(np.float64))
        self._sparse = SparseCouplings.of(structure)

    def init(self, num_reads: int, seed: int) -> SamplerState:
        """Return random worldlines without kinks, and a stream, for each replica of each read."""
        state = super().init(num_reads * len(self._gammas), seed)
        return state._replace(kept={WORLDLINES: np.repeat(state.spins[:, :, None], self.num_slices, axis=2)})

    def begin(self, spins: Spins, seed: int) -> SamplerState:
        """Return worldlines without kinks at `spins`."""
        state = super().begin(spins, seed)
        return state._replace(kept={WORLDLINES: np.repeat(state.spins[:, :, None], self.num_slices, axis=2)})

    def reads(self, state: SamplerState) -> Spins:
        """Return slice 0 of each read's replica at the weakest field."""
        size = len(self._gammas)
        return np.ascontiguousarray(state.spins[size - 1 :: size])

    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Run the sweeps from `state`; `info["swap_acceptance"]` has each pair's mean chance of exchange."""
        return self.run(parameters, state, clamp)

    def run(
        self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None, *, watch: Watch | None = None
    ) -> Step:
        """Run the sweeps from `state`; see `CompiledSweeps.run`."""
        n, m, size = self.structure.num_variables, self.num_slices, len(self._gammas)
        start = Start.of(worldlines_of(state, m), clamp, size)
        before, order = start.rows.reshape(len(state.spins), n * m), start.order.astype(np.uint32)
        after, streams = np.empty_like(before), np.empty_like(state.streams)
        num_reads = len(before) // size
        terms, ones = Terms.of(self._sparse, parameters), np.ones(max(n, 1), np.float32)
        chances, done = np.zeros((num_reads, size - 1)), np.zeros(num_reads, np.int64)
        rates = -np.log(self._hops)

        def work(block: slice, sweeps: Iterator[slice]) -> None:
            rows = slice(size * block.start, size * block.stop)
            tiles = Tiles(before[rows], state.streams[rows], start.held_in(rows))
            holders = np.arange(len(before[rows])).reshape(-1, size)
            fields: Floats32 = np.ones_like(tiles.scales)
            kinks, unused = np.zeros(tiles.scales.shape), np.zeros_like(tiles.scales)
            headings, trips = np.zeros(tiles.scales.shape, np.uint8), np.zeros(len(holders), np.int64)
            scratch = aligned_empty((4 * m, WIDTH), np.float32)
            beta = np.full(1, self._beta, np.float32)
            for some in sweeps:
                for _ in range(some.start, some.stop):
                    fields.reshape(-1)[holders] = self._gammas
                    worldline_sweeps(
                        tiles.bits,
                        tiles.streams,
                        tiles.held,
                        order,
                        terms.fields,
                        self._sparse.indptr,
                        self._sparse.indices,
                        terms.couplings,
                        ones[:n],
                        beta,
                        ones[:1],
                        tiles.scales,
                        fields,
                        m,
                        scratch,
                    )
                    count_kinks(tiles.bits, m, kinks)
                    exchange_replicas(kinks, tiles.streams, holders, rates, unused, headings, chances[block], trips)
                done[block] = some.stop
            local, words = np.empty_like(before[rows]), np.empty_like(state.streams[rows])
            tiles.unpack(local, words)
            after[rows], streams[rows] = local[holders.reshape(-1)], words[holders.reshape(-1)]

        stopped = run_blocks(
            work,
            num_reads=num_reads,
            num_sweeps=self._num_sweeps,
            sweep_cost=size * m * (2 * n + 2 * self.structure.num_edges),
            num_threads=self._num_threads,
            tile=max(1, WIDTH // size),
            watch=watch,
        )
        worldlines = after.reshape(len(after), n, m)
        new = SamplerState(np.ascontiguousarray(worldlines[:, :, 0]), streams, {WORLDLINES: worldlines})
        info: dict[str, Any] = {
            "sweeps_done": done,
            "stopped": stopped,
            "swap_acceptance": (chances.sum(axis=0) / max(1, int(done.sum()))).tolist(),
        }
        moments = None
        if self.want == "moments" and not stopped:
            found = self.average(parameters, new, slice(None))
            moments = Moments(*(part.mean(axis=0, dtype=np.float64) for part in found[:2]))
        return Step(new, self.reads(new), moments, info)

    def average(self, parameters: Parameters, state: SamplerState, block: slice) -> Averages:
        """Return each read's means over imaginary time, of a block of reads."""
        size = len(self._gammas)
        worldlines: Spins = np.ascontiguousarray(worldlines_of(state, self.num_slices)[size - 1 :: size][block])
        gammas = np.full(self.structure.num_variables, float(self._gammas[-1]))
        return averages(self.structure, self._sparse, parameters, worldlines, self._beta, gammas)
