"""The kernels of annealed importance sampling equal their twins: spins and streams bit for bit, weights to 1e-4."""

import numpy as np
import pytest

from annealnn._rng import streams_from_seed
from annealnn.kernels.importance import importance_block_sweeps, importance_sweeps
from annealnn.kernels.worldlines import worldline_importance_sweeps
from annealnn.models import Parameters, Structure
from annealnn.samplers._couplings import BlockCouplings, BlockTerms, SparseCouplings, Terms
from annealnn.samplers._tiles import Tiles
from annealnn.testing import _twins_importance as twins

NUM_READS, NUM_SPINS, NUM_SUMMED = 37, 19, 5  # two tiles, one of them not full; three blocks of spins

# words of a generator wrap around: compiled code does so in silence, numpy's scalars with a warning
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")


def random_problem(num_spins, num_summed):
    """A random problem whose first spins are not coupled; multiples of 1/64, so sums are exact, and in float32."""
    rng = np.random.default_rng(3)
    every = Structure.complete(num_spins).edges
    structure = Structure(num_spins, every[(every[:, 1] >= num_summed) & (rng.random(len(every)) < 0.6)])
    values = rng.integers(-32, 33, structure.num_edges) / 64
    return structure, rng.integers(-48, 49, num_spins) / 64, values


@pytest.mark.parametrize("num_summed", [0, NUM_SUMMED])
@pytest.mark.parametrize("rows", ["one row", "a row for each read"])
@pytest.mark.parametrize("path", [[0, 0, 0.25, 0.375, 1], [1, 0.5, 0.125, 0]], ids=["there", "back"])
@pytest.mark.parametrize("form", ["sparse", "block"])
def test_importance_sweeps_equal_reference(num_summed, rows, path, form):
    structure, fields, values = random_problem(NUM_SPINS, NUM_SUMMED)
    rng = np.random.default_rng(6)
    spins = rng.choice(np.array([-1, 1], np.int8), (NUM_READS, NUM_SPINS))
    tile = Tiles(spins, streams_from_seed(5, NUM_READS))
    bits, streams = tile.bits.copy(), tile.streams.copy()
    starts = (rng.integers(-64, 65, ((1 if rows == "one row" else 2) * NUM_SPINS, 32)) / 64).astype(np.float32)
    sparse, path = SparseCouplings.of(structure), np.array(path, np.float32)
    parameters = Parameters(-fields, -values)
    found, expected = np.zeros((2, 2, 2, 32))
    found[0].reshape(-1)[:] = tile_differences(structure, fields, values, bits)
    scratch = np.empty((11, 32), np.float32)
    if form == "sparse":
        terms = Terms.of(sparse, parameters)
        csr = terms.fields, sparse.indptr, sparse.indices, terms.couplings
        importance_sweeps(tile.bits, tile.streams, starts, num_summed, *csr, path, scratch, *found)
        reference = twins.importance_sweeps_reference
    else:
        blocks = BlockCouplings.of(sparse)
        locals_, outer, inner = BlockTerms.of(sparse, blocks, parameters)
        pattern = blocks.members, locals_, blocks.starts, blocks.columns, outer, inner
        importance_block_sweeps(tile.bits, tile.streams, starts, num_summed, *pattern, path, scratch, *found)
        reference = twins.importance_block_sweeps_reference
    reference(bits, streams, starts, num_summed, fields, structure.dense(values), path, *expected)
    np.testing.assert_array_equal(tile.bits, bits)
    np.testing.assert_array_equal(tile.streams, streams)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(expected[1]).max() > 1


def tile_differences(structure, fields, values, bits):
    """Return D of every column of tiles, dimod's sign."""
    ups = (bits[:, None, :] >> np.arange(32, dtype=np.uint32)[:, None]) & 1
    s = 2.0 * ups.reshape(-1, bits.shape[1]) - 1.0
    return s @ fields + 0.5 * ((s @ structure.dense(values)) * s).sum(axis=1)


@pytest.mark.parametrize("num_slices", [2, 5])
def test_worldline_importance_sweeps_equal_reference(num_slices):
    structure, fields, values = random_problem(6, 0)
    rng = np.random.default_rng(7)
    lines = rng.choice(np.array([-1, 1], np.int8), (NUM_READS, 6, num_slices))
    tile = Tiles(lines.reshape(NUM_READS, -1), streams_from_seed(5, NUM_READS))
    bits, streams = tile.bits.copy(), tile.streams.copy()
    starts, is_pinned = rng.normal(size=6).astype(np.float32), np.array([1, 0, 1, 1, 0, 0], np.uint8)
    hops, path = np.tanh([0.0, 0.0, 0.01, 0.3, 1.0, 4.0]).astype(np.float32), np.linspace(0, 1, 4).astype(np.float32)
    sparse = SparseCouplings.of(structure)
    terms = Terms.of(sparse, Parameters(-fields, -values))
    found, expected = np.zeros((2, 2, 2, 32))
    slices = bits.reshape(2, 6, num_slices)
    found[0].reshape(-1)[:] = np.mean(
        [tile_differences(structure, fields, values, slices[:, :, m]) for m in range(num_slices)], axis=0
    )
    csr = terms.fields, sparse.indptr, sparse.indices, terms.couplings
    scratch = np.empty((5 * num_slices, 32), np.float32)
    worldline_importance_sweeps(
        tile.bits, tile.streams, starts, is_pinned, *csr, hops, path, num_slices, scratch, *found
    )
    twins.worldline_importance_sweeps_reference(
        bits, streams, starts, is_pinned, fields, structure.dense(values), hops, path, num_slices, *expected
    )
    np.testing.assert_array_equal(tile.streams, streams)
    np.testing.assert_array_equal(tile.bits, bits)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    pinned = slices[:, is_pinned > 0, 0]
    np.testing.assert_array_equal(tile.bits.reshape(2, 6, num_slices)[:, is_pinned > 0, 0], pinned)
    assert (tile.bits.reshape(2, 6, num_slices)[:, 0] == pinned[:, :1]).all()  # no field, no kink
