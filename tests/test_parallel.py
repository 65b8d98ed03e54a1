"""Blocks of reads on threads: complete, interruptible, safe to fork."""

import multiprocessing
import signal
import subprocess
import sys
import time

import dimod
import numpy as np
import pytest

from annealnn import GibbsSampler
from annealnn import _parallel as parallel
from annealnn.testing import LOPSIDED

LONG = """
import dimod, numpy as np
from annealnn import GibbsSampler, _parallel
n = 200
rng = np.random.default_rng(0)
bqm = dimod.BQM.from_ising({}, {(i, j): rng.normal() for i in range(n) for j in range(i)})
GibbsSampler().sample(bqm, num_reads=1, num_sweeps=1, num_threads=THREADS)
wait = _parallel.wait
def say_and_wait(*args, **keywords):
    _parallel.wait = wait
    print("sampling", flush=True)
    return wait(*args, **keywords)
_parallel.wait = say_and_wait
reads = GibbsSampler().sample(bqm, num_reads=40, num_sweeps=10**7, num_threads=THREADS)
print(len(reads), reads.info["interrupted"], flush=True)
"""


@pytest.mark.parametrize(("num_reads", "num_sweeps", "cost"), [(1, 1, 1), (7, 50, 10), (5, 30, 10**7), (3, 4, 10**9)])
def test_every_sweep_of_every_read_runs_once(monkeypatch, num_reads, num_sweeps, cost):
    ran = np.zeros((num_reads, num_sweeps), int)

    def work(block, sweeps):
        for some in sweeps:
            ran[block, some] += 1

    parallel.run_blocks(work, num_reads=num_reads, num_sweeps=num_sweeps, sweep_cost=cost, num_threads=2)
    assert (ran == 1).all()


def test_calls_stay_short():
    longest = []

    def work(block, sweeps):
        longest.extend((block.stop - block.start) * (some.stop - some.start) for some in sweeps)

    parallel.run_blocks(work, num_reads=1000, num_sweeps=100, sweep_cost=10**5, num_threads=2)
    assert max(longest) * 10**5 <= parallel._CALL


def test_errors_of_a_block_reach_the_caller():
    def work(block, sweeps):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        parallel.run_blocks(work, num_reads=4, num_sweeps=1, sweep_cost=1)


def sample_in_child(queue):
    queue.put(GibbsSampler().sample(LOPSIDED, num_reads=20, seed=1).record.sample)


if sys.platform != "win32":  # which can neither be sent SIGINT nor fork

    @pytest.mark.parametrize("threads", [1, 2])
    def test_ctrl_c_ends_a_long_sampling_soon(threads):
        code = LONG.replace("THREADS", str(threads))
        with subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as run:
            assert run.stdout.readline() == "sampling\n"
            started = time.monotonic()
            run.send_signal(signal.SIGINT)
            said, errors = run.communicate(timeout=60)
        assert said == "40 True\n", errors
        assert time.monotonic() - started < 10

    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_sampling_after_a_fork():
        expected = GibbsSampler().sample(LOPSIDED, num_reads=20, seed=1).record.sample
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        child = context.Process(target=sample_in_child, args=(queue,))
        child.start()
        np.testing.assert_array_equal(queue.get(timeout=60), expected)
        child.join(timeout=60)
        assert child.exitcode == 0


def test_reads_do_not_depend_on_how_they_are_cut(monkeypatch):
    bqm = dimod.generators.ran_r(3, 12, seed=1)
    whole = GibbsSampler().sample(bqm, num_reads=30, num_sweeps=40, seed=2).record.sample
    monkeypatch.setattr(parallel, "_CALL", 50)
    pieces = GibbsSampler().sample(bqm, num_reads=30, num_sweeps=40, seed=2).record.sample
    np.testing.assert_array_equal(whole, pieces)
