"""The learner's door of parallel tempering: particles that are whole ladders."""

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple, final

import numpy as np

from annealnn._parallel import Watch, run_blocks
from annealnn.kernels._lanes import WIDTH
from annealnn.kernels.tempering import edge_energies, exchange_replicas, flip_clusters
from annealnn.kernels.tiles import sum_moments
from annealnn.models import Clamp, Moments, Parameters, Structure, dimod_terms
from annealnn.samplers._clamps import Start
from annealnn.samplers._compiled import CompiledSampler, SamplerState, Step, Want
from annealnn.samplers._couplings import SparseCouplings, Sweep
from annealnn.samplers._energy_record import EnergyRecord
from annealnn.samplers._tiles import Tiles, aligned_empty
from annealnn.typing import AnyArray, Floats, Floats32, Indices, Spins, Words

# sweeps at the betas that tiles hold
_ONCE = np.ones(1, np.float32)


class EdgeTerms(NamedTuple):
    """A problem's parameters as `edge_energies` takes them."""

    lowest: float  #: energy, without the offset, of all spins down
    ups: Floats32  #: (num_variables,)
    starts: Words  #: (num_variables + 1,)
    tails: Words  #: (num_edges,)
    pairs: Floats32  #: (num_edges,)

    @classmethod
    def of(cls, structure: Structure, parameters: Parameters) -> "EdgeTerms":
        """Return the terms of parameters in Eq. (1)'s sign."""
        linear, quadratic = (values.astype(np.float32).astype(np.float64) for values in dimod_terms(parameters))
        n, (heads, tails) = structure.num_variables, structure.ends
        order = np.lexsort((tails, heads))
        sums = np.bincount(heads, quadratic, n) + np.bincount(tails, quadratic, n)
        return cls(
            float(quadratic.sum() - linear.sum()),
            (2 * (linear - sums)).astype(np.float32),
            np.searchsorted(heads[order], np.arange(n + 1)).astype(np.uint32),
            tails[order].astype(np.uint32),
            (4 * quadratic[order]).astype(np.float32),
        )

    def energies(self, tiles: Tiles, out: Floats) -> None:
        """Write the energy of every row of tiles to out (num_tiles, 32)."""
        scratch = aligned_empty((1, WIDTH), np.float32)
        edge_energies(tiles.bits, self.lowest, self.ups, self.starts, self.tails, self.pairs, scratch, out)


class Ladder(NamedTuple):
    """The betas of a read's replicas, and what is done at them."""

    betas: Floats  #: (num_replicas,), rising
    target: int  #: number of the beta whose replica is the read
    copies: int = 1  #: of the ladder in a read; 2 with cluster moves
    rungs: tuple[int, ...] = ()  #: numbers of the betas with cluster moves

    @property
    def num_rows(self) -> int:
        """Rows of spins that a read takes."""
        return self.copies * len(self.betas)


class Tally(NamedTuple):
    """What the moves between replicas came to."""

    chances: Floats  #: (num_reads copies, num_replicas - 1), mean acceptance probability of exchanges; 0 without sweeps
    trips: AnyArray  #: (num_reads copies,), replicas that went from the hottest beta to the coldest
    tried: AnyArray  #: (num_reads, num_replicas), clusters grown
    sizes: AnyArray  #: (num_reads, num_replicas), spins in them

    def of(self, reads: AnyArray) -> "Tally":
        """Return what is of some reads, named by a mask (num_reads,)."""
        ladders = np.repeat(reads, len(self.trips) // max(1, len(reads)))
        return Tally(self.chances[ladders], self.trips[ladders], self.tried[reads], self.sizes[reads])


@final
class CompiledTempering(CompiledSampler):
    """Persistent ladders of replicas: each step runs `num_sweeps` more sweeps, with exchanges after each.

    The state has a row for each replica of each read, read-major, in a read copy-major, from hot to cold: spins
    (num_reads copies num_replicas, num_variables), streams (num_reads copies num_replicas, 4). A step's own spins are
    the replicas at the target beta of each read's first ladder, (num_reads, num_variables).

    Parameters
    ----------
    structure
    ladder
    num_sweeps
    want
    num_threads : int, optional
    """

    persistent = True

    def __init__(
        self,
        structure: Structure,
        ladder: Ladder,
        *,
        num_sweeps: int = 1,
        want: Want = "spins",
        num_threads: int | None = None,
    ) -> None:
        super().__init__(structure, want)
        self.ladder, self._num_sweeps, self._num_threads = ladder, num_sweeps, num_threads
        self._sweep = Sweep(structure, metropolis=False)
        # what sweeps run at is what exchanges reckon with
        self._betas = ladder.betas.astype(np.float32).astype(np.float64)
        self._rungs = np.array(ladder.rungs, np.int64)
        self._heads, self._tails = structure.ends

    def init(self, num_reads: int, seed: int) -> SamplerState:
        """Return random spins and a stream for each replica of each read."""
        return super().init(num_reads * self.ladder.num_rows, seed)

    def reads(self, state: SamplerState) -> Spins:
        """Return the replicas at the target beta, of each read's first ladder."""
        return np.ascontiguousarray(state.spins[self.ladder.target :: self.ladder.num_rows])

    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Run the sweeps from `state`; `info` has the mean acceptance of each pair's exchanges."""
        step, tally = self.run(parameters, state, clamp)
        return step._replace(info={"swap_acceptance": tally.chances.mean(axis=0)})

    def advance(
        self, parameters: Parameters, state: SamplerState, num_steps: int, clamp: Clamp | None = None
    ) -> SamplerState:
        """Return the state after `num_steps` steps."""
        return self.run(parameters, state, clamp, num_steps * self._num_sweeps)[0].state

    def run(
        self,
        parameters: Parameters,
        state: SamplerState,
        clamp: Clamp | None = None,
        num_sweeps: int | None = None,
        *,
        watch: Watch | None = None,
        record: EnergyRecord | None = None,
    ) -> tuple[Step, Tally]:
        """Run sweeps from `state`, record energies of the reads if asked, say what the moves between replicas came to.

        `info` is that of `CompiledSweeps.run`. After a stop there are no moments, and reads that were not begun are
        left out, of the tally too; if none was, all are there as they began.
        """
        num_sweeps = self._num_sweeps if num_sweeps is None else num_sweeps
        n, size, depth = self.structure.num_variables, self.ladder.num_rows, len(self._betas)
        start = Start.of(state.spins, clamp, size)
        before = start.rows
        spins, streams = np.empty_like(before), np.empty_like(state.streams)
        num_reads = len(spins) // size
        sweep, terms = self._sweep.at(parameters, start.order), EdgeTerms.of(self.structure, parameters)
        # a flip of all spins leaves the energy as it was, and no spin is held
        even = clamp is None and not np.any(parameters.fields)
        num_ladders = num_reads * self.ladder.copies
        tally = Tally(
            np.zeros((num_ladders, depth - 1)),
            np.zeros(num_ladders, np.int64),
            np.zeros((num_reads, depth), np.int64),
            np.zeros((num_reads, depth), np.int64),
        )
        sums: list[tuple[AnyArray, AnyArray]] = []
        done = np.zeros(num_reads, np.int64)

        def work(block: slice, sweeps: Iterator[slice]) -> None:
            first = next(sweeps, None)
            if first is None and num_sweeps:
                return  # interrupted before it began
            rows = slice(size * block.start, size * block.stop)
            ladders = slice(self.ladder.copies * block.start, self.ladder.copies * block.stop)
            tiles = Tiles(before[rows], state.streams[rows], start.held_in(rows))
            mine = (*(part[ladders] for part in tally[:2]), *(part[block] for part in tally[2:]))
            replicas = _Replicas(tiles, len(before[rows]), self._betas, self._rungs, even, sweep.sparse)
            for some in chain([] if first is None else [first], sweeps):
                for part in [some] if record is None else record.cut(block, some):
                    for _ in range(part.start, part.stop):
                        sweep.run(tiles, _ONCE)
                        replicas.move(terms, *mine)
                    if record is not None and record.is_due(block, part.stop):
                        targets = replicas.holders[:: self.ladder.copies, self.ladder.target]
                        record.add(block, part.stop, replicas.energies(terms, targets))
                done[block] = some.stop
            local, words = np.empty_like(before[rows]), np.empty_like(state.streams[rows])
            tiles.unpack(local, words)
            spins[rows], streams[rows] = local[replicas.holders.reshape(-1)], words[replicas.holders.reshape(-1)]
            if self.want == "moments":
                ones, twos = np.zeros(n, np.int64), np.zeros(len(self._heads), np.int64)
                kept = replicas.columns(replicas.holders[:: self.ladder.copies, self.ladder.target])
                sum_moments(tiles.bits, kept, self._heads, self._tails, ones, twos)
                sums.append((ones, twos))

        stopped = run_blocks(
            work,
            num_reads=num_reads,
            num_sweeps=num_sweeps,
            sweep_cost=size * (n + 2 * self.structure.num_edges),
            num_threads=self._num_threads,
            tile=max(1, WIDTH // size),
            watch=watch,
        )
        np.divide(tally.chances, np.maximum(1, np.repeat(done, self.ladder.copies))[:, None], out=tally.chances)
        if stopped and not done.any():
            spins, streams = before.copy(), state.streams.copy()
        elif stopped:
            begun = done > 0
            rows = np.repeat(begun, size)
            spins, streams, done, tally = spins[rows], streams[rows], done[begun], tally.of(begun)
        moments = None
        if self.want == "moments" and not stopped:
            # integer sums: the order in which blocks finish does not show
            moments = Moments(*(sum(parts) / num_reads for parts in zip(*sums, strict=True)))
        after = SamplerState(spins, streams)
        return Step(after, self.reads(after), moments, {"sweeps_done": done, "stopped": stopped}), tally


@final
class _Replicas:
    """Which row of some tiles is at which beta, and the moves between rows."""

    def __init__(
        self, tiles: Tiles, num_rows: int, betas: Floats, rungs: Indices, even: bool, sparse: SparseCouplings
    ) -> None:
        num_spins = tiles.bits.shape[1]
        self._tiles, self._betas, self._rungs, self._even, self._sparse = tiles, betas, rungs, even, sparse
        self.holders = np.arange(num_rows).reshape(-1, len(betas))
        tiles.scales.reshape(-1)[:num_rows] = np.tile(betas, len(self.holders))
        self._energies = np.zeros(tiles.scales.shape)
        self._headings = np.zeros(tiles.scales.shape, np.uint8)
        self._members, self._inside = np.empty(num_spins, np.uint32), np.empty(num_spins, np.uint8)

    def move(self, terms: EdgeTerms, chances: Floats, trips: AnyArray, tried: AnyArray, sizes: AnyArray) -> None:
        """Flip clusters and exchange betas, and add to the tally."""
        tiles = self._tiles
        if len(self._rungs):
            flip_clusters(
                tiles.bits,
                tiles.streams,
                self.holders,
                self._rungs,
                self._even,
                self._sparse.indptr,
                self._sparse.indices,
                self._members,
                self._inside,
                tried,
                sizes,
            )
        if len(self._betas) > 1:
            terms.energies(tiles, self._energies)
            exchange_replicas(
                self._energies, tiles.streams, self.holders, self._betas, tiles.scales, self._headings, chances, trips
            )

    def energies(self, terms: EdgeTerms, rows: Indices) -> Floats:
        """Return the energies of these rows, after `move`."""
        if len(self._betas) == 1:
            # there was no exchange to sum them for
            terms.energies(self._tiles, self._energies)
        return np.asarray(self._energies.reshape(-1)[rows])

    def columns(self, rows: Indices) -> Words:
        """Return a word for each tile, with bits 1 for these rows."""
        flags = np.zeros(self._tiles.scales.shape, np.uint32)
        flags.reshape(-1)[rows] = 1
        words: Words = (flags << np.arange(WIDTH, dtype=np.uint32)).sum(axis=1, dtype=np.uint32)
        return words
