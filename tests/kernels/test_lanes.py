"""Each operation on lanes compiles to what numpy says of it, bit for bit."""

import numba
import numpy as np
import pytest

from annealnn.kernels import _lanes as lanes
from annealnn.kernels._lanes import load, store
from annealnn.kernels.sweeps import _exponential2

RNG = np.random.default_rng(0)
FLOATS = RNG.normal(0, 3, (3, 32)).astype(np.float32)
WORDS = RNG.integers(0, 2**32, (3, 32), dtype=np.uint32)
SMALL = RNG.integers(0, 2**31, (1, 32), dtype=np.uint32)
WHOLE = RNG.integers(-126, 128, (1, 32)).astype(np.float32)
LOW, HIGH = np.float32(-1.5), np.float32(2.0)


@numba.njit
def run(call, tile, out):
    for half in range(2):
        store(out, 0, half, call(tile, half))


def applied(call, tile, out):
    """Run `call(tile, half) -> lanes` on both halves, compiled unless numba is told not to."""
    run(call, tile, out)
    return out[0]


OPERATIONS = {
    "splat": (lambda t, half: lanes.splat(t[0, 3]), FLOATS),
    "load": (lambda t, half: load(t, 2, half), FLOATS),
    "add": (lambda t, half: load(t, 0, half) + load(t, 1, half), FLOATS),
    "subtract": (lambda t, half: load(t, 0, half) - load(t, 1, half), FLOATS),
    "multiply": (lambda t, half: load(t, 0, half) * load(t, 1, half), FLOATS),
    "clamp": (lambda t, half: lanes.clamp(load(t, 0, half), LOW, HIGH), FLOATS),
    "choose_less": (
        lambda t, half: lanes.choose_less(load(t, 0, half), load(t, 1, half), load(t, 2, half), load(t, 0, half)),
        FLOATS,
    ),
    "total": (lambda t, half: lanes.splat(lanes.total(load(t, 0, half))), WHOLE),
    "load words": (lambda t, half: load(t, 2, half), WORDS),
    "add words": (lambda t, half: load(t, 0, half) + load(t, 1, half), WORDS),
    "exclusive or": (lambda t, half: load(t, 0, half) ^ load(t, 1, half), WORDS),
    "shift_left": (lambda t, half: lanes.shift_left(load(t, 0, half), 9), WORDS),
    "shift_right": (lambda t, half: lanes.shift_right(load(t, 0, half), 9), WORDS),
    "rotate_left": (lambda t, half: lanes.rotate_left(load(t, 0, half), 11), WORDS),
    "to_floats": (lambda t, half: lanes.to_floats(load(t, 0, half)), SMALL),
    "power_of_two": (lambda t, half: lanes.power_of_two(load(t, 0, half)), WHOLE),
    "exponential": (lambda t, half: _exponential2(load(t, 0, half)), FLOATS),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_is_numpys(name):
    call, tile = OPERATIONS[name]
    expected = np.concatenate([call_in_numpy(call, tile, half) for half in range(2)])
    out = np.empty((1, 32), expected.dtype)
    np.testing.assert_array_equal(applied(numba.njit(call), tile, out), expected)


def call_in_numpy(call, tile, half):
    """Call with the exponential, which is compiled, as plain Python."""
    plain = getattr(_exponential2, "py_func", _exponential2)
    scope = dict(call.__globals__, _exponential2=plain)
    return type(call)(call.__code__, scope)(tile, half)


def test_add_product_is_exact_with_spins():
    tile = np.vstack([FLOATS[:1], RNG.choice([-2, -1, 0, 1, 2], (1, 32)).astype(np.float32), FLOATS[1:2]])
    call = numba.njit(lambda t, half: lanes.add_product(load(t, 0, half), load(t, 1, half), load(t, 2, half)))
    found = applied(call, tile, np.empty((1, 32), np.float32))
    np.testing.assert_array_equal(found, tile[0] * tile[1] + tile[2])


def test_exponential_is_close_everywhere():
    call = numba.njit(lambda t, half: _exponential2(load(t, 0, half)))
    for part in np.linspace(-130, 130, 32 * 50).astype(np.float32).reshape(-1, 1, 32):
        expected = 2.0 ** np.clip(part[0].astype(np.float64), -126, 126)
        np.testing.assert_allclose(applied(call, part, np.empty((1, 32), np.float32)), expected, rtol=3e-7)
