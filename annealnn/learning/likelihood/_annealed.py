"""Runs of annealed importance sampling over tiles of 32 reads."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from annealnn._parallel import Watch, run_blocks
from annealnn.kernels._lanes import WIDTH
from annealnn.kernels.importance import importance_block_sweeps, importance_sweeps
from annealnn.kernels.worldlines import worldline_importance_sweeps
from annealnn.models import Parameters, Structure
from annealnn.samplers import streams_from_seed
from annealnn.samplers._control import Progress, RunControl
from annealnn.samplers._couplings import BlockTerms, SparseCouplings, Terms, choose_blocks
from annealnn.samplers._tiles import Tiles, aligned_empty
from annealnn.typing import AnyArray, Floats, Floats32, Indices, Spins


class Effort(NamedTuple):
    """What a run costs and how it is watched."""

    num_steps: int
    seed: int
    num_threads: int | None = None
    progress: Progress = False


def summed_first(structure: Structure) -> tuple[Indices, int]:
    """Return an order of the variables, and how many at its beginning are not coupled to each other.

    Greedily, those of fewest neighbours first: the hidden or the visible units of a restricted machine, whichever are
    more.
    """
    sparse = SparseCouplings.of(structure)
    indptr, indices = sparse.indptr.astype(np.intp), sparse.indices.astype(np.intp)
    is_summed = np.zeros(structure.num_variables, bool)
    is_next = np.zeros(structure.num_variables, bool)
    for v in np.argsort(np.diff(indptr), kind="stable"):
        if not is_next[v]:
            is_summed[v] = True
            is_next[indices[indptr[v] : indptr[v + 1]]] = True
    return np.argsort(~is_summed, kind="stable"), int(is_summed.sum())


def anneal(
    structure: Structure,
    parameters: Parameters,
    start: Floats,
    num_runs: int,
    effort: Effort,
    *,
    reads: Spins | None = None,
) -> Floats:
    """Return the log-weights of runs from independent spins to E_1, or of `reads` of E_1 back to them, (num_runs,).

    E_t = E_0 + t D; D has `parameters`, E_0 has fields `start`, both in Eq. (1)'s sign; beta = 1.

    Parameters
    ----------
    structure
    parameters
    start : (num_variables,), or (num_rows, num_variables) with num_runs / num_rows runs after another for each row
    num_runs
    effort
    reads : (num_runs, num_variables), optional
    """
    order, num_summed = summed_first(structure)
    rank = np.argsort(order)
    structure = Structure(structure.num_variables, rank[structure.edges])
    parameters = Parameters(np.asarray(parameters.fields)[order], parameters.couplings)
    starts = np.atleast_2d(start)[:, order].astype(np.float32)
    n, sparse = structure.num_variables, SparseCouplings.of(structure)
    blocks = choose_blocks(structure, sparse)
    path = _path(effort.num_steps, backwards=reads is not None)
    lowest = float(structure.energies(parameters, np.full((1, n), -1, np.int8))[0])
    if blocks is None:
        terms = Terms.of(sparse, parameters)
        pattern: tuple[AnyArray, ...] = terms.fields, sparse.indptr, sparse.indices, terms.couplings
    else:
        fields, values, inner = BlockTerms.of(sparse, blocks, parameters)
        pattern = blocks.members, fields, blocks.starts, blocks.columns, values, inner
    kernel = importance_sweeps if blocks is None else importance_block_sweeps

    def begin(block: slice) -> tuple[Spins, Floats]:
        if reads is None:
            return np.full((block.stop - block.start, n), -1, np.int8), np.full(block.stop - block.start, lowest)
        spins = np.ascontiguousarray(reads[block][:, order])
        return spins, structure.energies(parameters, spins)

    def sweep(tiles: Tiles, lanes: Floats32, part: Floats32, differences: Floats, log_weights: Floats) -> None:
        scratch = aligned_empty((11, WIDTH), np.float32)
        kernel(tiles.bits, tiles.streams, lanes, num_summed, *pattern, part, scratch, differences, log_weights)

    cost = n + 2 * structure.num_edges
    return _run(begin, lambda block: (_lanes_of(starts, block, num_runs),), sweep, path, num_runs, cost, effort)


def anneal_worldlines(
    structure: Structure,
    parameters: Parameters,
    gammas: Floats,
    start: Floats,
    num_slices: int,
    num_runs: int,
    effort: Effort,
    *,
    pinned: Spins | None = None,
) -> Floats:
    """Return the log-weights of runs from independent worldlines to those of `parameters`, (num_runs,).

    Parameters
    ----------
    structure
    parameters
    gammas : (num_variables,)
    start : (num_variables,)
        Fields of the independent worldlines, Eq. (1)'s sign.
    num_slices
    num_runs
    effort
    pinned : (num_rows, num_pinned), optional
        Values of the first variables at slice 0; num_runs / num_rows runs for each row.
    """
    n, sparse = structure.num_variables, SparseCouplings.of(structure)
    rise = Parameters(np.asarray(parameters.fields) - start, parameters.couplings)
    terms = Terms.of(sparse, rise)
    starts, hops = (-start).astype(np.float32), np.tanh(gammas / num_slices).astype(np.float32)
    num_pinned = 0 if pinned is None else pinned.shape[1]
    is_pinned = (np.arange(n) < num_pinned).astype(np.uint8)

    def begin(block: slice) -> tuple[Spins, Floats]:
        rows = np.arange(block.start, block.stop)
        lines = np.full((len(rows), n, num_slices), -1, np.int8)
        if pinned is not None:
            lines[:, :num_pinned, 0] = pinned[rows // (num_runs // len(pinned))]
        lowest = structure.energies(rise, np.full((1, n), -1, np.int8))[0]
        first = structure.energies(rise, lines[:, :, 0])
        return lines.reshape(len(rows), -1), (first + (num_slices - 1) * lowest) / num_slices

    def sweep(tiles: Tiles, part: Floats32, differences: Floats, log_weights: Floats) -> None:
        worldline_importance_sweeps(
            tiles.bits,
            tiles.streams,
            starts,
            is_pinned,
            terms.fields,
            sparse.indptr,
            sparse.indices,
            terms.couplings,
            hops,
            part,
            num_slices,
            aligned_empty((5 * num_slices, WIDTH), np.float32),
            differences,
            log_weights,
        )

    cost = num_slices * (2 * n + 2 * structure.num_edges)
    return _run(begin, lambda _: (), sweep, _path(effort.num_steps), num_runs, cost, effort)


def _path(num_steps: int, *, backwards: bool = False) -> Floats32:
    """Return the values of t, (num_steps + 1,): a sweep at 0 draws the first read; a read of E_1 needs none."""
    path = np.linspace(0.0, 1.0, num_steps).astype(np.float32)
    return path[::-1].copy() if backwards else np.concatenate([path[:1], path])


def _lanes_of(start: Floats32, block: slice, num_runs: int) -> Floats32:
    """Return fields (num_rows, n), Eq. (1)'s sign, as the kernels take them, dimod's sign: a column for each read."""
    if len(start) == 1:
        lanes = aligned_empty((start.shape[1], WIDTH), np.float32)
        lanes[:] = -start[0][:, None]
        return lanes
    rows = start[np.arange(block.start, block.stop) // (num_runs // len(start))]
    padded = np.pad(rows, ((0, -len(rows) % WIDTH), (0, 0)))
    lanes = aligned_empty((len(padded) // WIDTH * start.shape[1], WIDTH), np.float32)
    lanes[:] = -padded.reshape(-1, WIDTH, start.shape[1]).transpose(0, 2, 1).reshape(-1, WIDTH)
    return lanes


def _run(
    begin: Callable[[slice], tuple[Spins, Floats]],
    lanes_of: Callable[[slice], tuple[Floats32, ...]],
    sweep: Callable[..., None],
    path: Floats32,
    num_runs: int,
    cost: int,
    effort: Effort,
) -> Floats:
    """Run `sweep` along `path` over blocks of runs; return their log-weights, (num_runs,).

    `begin(block)` gives the spins (num_reads, num_spins) of the runs of a block, and D of each (num_reads,).
    """
    log_weights = np.empty(num_runs)
    streams = streams_from_seed(effort.seed, num_runs)

    def work(block: slice, steps: Iterator[slice]) -> None:
        spins, energies = begin(block)
        tiles = Tiles(spins, streams[block])
        differences, sums = np.zeros((2, len(tiles.bits), WIDTH))
        differences.reshape(-1)[: len(spins)] = energies
        lanes = lanes_of(block)
        for some in steps:
            # one point more than steps: the kernel moves between neighbours
            sweep(tiles, *lanes, path[some.start : some.stop + 1], differences, sums)
        log_weights[block] = sums.reshape(-1)[: len(spins)]

    def run(watch: Watch | None) -> bool:
        return run_blocks(
            work,
            num_reads=num_runs,
            num_sweeps=len(path) - 1,
            sweep_cost=cost,
            num_threads=effort.num_threads,
            tile=WIDTH,
            watch=watch,
        )

    if effort.progress is False:
        run(None)
        return log_weights
    with RunControl(effort.progress).watch("annealed importance sampling", num_runs * (len(path) - 1)) as watch:
        if run(watch):
            # part of the runs is no estimate
            raise KeyboardInterrupt
        watch(1.0)
    return log_weights
