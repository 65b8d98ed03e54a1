"""Reads in blocks on a thread pool.

Kernels are serial and release the GIL, so blocks run side by side. Every read owns its random stream: how the reads
are cut into blocks, and on how many threads they run, does not show in the result.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import pairwise
from threading import Event
from typing import TypeAlias

from annealnn._validation import check_count

# elementary operations (a term of a local field, a spin) that one uninterrupted kernel call may make: about 0.1 s of
# the slowest kernel, of the vectors' a tenth of that
_CALL = 20_000_000
# seconds between two looks at whoever watches
_LOOK_S = 0.1

# told how much of the work is done, 0 to 1; True asks to stop
Watch: TypeAlias = Callable[[float], bool]

_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}


def available_threads() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_blocks(
    work: Callable[[slice, Iterator[slice]], None],
    *,
    num_reads: int,
    num_sweeps: int,
    sweep_cost: int,
    num_threads: int | None = None,
    tile: int = 1,
    watch: Watch | None = None,
) -> bool:
    """Call `work(reads, sweeps)` on blocks that cover `num_reads`, side by side, and wait for all of them.

    Blocks are whole tiles of reads, the last one excepted.

    `sweeps` gives slices that cover `num_sweeps`, to be run one after another; none is longer than about 0.1 s at
    `sweep_cost` operations for one sweep of one read. `watch` is told now and then how much is done. An interrupt
    ends the slices after the one under way; then it is raised, or, under a watch, which may ask for the same, the rest
    of `work` is waited for, and True is returned.
    """
    threads = check_count("num_threads", num_threads) if num_threads is not None else available_threads()
    cost = max(1, sweep_cost)
    tiles = -(-num_reads // tile)
    count = min(tiles, max(threads, -(-num_reads * cost // _CALL)))
    bounds = [min(num_reads, tile * (tiles * k // count)) for k in range(count + 1)]

    def reads(k: int) -> slice:
        return slice(bounds[k], bounds[k + 1])

    def pieces(k: int) -> Iterator[slice]:
        length = max(1, _CALL // (cost * (bounds[k + 1] - bounds[k])))
        for start in range(0, num_sweeps, length):
            yield slice(start, min(start + length, num_sweeps))

    if watch is None and min(threads, count) == 1:
        # no thread to hand it to: an interrupt comes between two calls of the kernel
        for k in range(count):
            work(reads(k), pieces(k))
        return False
    stop, done = Event(), [0] * count

    def sweeps(k: int) -> Iterator[slice]:
        for piece in pieces(k):
            if stop.is_set():
                return
            yield piece
            done[k] = (bounds[k + 1] - bounds[k]) * piece.stop

    def run(k: int) -> None:
        work(reads(k), sweeps(k))

    pool = _pool(threads)
    futures: list[Future[None]] = []
    try:
        while len(futures) < count:
            futures.append(pool.submit(run, len(futures)))
        while wait(futures, timeout=None if watch is None else _LOOK_S).not_done:
            if watch is not None and watch(sum(done) / max(1, num_reads * num_sweeps)):
                stop.set()
    except BaseException as error:
        stop.set()
        if watch is None or not isinstance(error, KeyboardInterrupt):
            raise
    # an interrupt may come before all are submitted; those left run no sweep
    while len(futures) < count:
        futures.append(pool.submit(run, len(futures)))
    for future in futures:
        future.result()
    return stop.is_set()


def _pool(threads: int) -> ThreadPoolExecutor:
    # Keyed by process: the threads of a pool do not survive a fork.
    key = (os.getpid(), threads)
    if key not in _pools:
        # one step, so that two callers at once share a pool; one that lost the race never starts a thread
        _pools.setdefault(key, ThreadPoolExecutor(threads, thread_name_prefix="annealnn"))
    return _pools[key]


def side_by_side(work: Callable[[int, int], None], count: int, num_threads: int) -> None:
    """Call `work(first, last)` on `num_threads` pieces that cover `count`, and wait for all of them."""
    bounds = [count * k // num_threads for k in range(num_threads + 1)]
    futures = [_pool(num_threads).submit(work, *ends) for ends in pairwise(bounds)]
    for future in futures:
        future.result()
