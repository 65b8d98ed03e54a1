"""The learner's door of samplers that sweep."""

from collections.abc import Iterator
from itertools import chain
from typing import final

import numpy as np

from annealnn._parallel import Watch, run_blocks
from annealnn.kernels._lanes import WIDTH
from annealnn.models import Clamp, Moments, Parameters, Structure
from annealnn.samplers._clamps import Start
from annealnn.samplers._compiled import CompiledSampler, SamplerState, Step, Want
from annealnn.samplers._couplings import Sweep, Terms
from annealnn.samplers._energy_record import EnergyRecord
from annealnn.samplers._tiles import Tiles
from annealnn.typing import AnyArray, Floats, Floats32


@final
class CompiledSweeps(CompiledSampler):
    """Single-spin sweeps at given betas, from the state's spins or from fresh random ones.

    Parameters
    ----------
    structure
    metropolis : bool
        Metropolis updates; else heat-bath.
    betas : (num_sweeps,)
    fresh : bool
        Each step begins with random spins; else it goes on from the state's.
    at_random : bool
        Each update is of a spin drawn at random, the same for 32 reads; else sweeps go through the spins in order.
    want
    num_threads : int, optional
    """

    def __init__(
        self,
        structure: Structure,
        *,
        metropolis: bool,
        betas: Floats,
        fresh: bool,
        at_random: bool = False,
        want: Want = "spins",
        num_threads: int | None = None,
    ) -> None:
        super().__init__(structure, want)
        self._fresh, self._num_threads = fresh, num_threads
        self._betas = betas.astype(np.float32)
        self.persistent = not fresh
        self._sweep = Sweep(structure, metropolis=metropolis, at_random=at_random)
        self._heads, self._tails = structure.ends
        self._order = np.arange(structure.num_variables)

    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Run the sweeps from `state`."""
        return self.run(parameters, state, clamp)

    def advance(
        self, parameters: Parameters, state: SamplerState, num_steps: int, clamp: Clamp | None = None
    ) -> SamplerState:
        """Return the state after `num_steps` steps, in one call of the kernel where they persist."""
        betas = np.tile(self._betas, num_steps) if self.persistent else self._betas
        return self.run(parameters, state, clamp, betas=betas).state

    def run(
        self,
        parameters: Parameters,
        state: SamplerState,
        clamp: Clamp | None = None,
        *,
        betas: Floats32 | None = None,
        watch: Watch | None = None,
        record: EnergyRecord | None = None,
    ) -> Step:
        """Run the sweeps from `state`, and record energies if asked.

        `info["sweeps_done"]` has the sweeps of each read, (num_reads,); `info["stopped"]` says whether `watch`, or an
        interrupt under it, ended them. Then there are no moments, and reads that were not begun are left out; if none
        was, all are there as they began.
        """
        betas = self._betas if betas is None else betas
        n = self.structure.num_variables
        start = Start.of(state.spins, clamp)
        before, order = start.rows, self._order if clamp is None else start.order
        spins, streams = np.empty_like(before), np.empty_like(state.streams)
        sweep = self._sweep.at(parameters, order)
        terms = None if record is None else Terms.of(sweep.sparse, parameters)
        sums: list[tuple[AnyArray, AnyArray]] = []
        done = np.zeros(len(spins), np.int64)

        def work(block: slice, sweeps: Iterator[slice]) -> None:
            first = next(sweeps, None)
            if first is None and len(betas):
                return  # interrupted before it began
            tiles = Tiles(before[block], state.streams[block], start.held_in(block))
            if self._fresh:
                tiles.randomise(order)
            for some in chain([] if first is None else [first], sweeps):
                for part in [some] if record is None else record.cut(block, some):
                    sweep.run(tiles, betas[part])
                    if record is not None and record.is_due(block, part.stop):
                        record.add(block, part.stop, tiles.energies(terms, sweep.sparse))
                done[block] = some.stop
            tiles.unpack(spins[block], streams[block])
            if self.want == "moments":
                ones, twos = np.zeros(n, np.int64), np.zeros(len(self._heads), np.int64)
                tiles.add_moments(self._heads, self._tails, ones, twos)
                sums.append((ones, twos))

        stopped = run_blocks(
            work,
            num_reads=len(spins),
            num_sweeps=len(betas),
            sweep_cost=n + 2 * self.structure.num_edges,
            num_threads=self._num_threads,
            tile=WIDTH,
            watch=watch,
        )
        if stopped:
            begun = done > 0
            if begun.any():
                spins, streams, done = spins[begun], streams[begun], done[begun]
            else:
                spins, streams = before.copy(), state.streams.copy()
        moments = None
        if self.want == "moments" and not stopped:
            # integer sums: the order in which blocks finish does not show
            ones, twos = sums[0] if len(sums) == 1 else (np.sum(parts, axis=0) for parts in zip(*sums, strict=True))
            moments = Moments(ones / len(spins), twos / len(spins))
        return Step(SamplerState(spins, streams), spins, moments, {"sweeps_done": done, "stopped": stopped})
