"""Each kernel equals its slow readable twin, bit for bit: compiled, and as plain Python.

`make test` runs this folder a second time with NUMBA_DISABLE_JIT=1.
"""

import inspect
import pkgutil
from importlib import import_module
from pathlib import Path

import numba
import numpy as np
import pytest

from annealnn import kernels
from annealnn._rng import streams_from_seed
from annealnn.kernels import (
    _compile,
    _lanes,
    continuous,
    gradients,
    population,
    sweeps,
    tempering,
    tiles,
    worldlines,
)
from annealnn.kernels._random import derived_state, next_floats, next_word, uniform
from annealnn.models import Parameters, Structure
from annealnn.samplers._couplings import BlockCouplings, BoundSweep, SparseCouplings, Terms
from annealnn.samplers._replicas import EdgeTerms
from annealnn.samplers._tiles import Tiles
from annealnn.testing import _twins as twins
from annealnn.testing import _twins_dynamics, _twins_importance

NUM_READS, NUM_SPINS = 37, 19  # two tiles, one of them not full; three blocks of spins, one of them not full

# words of a generator wrap around: compiled code does so in silence, numpy's scalars with a warning
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")


def all_kernels():
    """Return {name: kernel}, found and not listed. Operations on vectors have tests of their own."""
    found = {}
    for info in pkgutil.iter_modules(kernels.__path__, "annealnn.kernels."):
        if info.name.endswith(("_lanes", "_rotations", "_functions", "_compile")):
            continue
        for name, value in vars(import_module(info.name)).items():
            plain = getattr(value, "py_func", value)
            if inspect.isfunction(plain) and plain.__module__ == info.name and name[0] != "_":
                found[name] = value
    return found


def test_every_kernel_has_a_twin_and_a_test_of_it():
    names = set(all_kernels())
    assert names >= {"sparse_sweeps", "block_sweeps"}
    found = {
        name
        for module in (twins, _twins_importance, _twins_dynamics)
        for name in vars(module)
        if name.endswith("_reference")
    }
    assert {f"{name}_reference" for name in names} == found
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_twins*.py"))
    assert not [name for name in names if f"{name}_reference" not in tests]


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
        stamps = [kernel._cache._cache_file._source_stamp for kernel in (sweeps.sparse_sweeps, tiles.pack_tiles)]
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
    spins = np.random.default_rng(6).choice(np.array([-1, 1], np.int8), (NUM_READS, NUM_SPINS))
    return spins, streams_from_seed(5, NUM_READS)


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
def draw(streams, row, out):
    _lanes.store(out, 0, next_floats(streams, row))


def test_next_floats_equals_reference():
    a = np.ascontiguousarray(streams_from_seed(2, 64).reshape(2, 32, 4).transpose(0, 2, 1).reshape(8, 32))
    b, out = a.copy(), np.empty((1, 32), np.float32)
    for row in (0, 4, 4, 0):
        draw(a, row, out)
        np.testing.assert_array_equal(out[0], twins.next_floats_reference(b, row))
        np.testing.assert_array_equal(a, b)
        assert 0 < out.min() < out.max() < 1


def test_derived_state_equals_reference():
    streams = np.ascontiguousarray(streams_from_seed(2, 32).T)
    a, b = np.zeros(4, np.uint32), np.zeros(4, np.uint32)
    before = streams.copy()
    derived_state(streams, 0, a)
    twins.derived_state_reference(streams, 0, b)
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(streams, before)
    assert len({*a.tolist(), *streams[:, 0].tolist()}) == 8


@pytest.fixture
def held():
    """Which spins each read holds."""
    return np.random.default_rng(8).random((NUM_READS, NUM_SPINS)) < 0.4


def test_random_tiles_equals_reference(start):
    order = np.array([0, 2, 3, 8], np.uint32)
    tile = Tiles(*start)
    b, sb = tile.bits.copy(), tile.streams.copy()
    tile.randomise(order)
    twins.random_tiles_reference(b, sb, order)
    np.testing.assert_array_equal(tile.bits, b)
    np.testing.assert_array_equal(tile.streams, sb)


@pytest.mark.parametrize("num_slices", [1, 3])
def test_random_tiles_leave_alone_what_is_held(start, held, num_slices):
    spins, streams = start
    lines = np.repeat(spins, num_slices, axis=1)
    some, every = Tiles(lines, streams, held), Tiles(lines, streams)
    for tile in (some, every):
        tile.randomise(np.arange(NUM_SPINS), num_slices)
    found, drawn = (np.empty_like(lines) for _ in range(2))
    some.unpack(found, streams.copy())
    every.unpack(drawn, streams.copy())
    np.testing.assert_array_equal(found, np.where(np.repeat(held, num_slices, axis=1), lines, drawn))
    assert (drawn != lines).any()
    np.testing.assert_array_equal(drawn, np.repeat(drawn[:, ::num_slices], num_slices, axis=1))


def test_fill_uniforms_equals_reference():
    a, b = np.empty((4, 5)), np.empty((4, 5))
    sa, sb = streams_from_seed(7, 4), streams_from_seed(7, 4)
    for _ in range(3):
        tiles.fill_uniforms(sa, a)
        twins.fill_uniforms_reference(sb, b)
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(sa, sb)


def test_bound_terms_equal_reference(problem):
    structure, fields, values, _ = problem
    sparse = SparseCouplings.of(structure)
    terms = Terms.of(sparse, Parameters(-fields, -values))
    found, couplings = np.empty(NUM_SPINS, np.float32), np.empty(len(sparse.edge_of), np.float32)
    largest = twins.bind_terms_reference(-fields, -structure.dense(values), found, couplings)
    np.testing.assert_array_equal(terms.fields, found)
    np.testing.assert_array_equal(terms.couplings, couplings)
    np.testing.assert_array_equal(terms.linear, fields.astype(np.float32))
    pattern = sparse.indptr, sparse.edge_of, sparse.places
    assert tiles.bind_terms(-fields, -values, *pattern, found, couplings) == largest
    with pytest.raises(ValueError, match=r"added up in float32, to less than 1e\+37; got 1.*e\+38"):
        Terms.of(sparse, Parameters(fields * 1e38, values))


def test_centred_gradient_equals_reference(problem):
    structure, fields, values, _ = problem
    offsets = np.random.default_rng(4).integers(-16, 17, NUM_SPINS) / 16
    found, expected = ([fields.copy(), values.copy()] for _ in range(2))
    gradients.centre_gradient(structure.edges, offsets, *found)
    twins.centre_gradient_reference(structure.edges, offsets, *expected)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


@pytest.mark.parametrize("num_rows", [1, 3, 4, 131])
@pytest.mark.parametrize("num_hidden", [1, 32, 45])
def test_hidden_moments_equal_reference(num_rows, num_hidden):
    # sums in float32, of a tangent that is good to 2e-6
    rng, num_visible = np.random.default_rng(8), 5
    spins = rng.choice(np.array([-1, 1], np.int8), (num_rows, num_visible + 2))
    fields, J = rng.normal(size=num_visible + num_hidden), rng.normal(0, 1.5, (num_visible, num_hidden))
    found, expected = ([np.empty(len(fields)), np.empty(J.size)] for _ in range(2))
    gradients.hidden_moments(spins, num_visible, fields, J.reshape(-1), *found)
    twins.hidden_moments_reference(spins, num_visible, fields, J, *expected)
    for sums, others in zip(found, expected, strict=True):
        np.testing.assert_allclose(sums, others, rtol=0, atol=5e-6)


def test_packing_equals_reference_and_gives_the_reads_back(start):
    tile = Tiles(*start)
    bits, streams = np.empty_like(tile.bits), np.empty_like(tile.streams)
    twins.pack_tiles_reference(*start, bits, streams)
    np.testing.assert_array_equal(tile.bits, bits)
    np.testing.assert_array_equal(tile.streams, streams)
    for unpack in (tiles.unpack_tiles, twins.unpack_tiles_reference):
        back = np.empty_like(start[0]), np.empty_like(start[1])
        unpack(bits, streams, *back)
        np.testing.assert_array_equal(back[0], start[0])
        np.testing.assert_array_equal(back[1], start[1])


@pytest.mark.parametrize("order", [[1, 0, 4, 5, 7, 8, 18], list(range(NUM_SPINS)), [3], []], ids=len)
@pytest.mark.parametrize("metropolis", [False, True], ids=["heat bath", "Metropolis"])
@pytest.mark.parametrize("form", ["sparse", "sparse, at random", "blocks"])
@pytest.mark.parametrize("mask", [False, True], ids=["", "held"])
def test_sweeps_equal_reference(problem, start, held, order, metropolis, form, mask):
    structure, fields, values, _ = problem
    # blocks go through their spins by number
    order = np.array(order if form != "blocks" else sorted(order), dtype=np.intp)
    betas, J = np.linspace(0.1, 2.0, 5).astype(np.float32), structure.dense(values)
    sparse = SparseCouplings.of(structure)
    blocks = BlockCouplings.of(sparse) if form == "blocks" else None
    tile = Tiles(*start, held if mask else None)
    tile.scales[:] = np.linspace(0.5, 1.5, 64, dtype=np.float32).reshape(2, 32)
    before, b, sb = tile.bits.copy(), tile.bits.copy(), tile.streams.copy()
    parameters, at_random = Parameters(-fields, -values), form == "sparse, at random"
    BoundSweep(parameters, sparse, blocks, order, metropolis, at_random).run(tile, betas)
    if form == "blocks":
        is_free = np.isin(np.arange(NUM_SPINS), order)
        twins.block_sweeps_reference(b, sb, tile.held, is_free, fields, J, betas, tile.scales, metropolis)
    else:
        twins.sparse_sweeps_reference(b, sb, tile.held, order, fields, J, betas, tile.scales, metropolis, at_random)
    np.testing.assert_array_equal(tile.bits, b)
    np.testing.assert_array_equal(tile.streams, sb)
    assert (tile.bits != before).any() == bool(len(order))
    assert mask == bool(len(tile.held))
    assert not ((tile.bits ^ before) & (tile.held if mask else 0)).any()
    untouched = np.setdiff1d(np.arange(NUM_SPINS), order)
    np.testing.assert_array_equal(tile.bits[:, untouched], before[:, untouched])


def test_sum_moments_equals_reference(problem, start):
    structure, *_ = problem
    heads, tails = (np.ascontiguousarray(c) for c in structure.edges.T)
    found, expected = ([np.ones(NUM_SPINS, np.int64), np.ones(len(heads), np.int64)] for _ in range(2))
    tile = Tiles(*start)
    tile.add_moments(heads, tails, *found)
    kept = np.array([2**32 - 1, 2**5 - 1], np.uint32)
    twins.sum_moments_reference(tile.bits, kept, heads, tails, *expected)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
    moments = structure.moments_of(start[0])
    np.testing.assert_allclose((found[0] - 1) / NUM_READS, moments.spins)
    np.testing.assert_allclose((found[1] - 1) / NUM_READS, moments.pairs)


def test_tile_energies_equal_reference_and_the_models(problem, start):
    structure, fields, values, _ = problem
    parameters, sparse, tile = Parameters(-fields, -values), SparseCouplings.of(structure), Tiles(*start)
    found = tile.energies(Terms.of(sparse, parameters), sparse)
    expected = np.empty((2, 32))
    twins.tile_energies_reference(tile.bits, fields, structure.dense(values), expected)
    np.testing.assert_array_equal(found, expected.reshape(-1)[:NUM_READS])
    np.testing.assert_allclose(found, structure.energies(parameters, start[0]))


def test_read_energies_equal_reference(problem, start):
    structure, fields, values, _ = problem
    heads, tails = (np.ascontiguousarray(c) for c in structure.edges.T)
    tile, expected = Tiles(*start), np.empty((2, 32))
    found = tile.exact_energies(fields, heads, tails, values)
    twins.read_energies_reference(tile.bits, fields, structure.dense(values), expected)
    np.testing.assert_array_equal(found, expected.reshape(-1)[:NUM_READS])


@pytest.fixture
def ends(problem):
    """A graph small enough for the twins in imaginary time, and its edges' ends."""
    structure, fields, values, _ = problem
    few = structure.edges[:, 1] < 6
    small = Structure(6, structure.edges[few])
    heads, tails = (np.ascontiguousarray(c) for c in small.edges.T)
    return small, fields[:6], values[few], heads, tails


@pytest.mark.parametrize("order", [[4, 0, 2], list(range(6)), []], ids=len)
@pytest.mark.parametrize(("num_slices", "mask"), [(2, False), (3, False), (3, True), (8, False)])
def test_worldline_sweeps_equal_reference(ends, held, order, num_slices, mask):
    structure, fields, values, _, _ = ends
    order = np.array(order, dtype=np.uint32)
    lines = np.random.default_rng(7).choice(np.array([-1, 1], np.int8), (NUM_READS, 6 * num_slices))
    tile = Tiles(lines, streams_from_seed(5, NUM_READS), held[:, :6] if mask else None)
    gammas = np.array([0.0, 0.01, 0.3, 1.0, 2.5, 8.0], np.float32)
    betas, ramps = (np.linspace(*ends, 3).astype(np.float32) for ends in ((0.3, 3.0), (1.5, 0.1)))
    spread = np.linspace(0.5, 1.5, 64, dtype=np.float32).reshape(2, 32)
    sparse = SparseCouplings.of(structure)
    terms = Terms.of(sparse, Parameters(-fields, -values))
    before, b, sb = tile.bits.copy(), tile.bits.copy(), tile.streams.copy()
    csr = terms.fields, sparse.indptr, sparse.indices, terms.couplings
    times = gammas, betas, ramps, spread, spread[::-1].copy(), num_slices
    scratch = np.empty((4 * num_slices, 32), np.float32)
    worldlines.worldline_sweeps(tile.bits, tile.streams, tile.held, order, *csr, *times, scratch)
    twins.worldline_sweeps_reference(b, sb, tile.held, order, fields, structure.dense(values), *times)
    np.testing.assert_array_equal(tile.streams, sb)
    np.testing.assert_array_equal(tile.bits, b)
    assert (tile.bits != before).any() == bool(len(order))
    if mask:
        assert not ((tile.bits ^ before) & np.repeat(tile.held, num_slices, axis=1)).any()


def test_a_kinked_neighbour_at_low_temperature_favours_no_side():
    # spin 1 is up for half of the time: spin 0, which cannot turn over, is up half of the time
    sparse = SparseCouplings.of(Structure(2, np.array([[0, 1]])))
    for strength in (10.0, 100.0, 1000.0):
        terms = Terms.of(sparse, Parameters(np.zeros(2), np.array([strength])))
        for gamma in (0.0, 1e-38):
            tile = Tiles(np.tile(np.repeat([1, -1], [36, 12]).astype(np.int8), (320, 1)), streams_from_seed(1, 320))
            worldlines.worldline_sweeps(
                tile.bits, tile.streams, tile.held, np.zeros(1, np.uint32), terms.fields, sparse.indptr, sparse.indices,
                terms.couplings, np.full(2, gamma, np.float32), np.ones(1, np.float32), np.ones(1, np.float32),
                tile.scales, tile.scales, 24, np.empty((96, 32), np.float32),
            )  # fmt: skip
            lines, words = np.empty((320, 48), np.int8), np.empty((320, 4), np.uint32)
            tile.unpack(lines, words)
            up = (lines[:, :24] > 0).mean(axis=1)
            assert np.isin(up, (0, 1)).all() or gamma > 0
            assert 0.5 - 4.9 * 0.5 / 320**0.5 < up.mean() < 0.5 + 4.9 * 0.5 / 320**0.5


def test_worldline_sums_and_means_equal_reference(ends):
    structure, fields, values, heads, tails = ends
    lines = np.random.default_rng(7).choice(np.array([-1, 1], np.int8), (NUM_READS, 6, 5))
    tile = Tiles(lines.reshape(NUM_READS, 30), streams_from_seed(5, NUM_READS))
    found, expected = ([np.ones(k, np.int64) for k in (6, len(heads))] for _ in range(2))
    worldlines.sum_worldlines(tile.bits, tile.kept(), heads, tails, 5, *found)
    twins.sum_worldlines_reference(tile.bits, tile.kept(), heads, tails, 5, *expected)
    counted, slowly_counted = np.empty((2, 32)), np.empty((2, 32))
    worldlines.count_kinks(tile.bits, 5, counted)
    twins.count_kinks_reference(tile.bits, 5, slowly_counted)
    np.testing.assert_array_equal(counted, slowly_counted)
    means, slow = ([np.empty((NUM_READS, k), np.float32) for k in (6, len(heads))] for _ in range(2))
    worldlines.average_worldlines(lines, heads, tails, *means)
    twins.average_worldlines_reference(lines, heads, tails, *slow)
    for total, sum_, mean, slowly in zip(found, expected, means, slow, strict=True):
        np.testing.assert_array_equal(total, sum_)
        np.testing.assert_allclose(mean, slowly, atol=1e-6)
        np.testing.assert_allclose((total - 1) / (5 * NUM_READS), mean.mean(axis=0), atol=1e-6)
    sparse, hops = SparseCouplings.of(structure), np.tanh([0.0, 1e-9, 0.01, 0.3, 1.0, 4.0])
    x, slow_x = np.empty((NUM_READS, 6)), np.empty((NUM_READS, 6))
    csr = sparse.indptr, sparse.indices, values[sparse.edge_of]
    worldlines.transverse_means(lines, fields, *csr, hops, 0.4, x)
    twins.transverse_means_reference(lines, fields, structure.dense(values), hops, 0.4, slow_x)
    np.testing.assert_allclose(x, slow_x, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("capacity", [60, 4], ids=["room enough", "room to be made"])
def test_continuous_sweeps_and_overlaps_equal_reference(ends, capacity):
    structure, fields, values, heads, tails = ends
    gammas, is_free = np.array([0.0, 0.01, 0.3, 1.0, 2.5, 8.0]), np.ones((3, 6), bool)
    is_free[[0, 1, 1, 2], [3, 0, 5, 3]] = False
    sparse = SparseCouplings.of(structure)
    times, slow = np.zeros((3, 6, capacity)), np.zeros((3, 6, 100))
    counts = np.zeros((3, 6), np.int32)
    firsts = np.random.default_rng(7).choice(np.array([-1, 1], np.int8), (3, 6))
    streams, progress = streams_from_seed(5, 3), np.zeros((3, 2), np.int64)
    b, sb, cb = firsts.copy(), streams.copy(), counts.copy()
    csr = fields, sparse.indptr, sparse.indices, values[sparse.edge_of]
    grown = 0
    while not continuous.continuous_sweeps(
        times, counts, firsts, streams, is_free, *csr, gammas, 4, progress,
        *(np.empty(times.shape[2] + k) for k in (0, 1)), np.empty(times.shape[2] + 1, np.int8)
    ):  # fmt: skip
        times, grown = np.pad(times, ((0, 0), (0, 0), (0, 4))), grown + 1
    assert (grown > 0) == (capacity == 4)
    twins.continuous_sweeps_reference(slow, cb, b, sb, is_free, fields, structure.dense(values), gammas, 4)
    np.testing.assert_array_equal(streams, sb)
    np.testing.assert_array_equal(firsts, b)
    np.testing.assert_array_equal(counts, cb)
    assert counts[:, 4:].sum() > 10
    for r, i in np.ndindex(3, 6):
        np.testing.assert_allclose(times[r, i, : counts[r, i]], slow[r, i, : counts[r, i]], rtol=1e-12)
    found, expected = ([np.empty((3, 6)), np.empty((3, len(heads)))] for _ in range(2))
    continuous.overlap_worldlines(times, counts, firsts, heads, tails, *found)
    twins.overlap_worldlines_reference(times, counts, firsts, heads, tails, *expected)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-12)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-12)
    x, slow_x = np.empty((3, 6)), np.empty((3, 6))
    continuous.continuous_transverse_means(times, counts, firsts, *csr, gammas, np.empty(500), np.empty(500), x)
    twins.continuous_transverse_means_reference(times, counts, firsts, fields, structure.dense(values), gammas, slow_x)
    np.testing.assert_allclose(x, slow_x, atol=1e-7)


def test_edge_energies_equal_reference(problem, start):
    structure, fields, values, _ = problem
    tile, found, expected = Tiles(*start), np.empty((2, 32)), np.empty((2, 32))
    EdgeTerms.of(structure, Parameters(-fields, -values)).energies(tile, found)
    twins.edge_energies_reference(tile.bits, fields, structure.dense(values), expected)
    np.testing.assert_array_equal(found, expected)


def test_exchange_replicas_equals_reference(start):
    tile, rng = Tiles(*start), np.random.default_rng(4)
    holders = np.arange(36).reshape(9, 4)
    betas, energies = np.array([0.25, 0.5, 0.75, 1.0]), rng.normal(0, 4, (2, 32))
    a = [tile.streams, holders, tile.scales, np.zeros((2, 32), np.uint8), np.zeros((9, 3)), np.zeros(9, np.int64)]
    b = [part.copy() for part in a]
    for _ in range(40):
        for kernel, (streams, rows, *rest) in (
            (tempering.exchange_replicas, a),
            (twins.exchange_replicas_reference, b),
        ):
            kernel(energies, streams, rows, betas, *rest)
        energies = np.roll(energies, 1, axis=1)
        for found, expected in zip(a, b, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-13)
    assert a[5].sum() > 20
    assert sorted(holders[2]) == [8, 9, 10, 11]


@pytest.mark.parametrize("even", [False, True])
def test_flip_clusters_equals_reference(start, even):
    rng = np.random.default_rng(1)
    every = Structure.complete(NUM_SPINS).edges
    structure = Structure(NUM_SPINS, every[rng.random(len(every)) < 0.12])
    sparse, tile = SparseCouplings.of(structure), Tiles(*start)
    holders = rng.permutation(36).reshape(12, 3)
    rungs = np.array([0, 2])
    bits, streams = tile.bits.copy(), tile.streams.copy()
    found, expected = ([np.zeros((6, 3), np.int64) for _ in range(2)] for _ in range(2))
    members, inside = np.empty(NUM_SPINS, np.uint32), np.empty(NUM_SPINS, np.uint8)
    dense = structure.dense(np.ones(structure.num_edges))
    for _ in range(10):
        tempering.flip_clusters(
            tile.bits, tile.streams, holders, rungs, even, sparse.indptr, sparse.indices, members, inside, *found
        )
        twins.flip_clusters_reference(bits, streams, holders, rungs, even, dense, *expected)
        np.testing.assert_array_equal(tile.bits, bits)
        np.testing.assert_array_equal(tile.streams, streams)
    np.testing.assert_array_equal(found, expected)
    assert (found[0][:, 1] == 0).all()
    assert (found[0].sum() == 120) == even
    assert found[1].sum() > 60


@pytest.mark.parametrize("size", [1, 5, 12, 36])
def test_resample_populations_equals_reference(start, size):
    tile, rng = Tiles(*start), np.random.default_rng(9)
    num_rows = 36 // size * size
    bits, streams = tile.bits.copy(), tile.streams.copy()
    found, expected = ([np.arange(num_rows), np.zeros(num_rows // size)] for _ in range(2))
    for rise in (0.5, 0.0, 2.0):
        energies = rng.normal(0, 1, (2, 32))
        weights, offspring = np.empty(size), np.empty(size, np.int64)
        population.resample_populations(tile.bits, tile.streams, energies, rise, weights, offspring, *found)
        twins.resample_populations_reference(bits, streams, energies, rise, size, *expected)
        np.testing.assert_array_equal(tile.bits, bits)
        np.testing.assert_array_equal(tile.streams, streams)
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-12)
    assert len(np.unique(found[0])) < num_rows or size == 1


def test_streams_keep_their_prefix_and_differ():
    streams = streams_from_seed(11, 50)
    np.testing.assert_array_equal(streams[:5], streams_from_seed(11, 5))
    assert len(np.unique(streams, axis=0)) == len(streams)
    assert len(np.unique(streams)) > 0.99 * streams.size
    assert (streams != streams_from_seed(12, 50)).mean() > 0.99
