"""Each kernel equals its slow readable twin, bit for bit: compiled, and as plain Python.

`make test` runs this folder a second time with NUMBA_DISABLE_JIT=1.
"""

import inspect
import pkgutil
from importlib import import_module

import numba
import numpy as np
import pytest

from annealnn import kernels
from annealnn._rng import streams_from_seed
from annealnn.kernels import _compile, _lanes, importance, sweeps
from annealnn.kernels._random import next_floats, next_word, uniform
from annealnn.models import Structure
from annealnn.samplers._compiled import SparseCouplings
from annealnn.testing import _twins as twins

NUM_READS, NUM_SPINS = 5, 9

# words of a generator wrap around: compiled code does so in silence, numpy's scalars with a warning
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")


def all_kernels():
    """Return {name: kernel}, found and not listed. The operations on lanes are tested in test_lanes.py."""
    found = {}
    for info in pkgutil.iter_modules(kernels.__path__, "annealnn.kernels."):
        if info.name.endswith(("_lanes", "_compile")):
            continue
        for name, value in vars(import_module(info.name)).items():
            plain = getattr(value, "py_func", value)
            if inspect.isfunction(plain) and plain.__module__ == info.name and name[0] != "_":
                found[name] = value
    return found


def test_every_kernel_has_a_twin_and_a_test_of_it():
    names = set(all_kernels())
    assert names >= {"sparse_sweeps", "dense_sweeps"}
    assert {f"{name}_reference" for name in names} == {name for name in vars(twins) if name.endswith("_reference")}
    here = inspect.getsource(inspect.getmodule(all_kernels))
    assert not [name for name in names if f"{name}_reference" not in here]


def test_kernels_are_compiled_unless_told_otherwise():
    compiled = [hasattr(kernel, "py_func") for kernel in all_kernels().values()]
    assert all(compiled) if not numba.config.DISABLE_JIT else not any(compiled)


def test_what_is_kept_on_disk_goes_stale_with_any_file_of_the_folder(tmp_path):
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "b.py").write_text("2")
    before = _compile.digest_of(tmp_path)
    assert before == _compile.digest_of(tmp_path)
    (tmp_path / "b.py").write_text("3")
    assert before != _compile.digest_of(tmp_path)
    if not numba.config.DISABLE_JIT:
        stamps = [kernel._cache._cache_file._source_stamp for kernel in (sweeps.sparse_sweeps, sweeps.pack_tile)]
        assert all(stamp[1] == _compile.digest_of(kernels.__path__[0]) for stamp in stamps)


@pytest.fixture
def problem():
    """A sparse random problem; couplings are multiples of 1/64, so sums are exact in any order, and in float32."""
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


@pytest.fixture
def tile(start):
    """Five reads in a tile of 32."""
    spins, streams = np.empty((NUM_SPINS, 32), np.float32), np.empty((4, 32), np.uint32)
    sweeps.pack_tile(*start, spins, streams)
    return spins, streams


def test_words_and_uniforms_equal_reference():
    a, b = streams_from_seed(1, 1)[0], streams_from_seed(1, 1)[0]
    assert [int(next_word(a)) for _ in range(100)] == [twins.next_word_reference(b) for _ in range(100)]
    assert [uniform(a) for _ in range(100)] == [twins.uniform_reference(b) for _ in range(100)]
    np.testing.assert_array_equal(a, b)


def test_words_equal_the_published_generator():
    # xoshiro128++ from state (1, 2, 3, 4): the first outputs of its authors' C code
    state = np.array([1, 2, 3, 4], dtype=np.uint32)
    assert [int(next_word(state)) for _ in range(4)] == [641, 1573767, 3222811527, 3517856514]


@numba.njit
def draw(streams, half, out):
    _lanes.store(out, 0, 0, next_floats(streams, half))


def test_next_floats_equals_reference():
    a = np.ascontiguousarray(streams_from_seed(2, 32).T)
    b, out = a.copy(), np.empty((1, 32), np.float32)
    for half in (0, 1, 1, 0):
        draw(a, half, out)
        np.testing.assert_array_equal(out[0, :16], twins.next_floats_reference(b, half))
        np.testing.assert_array_equal(a, b)
        assert 0 < out[0, :16].min() < out[0, :16].max() < 1


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


def test_packing_equals_reference_and_gives_the_reads_back(start, tile):
    spins, streams = np.empty((NUM_SPINS, 32), np.float32), np.empty((4, 32), np.uint32)
    twins.pack_tile_reference(*start, spins, streams)
    np.testing.assert_array_equal(tile[0], spins)
    np.testing.assert_array_equal(tile[1], streams)
    for unpack in (sweeps.unpack_tile, twins.unpack_tile_reference):
        back = np.empty_like(start[0]), np.empty_like(start[1])
        unpack(*tile, *back)
        np.testing.assert_array_equal(back[0], start[0])
        np.testing.assert_array_equal(back[1], start[1])


# 6 of 9 spins: the dense kernel takes four together, and two alone
@pytest.mark.parametrize("order", [[1, 0, 4, 5, 7, 8], list(range(NUM_SPINS)), [3], []], ids=len)
@pytest.mark.parametrize("metropolis", [False, True], ids=["heat bath", "Metropolis"])
def test_sweeps_equal_reference(problem, tile, order, metropolis):
    structure, fields, values, (indptr, indices, couplings) = problem
    order, betas = np.array(order, dtype=np.intp), np.linspace(0.1, 2.0, 7).astype(np.float32)
    J = structure.dense(values)
    h, J32, couplings = (x.astype(np.float32) for x in (fields, J, couplings))
    (a, sa), (b, sb), (c, sc), (d, sd) = ([x.copy() for x in tile] for _ in range(4))
    sweeps.sparse_sweeps(a, sa, order, h, indptr, indices, couplings, betas, metropolis)
    twins.sparse_sweeps_reference(b, sb, order, fields, J, betas, metropolis)
    sweeps.dense_sweeps(c, sc, order, h, J32, betas, metropolis)
    twins.dense_sweeps_reference(d, sd, order, fields, J, betas, metropolis)
    for spins, streams in ((b, sb), (c, sc), (d, sd)):
        np.testing.assert_array_equal(a, spins)
        np.testing.assert_array_equal(sa, streams)
    assert (a != tile[0]).any() == bool(len(order))
    untouched = np.setdiff1d(np.arange(NUM_SPINS), order)
    np.testing.assert_array_equal(a[untouched], tile[0][untouched])


def test_sum_moments_equals_reference(problem, tile):
    structure, *_ = problem
    heads, tails = (np.ascontiguousarray(c) for c in structure.edges.T)
    kept = np.zeros((1, 32), np.float32)
    kept[0, :NUM_READS] = 1
    found, expected = ([np.ones(NUM_SPINS, np.int64), np.ones(len(heads), np.int64)] for _ in range(2))
    sweeps.sum_moments(tile[0], kept, heads, tails, *found)
    twins.sum_moments_reference(tile[0], kept, heads, tails, *expected)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
    assert np.abs(found[0] - 1).max() <= NUM_READS


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
    assert len(np.unique(streams, axis=0)) == len(streams)
    assert len(np.unique(streams)) > 0.99 * streams.size
    assert (streams != streams_from_seed(12, 50)).mean() > 0.99
