"""The learner's door of path-integral Monte Carlo in continuous imaginary time."""

from collections.abc import Iterator
from typing import Any, final

import numpy as np

from annealnn._parallel import Watch, run_blocks
from annealnn.kernels.continuous import continuous_sweeps, continuous_transverse_means, overlap_worldlines
from annealnn.models import Clamp, Moments, Parameters, Structure, dimod_terms
from annealnn.samplers._clamps import Start
from annealnn.samplers._compiled import CompiledSampler, SamplerState, Step, Want
from annealnn.samplers._couplings import SparseCouplings
from annealnn.samplers._worldlines import Averages
from annealnn.typing import AnyArray, Floats

# an update of a worldline costs as much as this many of the vectors' operations
_SCALAR_COST = 40
_READS_AT_ONCE = 64


@final
class CompiledContinuous(CompiledSampler):
    """Sweeps over worldlines in continuous imaginary time, without Trotter error; the state's go on.

    A read is the spins at time 0. Moments are means over imaginary time. The state keeps "kinks", (num_reads,
    num_variables, capacity) float64, their times in rising order, in units of beta, and "num_kinks", (num_reads,
    num_variables) int32.

    Parameters
    ----------
    structure
    beta : float
        Above 0.
    gammas : (num_variables,)
        Transverse fields, energy units.
    num_sweeps : int
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
        num_sweeps: int,
        want: Want = "spins",
        num_threads: int | None = None,
    ) -> None:
        super().__init__(structure, want)
        self._beta, self._gammas, self._num_sweeps, self._num_threads = beta, beta * gammas, num_sweeps, num_threads
        self._sparse = SparseCouplings.of(structure)
        self._heads, self._tails = structure.ends

    def init(self, num_reads: int, seed: int) -> SamplerState:
        """Return random worldlines without kinks."""
        state = super().init(num_reads, seed)
        shape, capacity = (num_reads, self.structure.num_variables), kinks_at_first(self._gammas)
        kept: dict[str, AnyArray] = {"kinks": np.zeros((*shape, capacity)), "num_kinks": np.zeros(shape, np.int32)}
        return state._replace(kept=kept)

    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Run the sweeps from `state`."""
        return self.run(parameters, state, clamp)

    def run(
        self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None, *, watch: Watch | None = None
    ) -> Step:
        """Run the sweeps from `state`; see `CompiledSweeps.run`."""
        n, num_reads = self.structure.num_variables, len(state.spins)
        if not {"kinks", "num_kinks"} <= set(state.kept):
            msg = f"a step goes on from kinks; the state keeps {sorted(state.kept) or 'nothing'}. Begin with init()"
            raise ValueError(msg)
        start = Start.of(state.spins, clamp)
        spins, streams, is_free = start.rows.copy(), state.streams.copy(), start.is_free()
        counts = np.where(is_free, state.kept["num_kinks"], np.int32(0))
        linear, couplings = self._terms(parameters)
        blocks: list[tuple[int, AnyArray]] = []
        done = np.zeros(num_reads, np.int64)

        def work(block: slice, sweeps: Iterator[slice]) -> None:
            times = state.kept["kinks"][block].copy()
            for some in sweeps:
                progress = np.zeros((len(times), 2), np.int64)
                while not continuous_sweeps(
                    times,
                    counts[block],
                    spins[block],
                    streams[block],
                    is_free[block],
                    linear,
                    self._sparse.indptr,
                    self._sparse.indices,
                    couplings,
                    self._gammas,
                    some.stop - some.start,
                    progress,
                    np.empty(times.shape[2]),
                    np.empty(times.shape[2] + 1),
                    np.empty(times.shape[2] + 1, np.int8),
                ):
                    times = np.pad(times, ((0, 0), (0, 0), (0, times.shape[2])))
                done[block] = some.stop
            blocks.append((block.start, times))

        stopped = run_blocks(
            work,
            num_reads=num_reads,
            num_sweeps=self._num_sweeps,
            sweep_cost=int(_SCALAR_COST * (1 + self._gammas.max(initial=0)) * (n + self.structure.num_edges)),
            num_threads=self._num_threads,
            watch=watch,
        )
        widest = max(times.shape[2] for _, times in blocks)
        wide = [np.pad(t, ((0, 0), (0, 0), (0, widest - t.shape[2]))) for _, t in sorted(blocks, key=lambda b: b[0])]
        after = SamplerState(spins, streams, {"kinks": np.concatenate(wide), "num_kinks": counts})
        info: dict[str, Any] = {"sweeps_done": done, "stopped": stopped}
        moments = None
        if self.want == "moments" and not stopped:
            totals = [np.zeros(n), np.zeros(len(self._heads))]
            for first in range(0, num_reads, _READS_AT_ONCE):
                parts = self._overlaps(after, slice(first, first + _READS_AT_ONCE))
                totals = [total + part.sum(axis=0) for total, part in zip(totals, parts, strict=True)]
            moments = Moments(totals[0] / num_reads, totals[1] / num_reads)
        return Step(after, spins, moments, info)

    def _terms(self, parameters: Parameters) -> tuple[Floats, Floats]:
        """Return beta times dimod's linear biases, and times the couplings by CSR."""
        linear, quadratic = dimod_terms(parameters)
        return self._beta * linear, self._beta * quadratic[self._sparse.edge_of]

    def _overlaps(self, state: SamplerState, block: slice) -> tuple[Floats, Floats]:
        """Return each read's means over imaginary time of spins and of products along edges, of a block of reads."""
        counts = state.kept["num_kinks"][block]
        spins, pairs = np.empty(counts.shape), np.empty((len(counts), len(self._heads)))
        overlap_worldlines(
            state.kept["kinks"][block], counts, state.spins[block], self._heads, self._tails, spins, pairs
        )
        return spins, pairs

    def average(self, parameters: Parameters, state: SamplerState, block: slice) -> Averages:
        """Return each read's means over imaginary time, of a block of reads."""
        times, counts = state.kept["kinks"][block], state.kept["num_kinks"][block]
        transverse, linear = np.empty(counts.shape), self._terms(parameters)
        # of all neighbours of a variable, at most
        longest = int(np.diff(self._sparse.indptr).max(initial=0)) * int(counts.max(initial=0)) + 1
        continuous_transverse_means(
            times,
            counts,
            state.spins[block],
            linear[0],
            self._sparse.indptr,
            self._sparse.indices,
            linear[1],
            self._gammas,
            np.empty(longest),
            np.empty(longest),
            transverse,
        )
        return Averages(*self._overlaps(state, block), transverse)


def kinks_at_first(gammas: Floats) -> int:
    """Return for how many kinks a worldline has room at first, gammas multiplied by beta."""
    cuts = float(gammas.max(initial=0.0))
    return int(2 * cuts + 8 * np.sqrt(2 * cuts)) + 8
