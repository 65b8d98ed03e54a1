"""Calls from several Python threads at once give what each gives alone."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import dimod
import numpy as np
import pytest

from annealnn import BoltzmannMachine, GibbsSampler
from annealnn import _parallel as parallel
from annealnn.datasets import load_optdigits
from annealnn.testing._sampler_checks import rows_of
from annealnn.testing._samplers import own_samplers

# four parts of three variables that hang together: exact annealers reach few at once
BQM = dimod.BQM(
    {},
    {(3 * k + i, 3 * k + j): J for k in range(4) for i, j, J in [(0, 1, 1.0), (1, 2, -2.0), (0, 2, 3.0)]},
    0.0,
    "SPIN",
)


def together(calls):
    """Return what the calls return, all begun at the same moment, each on a thread of its own."""
    ready = Barrier(len(calls))

    def begin(call):
        ready.wait(timeout=60)
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(begin, calls))


@pytest.mark.parametrize("case", own_samplers(), ids=lambda case: case.name)
def test_samplers_in_two_threads(case):
    calls = [lambda seed=seed: rows_of(case.sample(BQM, num_reads=200, seed=seed), BQM) for seed in range(2)] * 2
    alone = [call() for call in calls]
    for found, expected in zip(together(calls), alone, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(alone[0], alone[1])


def test_one_sampler_shared_by_two_threads():
    sampler = GibbsSampler()
    calls = [lambda n=n: sampler.sample(BQM, num_reads=50, seed=3, num_threads=n).record.sample for n in (1, 2, 1, 2)]
    one, *others = together(calls)
    for other in others:
        np.testing.assert_array_equal(one, other)


def test_two_machines_learn_at_once(bars):
    X, y = bars
    calls = [
        lambda seed=seed: BoltzmannMachine(n_iter=20, n_particles=50, random_state=seed).fit(X, y) for seed in (0, 1)
    ]
    alone = [call() for call in calls]
    for found, expected in zip(together(calls), alone, strict=True):
        assert found.model_ == expected.model_


def test_data_are_loaded_by_two_threads():
    first, second = together([lambda: load_optdigits("test").data] * 2)
    np.testing.assert_array_equal(first, second)


def test_threads_that_need_a_pool_at_once_share_it(monkeypatch):
    def slow(*arguments, **keywords):
        time.sleep(0.05)
        return ThreadPoolExecutor(*arguments, **keywords)

    monkeypatch.setattr(parallel, "_pools", {})
    monkeypatch.setattr(parallel, "ThreadPoolExecutor", slow)
    pools = together([lambda: parallel._pool(3)] * 8)
    assert len(set(map(id, pools))) == 1
