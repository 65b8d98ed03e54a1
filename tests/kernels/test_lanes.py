"""Each operation on lanes compiles to what numpy says of it, bit for bit."""

import numba
import numpy as np
import pytest

from annealnn.kernels import _functions
from annealnn.kernels import _lanes as lanes
from annealnn.kernels._functions import exponential2, hyperbolic_tangent, logarithm2, logarithm2_plus_one
from annealnn.kernels._lanes import load, store

RNG = np.random.default_rng(0)
FLOATS = RNG.normal(0, 3, (3, 32)).astype(np.float32)
WORDS = RNG.integers(0, 2**32, (3, 32), dtype=np.uint32)
SMALL = RNG.integers(0, 2**31, (1, 32), dtype=np.uint32)
WHOLE = RNG.integers(-126, 128, (1, 32)).astype(np.float32)
LOW, HIGH = np.float32(-1.5), np.float32(2.0)


@numba.njit
def run(call, tile, out):
    store(out, 0, call(tile))


def applied(call, tile, out):
    """Run `call(tile) -> lanes`, compiled unless numba is told not to."""
    run(call, tile, out)
    return out[0]


OPERATIONS = {
    "splat": (lambda t: lanes.splat(t[0, 3]), FLOATS),
    "load": (lambda t: load(t, 2), FLOATS),
    "add": (lambda t: load(t, 0) + load(t, 1), FLOATS),
    "subtract": (lambda t: load(t, 0) - load(t, 1), FLOATS),
    "multiply": (lambda t: load(t, 0) * load(t, 1), FLOATS),
    "clamp": (lambda t: lanes.clamp(load(t, 0), LOW, HIGH), FLOATS),
    "multiply_add": (lambda t: lanes.multiply_add(load(t, 0), load(t, 1), load(t, 2)), FLOATS),
    "divide": (lambda t: load(t, 0) / load(t, 1), FLOATS),
    "exponent": (lambda t: lanes.exponent(load(t, 0) * load(t, 0)), FLOATS),
    "mantissa": (lambda t: lanes.mantissa(load(t, 0) * load(t, 0)), FLOATS),
    "less and choose": (lambda t: lanes.choose(lanes.less(load(t, 0), load(t, 1)), load(t, 2), load(t, 0)), FLOATS),
    "flags of a word": (lambda t: lanes.choose(lanes.flags_of(np.uint32(2147484433)), load(t, 2), load(t, 0)), FLOATS),
    "word of flags": (
        lambda t: lanes.splat(np.float32(lanes.word_of(lanes.less(load(t, 0), load(t, 1))) >> 8)),
        FLOATS,
    ),
    "count": (lambda t: lanes.splat(np.float32(lanes.count(t[1, 5]))), WORDS),
    "load words": (lambda t: load(t, 2), WORDS),
    "add words": (lambda t: load(t, 0) + load(t, 1), WORDS),
    "exclusive or": (lambda t: load(t, 0) ^ load(t, 1), WORDS),
    "shift_left": (lambda t: lanes.shift_left(load(t, 0), 9), WORDS),
    "shift_right": (lambda t: lanes.shift_right(load(t, 0), 9), WORDS),
    "rotate_left": (lambda t: lanes.rotate_left(load(t, 0), 11), WORDS),
    "to_floats": (lambda t: lanes.to_floats(load(t, 0)), SMALL),
    "power_of_two": (lambda t: lanes.power_of_two(load(t, 0)), WHOLE),
    "exponential": (lambda t: exponential2(load(t, 0)), FLOATS),
    "hyperbolic tangent": (lambda t: hyperbolic_tangent(load(t, 0) * load(t, 0)), FLOATS),
    "logarithm": (lambda t: logarithm2(load(t, 0) * load(t, 0)), FLOATS),
    "logarithm of one and more": (lambda t: logarithm2_plus_one(load(t, 0) * load(t, 0)), FLOATS),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_is_numpys(name):
    call, tile = OPERATIONS[name]
    expected = call_in_numpy(call, tile)
    out = np.empty((1, 32), expected.dtype)
    np.testing.assert_array_equal(applied(numba.njit(call), tile, out), expected)


def call_in_numpy(call, tile):
    """Call with the functions that are compiled as plain Python."""
    scope = dict(vars(_functions))
    for f in (exponential2, logarithm2, logarithm2_plus_one, hyperbolic_tangent):
        scope[f.__name__] = type(call)(getattr(f, "py_func", f).__code__, scope)
    return type(call)(call.__code__, {**call.__globals__, **scope, "load": load})(tile)


def test_exponential_is_close_everywhere():
    call = numba.njit(lambda t: exponential2(load(t, 0)))
    for part in np.linspace(-130, 130, 32 * 50).astype(np.float32).reshape(-1, 1, 32):
        expected = 2.0 ** np.clip(part[0].astype(np.float64), -126, 126)
        np.testing.assert_allclose(applied(call, part, np.empty((1, 32), np.float32)), expected, rtol=3e-7)


def test_logarithm_is_close_everywhere():
    call = numba.njit(lambda t: logarithm2(load(t, 0)))
    for part in np.geomspace(1e-37, 1e37, 32 * 50).astype(np.float32).reshape(-1, 1, 32):
        expected = np.log2(part[0].astype(np.float64))
        found = applied(call, part, np.empty((1, 32), np.float32))
        np.testing.assert_allclose(found, expected, rtol=1.2e-7, atol=3e-6)


def test_logarithm_of_one_and_more_is_close_everywhere():
    call = numba.njit(lambda t: logarithm2_plus_one(load(t, 0)))
    for part in np.linspace(0, 1, 32 * 50).astype(np.float32).reshape(-1, 1, 32):
        found = applied(call, part, np.empty((1, 32), np.float32))
        np.testing.assert_allclose(found, np.log2(1.0 + part[0].astype(np.float64)), atol=2e-7)


def test_hyperbolic_tangent_is_close_everywhere():
    call = numba.njit(lambda t: hyperbolic_tangent(load(t, 0)))
    for part in np.concatenate([[0], np.geomspace(1e-37, 100, 32 * 50 - 1)]).astype(np.float32).reshape(-1, 1, 32):
        expected = np.tanh(part[0].astype(np.float64))
        np.testing.assert_allclose(applied(call, part, np.empty((1, 32), np.float32)), expected, rtol=2e-6)
