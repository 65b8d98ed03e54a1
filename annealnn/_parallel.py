"""Reads in blocks on a thread pool.

Kernels are serial and release the GIL, so blocks run side by side. Every read owns its random stream:
how the reads are cut into blocks, and on how many threads they run, does not show in the result.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise

_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}


def available_threads() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_blocks(work: Callable[[slice], None], num_reads: int, num_threads: int | None = None) -> None:
    """Call `work` on slices that cover `num_reads`, side by side, and wait for all of them.

    An interrupt stops the wait, not the blocks under way: they go on writing to their own arrays, so a caller
    that wants to survive it hands in copies.
    """
    threads = min(num_threads or available_threads(), num_reads)
    if threads <= 1:
        work(slice(0, num_reads))
        return
    bounds = [num_reads * k // threads for k in range(threads + 1)]
    blocks = [slice(a, b) for a, b in pairwise(bounds)]
    futures = [_pool(threads).submit(work, block) for block in blocks]
    wait(futures)
    for future in futures:
        future.result()


def _pool(threads: int) -> ThreadPoolExecutor:
    # Keyed by process: the threads of a pool do not survive a fork.
    key = (os.getpid(), threads)
    if key not in _pools:
        _pools[key] = ThreadPoolExecutor(threads, thread_name_prefix="annealnn")
    return _pools[key]
