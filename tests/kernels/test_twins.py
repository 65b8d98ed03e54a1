"""Each kernel equals its slow readable twin, bit for bit: compiled, and as plain Python.

`make test` runs this file a second time with NUMBA_DISABLE_JIT=1.
"""

import inspect
import pkgutil
from importlib import import_module

import numba
import numpy as np
import pytest

from annealnn import kernels
from annealnn import testing as twins
from annealnn._rng import streams_from_seed
from annealnn.kernels import importance, sweeps
from annealnn.kernels._local import pull
from annealnn.kernels._random import uniform
from annealnn.models import Structure
from annealnn.samplers._compiled import SparseCouplings
from annealnn.testing import _twins
from annealnn.testing._twins import pull_reference, uniform_reference

NUM_READS, NUM_SPINS = 5, 9


# words of a generator wrap around: compiled code does so in silence, numpy's scalars with a warning
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in scalar add:RuntimeWarning")


def all_kernels():
    """Return {name: kernel}, found and not listed; the generator's own step is inlined and has no name of its own."""
    found = {}
    for info in pkgutil.iter_modules(kernels.__path__, "annealnn.kernels."):
        module = import_module(info.name)
        for name, value in vars(module).items():
            plain = getattr(value, "py_func", value)
            if inspect.isfunction(plain) and plain.__module__ == info.name and name[0] != "_":
                found[name] = value
    return found


def test_every_kernel_has_a_twin_and_a_test_of_it():
    names = set(all_kernels())
    assert names >= {"heat_bath_sweeps", "metropolis_sweeps"}
    assert {f"{name}_reference" for name in names} == {name for name in vars(_twins) if name.endswith("_reference")}
    here = inspect.getsource(inspect.getmodule(all_kernels))
    assert not [name for name in names if f"{name}_reference(" not in here and f"{name}_reference)" not in here]


def test_kernels_are_compiled_unless_told_otherwise():
    compiled = [hasattr(kernel, "py_func") for kernel in all_kernels().values()]
    assert all(compiled) if not numba.config.DISABLE_JIT else not any(compiled)


@pytest.fixture
def problem():
    """A sparse random problem; couplings are multiples of 1/64, so sums are exact in any order."""
    rng = np.random.default_rng(3)
    every = Structure.complete(NUM_SPINS).edges
    structure = Structure(NUM_SPINS, every[rng.random(len(every)) < 0.6])
    values = rng.integers(-96, 97, structure.num_edges) / 64
    fields = rng.integers(-96, 97, NUM_SPINS) / 64
    pattern = SparseCouplings.of(structure)
    return structure, fields, values, (pattern.indptr, pattern.indices, values[pattern.edge_of])


@pytest.fixture
def start():
    streams = streams_from_seed(5, NUM_READS)
    spins = np.empty((NUM_READS, NUM_SPINS), np.int8)
    sweeps.random_spins(spins, streams, np.arange(NUM_SPINS))
    return spins, streams


def test_uniform_equals_reference():
    a, b = streams_from_seed(1, 1)[0], streams_from_seed(1, 1)[0]
    assert [uniform(a) for _ in range(100)] == [uniform_reference(b) for _ in range(100)]
    np.testing.assert_array_equal(a, b)


def test_uniform_equals_the_published_generator():
    # xoshiro256++ from state (1, 2, 3, 4): the first outputs of its authors' C code
    state = np.array([1, 2, 3, 4], dtype=np.uint64)
    published = [41943041, 58720359, 3588806011781223, 3591011842654386]
    assert [int(uniform(state) * 2**53) for _ in published] == [word >> 11 for word in published]


def test_pull_equals_reference(problem, start):
    structure, _, values, (indptr, indices, couplings) = problem
    J = structure.dense(values)
    for s in start[0]:
        for i in range(NUM_SPINS):
            assert pull(s, i, indptr, indices, couplings) == pull_reference(s, i, J)


def test_random_spins_equals_reference():
    order = np.array([0, 2, 3, 8])
    a, b = np.zeros((3, 9), np.int8), np.zeros((3, 9), np.int8)
    sa, sb = streams_from_seed(2, 3), streams_from_seed(2, 3)
    sweeps.random_spins(a, sa, order)
    twins.random_spins_reference(b, sb, order)
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(sa, sb)


def test_fill_uniforms_equals_reference():
    a, b = np.empty((4, 5)), np.empty((4, 5))
    sa, sb = streams_from_seed(7, 4), streams_from_seed(7, 4)
    for _ in range(3):
        sweeps.fill_uniforms(sa, a)
        twins.fill_uniforms_reference(sb, b)
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(sa, sb)


@pytest.mark.parametrize(
    ("kernel", "reference"),
    [
        (sweeps.heat_bath_sweeps, twins.heat_bath_sweeps_reference),
        (sweeps.metropolis_sweeps, twins.metropolis_sweeps_reference),
    ],
)
def test_sweeps_equal_reference(kernel, reference, problem, start):
    structure, fields, values, csr = problem
    order, betas = np.array([1, 0, 4, 5, 7, 8]), np.linspace(0.1, 2.0, 7)
    (a, sa), (b, sb) = [x.copy() for x in start], [x.copy() for x in start]
    kernel(a, sa, order, fields, *csr, betas)
    reference(b, sb, order, fields, structure.dense(values), betas)
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(sa, sb)
    assert (a != start[0]).any()
    untouched = np.setdiff1d(np.arange(NUM_SPINS), order)
    np.testing.assert_array_equal(a[:, untouched], start[0][:, untouched])


def test_sum_moments_equals_reference(problem, start):
    structure, *_ = problem
    heads, tails = (np.ascontiguousarray(c) for c in structure.edges.T)
    ones, twos = np.zeros(NUM_SPINS, np.int64), np.zeros(len(heads), np.int64)
    sweeps.sum_moments(start[0], heads, tails, ones, twos)
    expected = twins.sum_moments_reference(start[0], heads, tails)
    np.testing.assert_array_equal(ones, expected[0])
    np.testing.assert_array_equal(twos, expected[1])


def test_annealed_importance_equals_reference(problem, start):
    structure, fields, values, csr = problem
    start_fields, path = np.linspace(-0.5, 0.5, NUM_SPINS), np.linspace(0, 1, 6)
    (a, sa), (b, sb) = [x.copy() for x in start], [x.copy() for x in start]
    wa, wb = np.zeros(NUM_READS), np.zeros(NUM_READS)
    importance.annealed_importance_sweeps(a, sa, start_fields, fields, *csr, path, wa)
    twins.annealed_importance_sweeps_reference(b, sb, start_fields, fields, structure.dense(values), path, wb)
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(sa, sb)
    # the energy difference is summed in another order
    np.testing.assert_allclose(wa, wb, rtol=1e-12)


def test_streams_keep_their_prefix_and_differ():
    streams = streams_from_seed(11, 50)
    np.testing.assert_array_equal(streams[:5], streams_from_seed(11, 5))
    assert len(np.unique(streams)) == streams.size
    assert (streams != streams_from_seed(12, 50)).all()
